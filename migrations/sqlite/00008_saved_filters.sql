-- +goose Up

-- What somebody looks for again and again: a query of a queue, by a name of his
-- own.
CREATE TABLE saved_filter (
    login TEXT    NOT NULL REFERENCES account,
    name  TEXT    NOT NULL,
    query TEXT    NOT NULL,
    saved INTEGER NOT NULL,
    PRIMARY KEY (login, name)
) STRICT, WITHOUT ROWID;
