-- +goose Up

-- The whole register of standards as CSV; the last one counts. Where there is
-- none, that of the program does.
CREATE TABLE standards (
    number   bigint NOT NULL PRIMARY KEY CHECK (number > 0),
    versions text   NOT NULL,
    recorded bigint NOT NULL
);
