-- +goose Up

-- The program's own keys, by what they are for, made when they are first
-- needed and the same for every process and for good.
CREATE TABLE own_key (
    name    TEXT   NOT NULL PRIMARY KEY CHECK (name <> ''),
    key     BYTEA  NOT NULL,
    created BIGINT NOT NULL
);

