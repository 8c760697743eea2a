-- +goose Up

-- What a district sets for its casework. Every change counts up the ledger
-- 'casework'.
CREATE TABLE catalogue (
    number      bigint NOT NULL PRIMARY KEY CHECK (number > 0),
    in_force    bigint, -- NULL is from the beginning
    hash        text    NOT NULL CHECK (length(hash) = 64),
    departments text    NOT NULL, -- the two tables, as CSV
    items       text    NOT NULL,
    recorded    bigint NOT NULL
);

-- The whole table of days as CSV; the last one counts.
CREATE TABLE calendar (
    number   bigint NOT NULL PRIMARY KEY CHECK (number > 0),
    days     text    NOT NULL,
    recorded bigint NOT NULL
);

-- Turns of the switch between normal work and emergency.
CREATE TABLE mode_change (
    at        bigint NOT NULL PRIMARY KEY,
    emergency bigint NOT NULL CHECK (emergency IN (0, 1)),
    who       text    NOT NULL,
    reason    text    NOT NULL
);

-- A case as it is searched for and counted: what it is follows from its
-- history. Every change counts up the ledger 'cases', whose number it keeps.
CREATE TABLE case_file (
    id           bigint NOT NULL PRIMARY KEY CHECK (id > 0),
    change       bigint NOT NULL,
    seq          bigint NOT NULL CHECK (seq > 0), -- of the last entry
    state        text    NOT NULL,
    overlays     bigint NOT NULL, -- bits
    is_open      bigint NOT NULL CHECK (is_open IN (0, 1)),
    next_due     bigint NOT NULL, -- 2^63 - 1 when no clock runs
    channel      text    NOT NULL,
    item         text    NOT NULL, -- code; empty when it is not known
    street       text    NOT NULL, -- code of where it lies; empty when that is not known
    grid         text    NOT NULL, -- code
    centre       text    NOT NULL, -- street whose centre has it; empty is the district's
    lead         text    NOT NULL, -- code of the department; empty before dispatch
    captured     bigint NOT NULL,
    received     bigint NOT NULL,
    lon_e7       bigint, -- 1e-7 degree
    lat_e7       bigint,
    order_number text,    -- of the 12345 hotline
    facts        bytea    NOT NULL, -- what figures are made of
    pos          geometry(Point, 4326) GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(lon_e7 / 1e7::double precision, lat_e7 / 1e7::double precision), 4326)) STORED,
    CHECK ((lon_e7 IS NULL) = (lat_e7 IS NULL))
);
CREATE INDEX case_file_pos ON case_file USING gist (pos);
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
    case_id bigint NOT NULL REFERENCES case_file,
    seq     bigint NOT NULL CHECK (seq > 0), -- of the first
    entries bytea    NOT NULL,
    PRIMARY KEY (case_id, seq)
);

ALTER TABLE case_history ALTER COLUMN entries SET STORAGE EXTERNAL; -- they are compressed

-- Who reported a case: read by those who deal with it, and every look is
-- entered in the audit chain.
CREATE TABLE case_reporter (
    case_id bigint NOT NULL PRIMARY KEY REFERENCES case_file,
    name    text    NOT NULL,
    contact text    NOT NULL
);

-- Rulings by coordination, from which the next dispatch is made.
CREATE TABLE precedent (
    case_id bigint NOT NULL REFERENCES case_file,
    ruled   bigint NOT NULL,
    item    text    NOT NULL,
    lon     double precision    NOT NULL,
    lat     double precision    NOT NULL,
    lead         text NOT NULL,
    lead_name    text NOT NULL,
    who          text NOT NULL,
    PRIMARY KEY (case_id, ruled)
);

CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON case_history FOR EACH ROW EXECUTE FUNCTION keep_history();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON case_history EXECUTE FUNCTION keep_history();
CREATE TRIGGER keep_rows BEFORE DELETE ON case_file FOR EACH ROW EXECUTE FUNCTION keep_history();
CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON catalogue FOR EACH ROW EXECUTE FUNCTION keep_history();
