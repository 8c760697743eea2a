-- +goose Up

-- Who patrols. Every change counts up the ledger 'roll'.
CREATE TABLE team (
    code   TEXT NOT NULL PRIMARY KEY CHECK (code <> ''),
    name   TEXT NOT NULL,
    street TEXT NOT NULL -- code
) STRICT;

CREATE TABLE unit (
    id      INTEGER NOT NULL PRIMARY KEY CHECK (id > 0 AND id < 2147483648),
    code    TEXT    NOT NULL UNIQUE CHECK (code <> ''),
    name    TEXT    NOT NULL, -- a person's
    kind    TEXT    NOT NULL CHECK (kind IN ('grid-patrol', 'mobile-patrol', 'vehicle')),
    team    TEXT    REFERENCES team,
    street  TEXT    NOT NULL, -- code
    duty    TEXT    NOT NULL CHECK (duty IN ('roster', 'always')),
    retired INTEGER
) STRICT;

-- The grids that a unit is assigned to.
CREATE TABLE unit_grid (
    unit INTEGER NOT NULL REFERENCES unit,
    grid INTEGER NOT NULL CHECK (grid > 0 AND grid < 16777216),
    PRIMARY KEY (unit, grid)
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
    id        TEXT    NOT NULL PRIMARY KEY REFERENCES token,
    unit      INTEGER REFERENCES unit, -- NULL is a gateway's
    datum     TEXT    NOT NULL CHECK (datum IN ('wgs84', 'gcj02', 'bd09')),
    speed_mps INTEGER NOT NULL CHECK (speed_mps IN (0, 1)),
    terminal  TEXT    UNIQUE CHECK (terminal <> '') -- of JT/T 808
) STRICT;

-- A unit is on duty in [starts, ends).
CREATE TABLE shift (
    unit   INTEGER NOT NULL REFERENCES unit,
    starts INTEGER NOT NULL,
    ends   INTEGER NOT NULL,
    post   TEXT    NOT NULL CHECK (post IN ('patrol', 'emergency')),
    PRIMARY KEY (unit, starts, post),
    CHECK (starts < ends)
) STRICT, WITHOUT ROWID;
CREATE INDEX shift_ends ON shift (ends);

-- The log of what devices sent: one row for each commit, which holds several
-- senders' entries, each after its length. The last row always stays, so that
-- numbers go on.
CREATE TABLE fix_log (
    seq  INTEGER NOT NULL PRIMARY KEY CHECK (seq > 0),
    data BLOB    NOT NULL
) STRICT;

-- How far the log was applied to all that follows.
CREATE TABLE fix_applied (
    log TEXT    NOT NULL PRIMARY KEY CHECK (log = 'fixes'),
    seq INTEGER NOT NULL
) STRICT;

-- The tracker's state after entry seq of the log.
CREATE TABLE fix_checkpoint (
    log   TEXT    NOT NULL PRIMARY KEY CHECK (log = 'fixes'),
    seq   INTEGER NOT NULL,
    state BLOB    NOT NULL
) STRICT;

-- Fixes as they come: one row for those that were entered at once, by unit and
-- time. Before long they go into a table track_YYYYMMDD for their day in
-- Shanghai, one row for each unit and ten minutes, made when it is needed and
-- dropped when it expires:
--     id   INTEGER NOT NULL PRIMARY KEY -- which ten minutes of the day << 32 | unit
--     data BLOB NOT NULL                -- the unit's fixes of these ten minutes
-- While a fix is on its way it is in both; readers count it once. A number is
-- never given again: who takes a row away must not meet another.
CREATE TABLE fix_chunk (
    seq   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    first INTEGER NOT NULL, -- of its fixes' times
    last  INTEGER NOT NULL,
    data  BLOB    NOT NULL,
    CHECK (first <= last)
) STRICT;

-- Reports that are no fix of a track.
CREATE TABLE quarantine (
    id       INTEGER NOT NULL PRIMARY KEY,
    unit     INTEGER REFERENCES unit,
    device   TEXT    NOT NULL,
    source   INTEGER NOT NULL,
    at       INTEGER, -- by the device's clock
    received INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    detail   TEXT    NOT NULL,
    raw      BLOB    NOT NULL,
    fix      BLOB -- when it could be read as one
) STRICT;
CREATE INDEX quarantine_unit ON quarantine (unit, at);
CREATE INDEX quarantine_received ON quarantine (received);

-- How many were refused on a day in Shanghai, of which the rows above may be a
-- part. Unit 0 is none that is known.
CREATE TABLE quarantine_count (
    day    INTEGER NOT NULL, -- 20260131
    unit   INTEGER NOT NULL,
    device TEXT NOT NULL,
    reason TEXT NOT NULL,
    n      INTEGER NOT NULL,
    PRIMARY KEY (day, unit, device, reason)
) STRICT, WITHOUT ROWID;

-- What happened to units. Grid 0 is none. A correction retracts an event and
-- enters others.
CREATE TABLE event (
    id         INTEGER NOT NULL PRIMARY KEY,
    unit       INTEGER NOT NULL REFERENCES unit,
    kind       TEXT    NOT NULL CHECK (kind IN ('crossed', 'silent', 'back', 'sos', 'datum')),
    at         INTEGER NOT NULL,
    recorded   INTEGER NOT NULL,
    from_grid  INTEGER NOT NULL,
    to_grid    INTEGER NOT NULL,
    generation INTEGER NOT NULL, -- by whose borders; 0 is none
    rule       TEXT    NOT NULL,
    evidence   TEXT    NOT NULL CHECK (json_valid(evidence)),
    corrects   INTEGER REFERENCES event,
    retracted  INTEGER
) STRICT;
CREATE INDEX event_at ON event (at);
CREATE INDEX event_unit ON event (unit, at);
-- What two processes find at once is entered once.
CREATE UNIQUE INDEX event_once ON event (unit, kind, at) WHERE retracted IS NULL;

-- +goose StatementBegin
CREATE TRIGGER event_change BEFORE UPDATE ON event
WHEN OLD.retracted IS NOT NULL OR NEW.retracted IS NULL
  OR (NEW.id, NEW.unit, NEW.kind, NEW.at, NEW.recorded, NEW.from_grid, NEW.to_grid, NEW.generation, NEW.rule, NEW.evidence)
     <> (OLD.id, OLD.unit, OLD.kind, OLD.at, OLD.recorded, OLD.from_grid, OLD.to_grid, OLD.generation, OLD.rule, OLD.evidence)
  OR NEW.corrects IS NOT OLD.corrects
BEGIN
    SELECT RAISE(ABORT, 'events are history');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are history'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER unit_delete BEFORE DELETE ON unit BEGIN SELECT RAISE(ABORT, 'units are retired, not deleted'); END;
-- +goose StatementEnd
