-- +goose Up

-- What a district sets for its casework. Every change counts up the ledger
-- 'casework'.
CREATE TABLE catalogue (
    number      INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    in_force    INTEGER, -- NULL is from the beginning
    hash        TEXT    NOT NULL CHECK (length(hash) = 64),
    departments TEXT    NOT NULL, -- the two tables, as CSV
    items       TEXT    NOT NULL,
    recorded    INTEGER NOT NULL
) STRICT;

-- The whole table of days as CSV; the last one counts.
CREATE TABLE calendar (
    number   INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    days     TEXT    NOT NULL,
    recorded INTEGER NOT NULL
) STRICT;

-- Turns of the switch between normal work and emergency.
CREATE TABLE mode_change (
    at        INTEGER NOT NULL PRIMARY KEY,
    emergency INTEGER NOT NULL CHECK (emergency IN (0, 1)),
    who       TEXT    NOT NULL,
    reason    TEXT    NOT NULL
) STRICT;

-- A case as it is searched for and counted: what it is follows from its
-- history. Every change counts up the ledger 'cases', whose number it keeps.
CREATE TABLE case_file (
    id           INTEGER NOT NULL PRIMARY KEY CHECK (id > 0),
    change       INTEGER NOT NULL,
    seq          INTEGER NOT NULL CHECK (seq > 0), -- of the last entry
    state        TEXT    NOT NULL,
    overlays     INTEGER NOT NULL, -- bits
    is_open      INTEGER NOT NULL CHECK (is_open IN (0, 1)),
    next_due     INTEGER NOT NULL, -- 2^63 - 1 when no clock runs
    channel      TEXT    NOT NULL,
    item         TEXT    NOT NULL, -- code; empty when it is not known
    street       TEXT    NOT NULL, -- code of where it lies; empty when that is not known
    grid         TEXT    NOT NULL, -- code
    centre       TEXT    NOT NULL, -- street whose centre has it; empty is the district's
    lead         TEXT    NOT NULL, -- code of the department; empty before dispatch
    captured     INTEGER NOT NULL,
    received     INTEGER NOT NULL,
    lon_e7       INTEGER, -- 1e-7 degree
    lat_e7       INTEGER,
    order_number TEXT,    -- of the 12345 hotline
    facts        BLOB    NOT NULL, -- what figures are made of
    CHECK ((lon_e7 IS NULL) = (lat_e7 IS NULL))
) STRICT;
CREATE INDEX case_file_change ON case_file (change);
CREATE INDEX case_file_near ON case_file (item, lat_e7);
CREATE INDEX case_file_street ON case_file (street, id);
CREATE UNIQUE INDEX case_file_order ON case_file (order_number) WHERE order_number IS NOT NULL;
CREATE INDEX case_file_due ON case_file (next_due, id) WHERE is_open = 1;
CREATE INDEX case_file_due_street ON case_file (street, next_due, id) WHERE is_open = 1;
CREATE INDEX case_file_due_grid ON case_file (grid, next_due, id) WHERE is_open = 1;
CREATE INDEX case_file_due_lead ON case_file (lead, next_due, id) WHERE is_open = 1;

-- Histories: the entries from seq on, as compressed JSON.
CREATE TABLE case_history (
    case_id INTEGER NOT NULL REFERENCES case_file,
    seq     INTEGER NOT NULL CHECK (seq > 0), -- of the first
    entries BLOB    NOT NULL,
    PRIMARY KEY (case_id, seq)
) STRICT, WITHOUT ROWID;

-- Who reported a case: read by those who deal with it, and every look is
-- entered in the audit chain.
CREATE TABLE case_reporter (
    case_id INTEGER NOT NULL PRIMARY KEY REFERENCES case_file,
    name    TEXT    NOT NULL,
    contact TEXT    NOT NULL
) STRICT;

-- Rulings by coordination, from which the next dispatch is made.
CREATE TABLE precedent (
    case_id INTEGER NOT NULL REFERENCES case_file,
    ruled   INTEGER NOT NULL,
    item    TEXT    NOT NULL,
    lon     REAL    NOT NULL,
    lat     REAL    NOT NULL,
    lead         TEXT NOT NULL,
    lead_name    TEXT NOT NULL,
    who          TEXT NOT NULL,
    PRIMARY KEY (case_id, ruled)
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER case_history_change BEFORE UPDATE ON case_history BEGIN SELECT RAISE(ABORT, 'histories are appended to'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER case_history_delete BEFORE DELETE ON case_history BEGIN SELECT RAISE(ABORT, 'histories are appended to'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER case_file_delete BEFORE DELETE ON case_file BEGIN SELECT RAISE(ABORT, 'cases are made void, not deleted'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER catalogue_change BEFORE UPDATE ON catalogue BEGIN SELECT RAISE(ABORT, 'versions are history'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER catalogue_delete BEFORE DELETE ON catalogue BEGIN SELECT RAISE(ABORT, 'versions are history'); END;
-- +goose StatementEnd
