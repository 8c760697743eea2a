-- +goose Up

-- What cases that were handed over by another system are called there.
CREATE TABLE case_source (
    case_id bigint NOT NULL PRIMARY KEY REFERENCES case_file,
    source  text   NOT NULL CHECK (source <> ''),
    number  text   NOT NULL CHECK (number <> ''),
    UNIQUE (source, number)
);
