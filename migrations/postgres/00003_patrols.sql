-- +goose Up

-- Who patrols. Every change counts up the ledger 'roll'.
CREATE TABLE team (
    code   text NOT NULL PRIMARY KEY CHECK (code <> ''),
    name   text NOT NULL,
    street text NOT NULL -- code
);

CREATE TABLE unit (
    id      bigint NOT NULL PRIMARY KEY CHECK (id > 0 AND id < 2147483648),
    code    text   NOT NULL UNIQUE CHECK (code <> ''),
    name    text   NOT NULL, -- a person's
    kind    text   NOT NULL CHECK (kind IN ('grid-patrol', 'mobile-patrol', 'vehicle')),
    team    text   REFERENCES team,
    street  text   NOT NULL, -- code
    duty    text   NOT NULL CHECK (duty IN ('roster', 'always')),
    retired bigint
);

-- The grids that a unit is assigned to.
CREATE TABLE unit_grid (
    unit bigint NOT NULL REFERENCES unit,
    grid bigint NOT NULL CHECK (grid > 0 AND grid < 16777216),
    PRIMARY KEY (unit, grid)
);

CREATE TABLE device (
    id        text   NOT NULL PRIMARY KEY REFERENCES token,
    unit      bigint REFERENCES unit, -- NULL is a gateway's
    datum     text   NOT NULL CHECK (datum IN ('wgs84', 'gcj02', 'bd09')),
    speed_mps bigint NOT NULL CHECK (speed_mps IN (0, 1)),
    terminal  text   UNIQUE CHECK (terminal <> '') -- of JT/T 808
);

-- A unit is on duty in [starts, ends).
CREATE TABLE shift (
    unit   bigint NOT NULL REFERENCES unit,
    starts bigint NOT NULL,
    ends   bigint NOT NULL,
    post   text   NOT NULL CHECK (post IN ('patrol', 'emergency')),
    PRIMARY KEY (unit, starts, post),
    CHECK (starts < ends)
);
CREATE INDEX shift_ends ON shift (ends);

-- The log of what devices sent: one row for each commit, which holds several
-- senders' entries, each after its length. The last row always stays, so that
-- numbers go on.
CREATE TABLE fix_log (
    seq  bigint NOT NULL PRIMARY KEY CHECK (seq > 0),
    data bytea  NOT NULL
);
ALTER TABLE fix_log ALTER COLUMN data SET STORAGE EXTERNAL; -- it hardly compresses
-- Rows come and go at one end each: whoever asks for the first must not wade
-- through those that went.
ALTER TABLE fix_log SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 50000);

-- How far the log was applied to all that follows.
CREATE TABLE fix_applied (
    log text   NOT NULL PRIMARY KEY CHECK (log = 'fixes'),
    seq bigint NOT NULL
) WITH (fillfactor = 10);

-- The tracker's state after entry seq of the log.
CREATE TABLE fix_checkpoint (
    log   text   NOT NULL PRIMARY KEY CHECK (log = 'fixes'),
    seq   bigint NOT NULL,
    state bytea  NOT NULL
);
ALTER TABLE fix_checkpoint ALTER COLUMN state SET STORAGE EXTERNAL;

-- Tracks: one partition fix_YYYYMMDD for each day in Shanghai, made when it is
-- needed and dropped when it expires. The primary key serves one unit's track,
-- the block ranges all units' in a while. Day by day, when it is over, pos gets
-- its GiST index.
CREATE TABLE fix (
    unit        integer  NOT NULL,
    at          bigint   NOT NULL, -- by the device's clock
    received    bigint   NOT NULL, -- by ours
    lon_e7      integer  NOT NULL, -- 1e-7 degree
    lat_e7      integer  NOT NULL,
    accuracy_m  real     NOT NULL, -- 0 is unknown
    speed_mps   real     NOT NULL, -- negative is unknown
    heading_deg real     NOT NULL, -- negative is unknown
    altitude_m  real     NOT NULL, -- 0 is unknown
    battery_pct smallint NOT NULL, -- negative is unknown
    flags       smallint NOT NULL, -- 1 charging, 2 mocked, 4 SOS
    source      smallint NOT NULL,
    pos         geometry(Point, 4326) GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(lon_e7 / 1e7::double precision, lat_e7 / 1e7::double precision), 4326)) STORED,
    PRIMARY KEY (unit, at)
) PARTITION BY RANGE (at);
CREATE INDEX fix_at ON fix USING brin (at) WITH (pages_per_range = 32, autosummarize = on);

