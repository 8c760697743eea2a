-- +goose Up

-- Inspections as they are searched for: what they are follows from their
-- entries.
CREATE TABLE inspection (
    id         INTEGER NOT NULL PRIMARY KEY CHECK (id > 0),
    seq        INTEGER NOT NULL CHECK (seq > 0), -- of the last entry
    state      TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    street     TEXT    NOT NULL, -- code of the scope's; empty is the whole district
    grid       TEXT    NOT NULL, -- code of the scope's; empty is all
    inspectors TEXT    NOT NULL, -- logins, each between commas; empty is any
    head       TEXT    NOT NULL  -- as a list shows it, JSON
) STRICT;

-- What was drawn, with the outcome of the result that stands.
CREATE TABLE inspection_item (
    inspection_id INTEGER NOT NULL REFERENCES inspection,
    number        INTEGER NOT NULL CHECK (number > 0),
    case_id       INTEGER REFERENCES case_file, -- NULL is a place
    street        TEXT    NOT NULL,
    grid          TEXT    NOT NULL,
    department    TEXT    NOT NULL, -- that leads the case
    outcome       TEXT    NOT NULL CHECK (outcome IN ('', 'pass', 'finding')),
    PRIMARY KEY (inspection_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX inspection_item_case ON inspection_item (case_id) WHERE case_id IS NOT NULL;

-- Everything that was done, one compressed JSON each.
CREATE TABLE inspection_entry (
    inspection_id INTEGER NOT NULL REFERENCES inspection,
    seq           INTEGER NOT NULL CHECK (seq > 0),
    entry         BLOB    NOT NULL,
    PRIMARY KEY (inspection_id, seq)
) STRICT, WITHOUT ROWID;

-- Photos that an inspector took where nothing followed: they are no case's.
ALTER TABLE evidence_file ADD COLUMN inspection_id INTEGER REFERENCES inspection;

CREATE INDEX case_file_received ON case_file (received);
CREATE INDEX case_file_watched ON case_file (id) WHERE overlays & 2048 <> 0; -- on the watch list

-- +goose StatementBegin
CREATE TRIGGER inspection_entry_change BEFORE UPDATE ON inspection_entry BEGIN SELECT RAISE(ABORT, 'inspections are appended to'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER inspection_entry_delete BEFORE DELETE ON inspection_entry BEGIN SELECT RAISE(ABORT, 'inspections are appended to'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER inspection_item_delete BEFORE DELETE ON inspection_item BEGIN SELECT RAISE(ABORT, 'a sample stays as it was drawn'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER inspection_delete BEFORE DELETE ON inspection BEGIN SELECT RAISE(ABORT, 'inspections are not deleted'); END;
-- +goose StatementEnd
