-- +goose Up

-- Inspections as they are searched for: what they are follows from their
-- entries.
CREATE TABLE inspection (
    id         bigint  NOT NULL PRIMARY KEY CHECK (id > 0),
    seq        bigint  NOT NULL CHECK (seq > 0), -- of the last entry
    state      text    NOT NULL,
    kind       text    NOT NULL,
    street     text    NOT NULL, -- code of the scope's; empty is the whole district
    grid       text    NOT NULL, -- code of the scope's; empty is all
    inspectors text    NOT NULL, -- logins, each between commas; empty is any
    head       text    NOT NULL  -- as a list shows it, JSON
);

-- What was drawn, with the outcome of the result that stands.
CREATE TABLE inspection_item (
    inspection_id bigint  NOT NULL REFERENCES inspection,
    number        bigint  NOT NULL CHECK (number > 0),
    case_id       bigint  REFERENCES case_file, -- NULL is a place
    street        text    NOT NULL,
    grid          text    NOT NULL,
    department    text    NOT NULL, -- that leads the case
    outcome       text    NOT NULL CHECK (outcome IN ('', 'pass', 'finding')),
    PRIMARY KEY (inspection_id, number)
);
CREATE INDEX inspection_item_case ON inspection_item (case_id) WHERE case_id IS NOT NULL;

-- Everything that was done, one compressed JSON each.
CREATE TABLE inspection_entry (
    inspection_id bigint  NOT NULL REFERENCES inspection,
    seq           bigint  NOT NULL CHECK (seq > 0),
    entry         bytea   NOT NULL,
    PRIMARY KEY (inspection_id, seq)
);

-- Photos that an inspector took where nothing followed: they are no case's.
ALTER TABLE evidence_file ADD COLUMN inspection_id bigint REFERENCES inspection;

CREATE INDEX case_file_received ON case_file (received);
CREATE INDEX case_file_watched ON case_file (id) WHERE overlays & 2048 <> 0; -- on the watch list

CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON inspection_entry FOR EACH ROW EXECUTE FUNCTION keep_history();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON inspection_entry EXECUTE FUNCTION keep_history();
CREATE TRIGGER keep_rows BEFORE DELETE ON inspection_item FOR EACH ROW EXECUTE FUNCTION keep_history();
CREATE TRIGGER keep_rows BEFORE DELETE ON inspection FOR EACH ROW EXECUTE FUNCTION keep_history();