-- Reports that are no fix of a track.
CREATE TABLE quarantine (
    id       bigint NOT NULL PRIMARY KEY,
    unit     bigint REFERENCES unit,
    device   text   NOT NULL,
    source   bigint NOT NULL,
    at       bigint, -- by the device's clock
    received bigint NOT NULL,
    reason   text   NOT NULL,
    detail   text   NOT NULL,
    raw      bytea  NOT NULL,
    fix      bytea -- when it could be read as one
);
CREATE INDEX quarantine_unit ON quarantine (unit, at);
CREATE INDEX quarantine_received ON quarantine (received);

-- How many were refused on a day in Shanghai, of which the rows above may be a
-- part. Unit 0 is none that is known.
CREATE TABLE quarantine_count (
    day    bigint NOT NULL, -- 20260131
    unit   bigint NOT NULL,
    device text NOT NULL,
    reason text NOT NULL,
    n      bigint NOT NULL,
    PRIMARY KEY (day, unit, device, reason)
);

-- What happened to units. Grid 0 is none. A correction retracts an event and
-- enters others.
CREATE TABLE event (
    id         bigint NOT NULL PRIMARY KEY,
    unit       bigint NOT NULL REFERENCES unit,
    kind       text   NOT NULL CHECK (kind IN ('crossed', 'silent', 'back', 'sos', 'datum')),
    at         bigint NOT NULL,
    recorded   bigint NOT NULL,
    from_grid  bigint NOT NULL,
    to_grid    bigint NOT NULL,
    generation bigint NOT NULL, -- by whose borders; 0 is none
    rule       text   NOT NULL,
    evidence   text   NOT NULL CHECK (evidence::json IS NOT NULL),
    corrects   bigint REFERENCES event,
    retracted  bigint
);
CREATE INDEX event_at ON event (at);
CREATE INDEX event_unit ON event (unit, at);
-- What two processes find at once is entered once.
CREATE UNIQUE INDEX event_once ON event (unit, kind, at) WHERE retracted IS NULL;

-- +goose StatementBegin
CREATE FUNCTION keep_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.retracted IS NOT NULL OR NEW.retracted IS NULL
       OR (NEW.id, NEW.unit, NEW.kind, NEW.at, NEW.recorded, NEW.from_grid, NEW.to_grid, NEW.generation, NEW.rule, NEW.evidence, NEW.corrects)
          IS DISTINCT FROM
          (OLD.id, OLD.unit, OLD.kind, OLD.at, OLD.recorded, OLD.from_grid, OLD.to_grid, OLD.generation, OLD.rule, OLD.evidence, OLD.corrects) THEN
        RAISE EXCEPTION 'event is history' USING ERRCODE = 'LQ001';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER keep BEFORE UPDATE ON event FOR EACH ROW EXECUTE FUNCTION keep_event();
CREATE TRIGGER keep_rows BEFORE DELETE ON event FOR EACH ROW EXECUTE FUNCTION keep_history();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON event EXECUTE FUNCTION keep_history();
CREATE TRIGGER keep_rows BEFORE DELETE ON unit FOR EACH ROW EXECUTE FUNCTION keep_history();

-- For QGIS and SQL: live, read only, and without names.
CREATE VIEW last_position AS
SELECT u.id, u.code, u.kind, u.team, u.street, to_timestamp(f.at / 1000.0) AS at, f.accuracy_m,
       CASE WHEN f.speed_mps >= 0 THEN f.speed_mps END AS speed_mps, CASE WHEN f.heading_deg >= 0 THEN f.heading_deg END AS heading_deg,
       f.pos AS geom
FROM unit u
CROSS JOIN LATERAL (
    SELECT * FROM fix
    WHERE fix.unit = u.id::integer AND fix.at > (extract(epoch FROM now()) * 1000)::bigint - 86400000
    ORDER BY fix.at DESC LIMIT 1) f
WHERE (u.retired IS NULL OR u.retired > extract(epoch FROM now()) * 1000)
  AND (u.duty = 'always' OR EXISTS (
    SELECT 1 FROM shift s
    WHERE s.unit = u.id AND s.starts <= extract(epoch FROM now()) * 1000 AND s.ends > extract(epoch FROM now()) * 1000));

CREATE VIEW grid_event AS
SELECT e.id, u.code AS unit, u.street, e.kind, to_timestamp(e.at / 1000.0) AS at, to_timestamp(e.recorded / 1000.0) AS recorded,
       nullif(e.from_grid, 0) AS from_grid, nullif(e.to_grid, 0) AS to_grid, nullif(e.generation, 0) AS generation, e.rule, e.corrects
FROM event e
JOIN unit u ON u.id = e.unit
WHERE e.retracted IS NULL;
