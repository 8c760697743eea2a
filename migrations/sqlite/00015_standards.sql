-- +goose Up

-- The whole register of standards as CSV; the last one counts. Where there is
-- none, that of the program does.
CREATE TABLE standards (
    number   INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    versions TEXT    NOT NULL,
    recorded INTEGER NOT NULL
) STRICT;
