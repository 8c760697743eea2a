-- +goose Up

-- What cases that were handed over by another system are called there.
CREATE TABLE case_source (
    case_id INTEGER NOT NULL PRIMARY KEY REFERENCES case_file,
    source  TEXT    NOT NULL CHECK (source <> ''),
    number  TEXT    NOT NULL CHECK (number <> ''),
    UNIQUE (source, number)
) STRICT;
