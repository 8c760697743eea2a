-- +goose Up

-- What somebody looks for again and again: a query of a queue, by a name of his
-- own.
CREATE TABLE saved_filter (
    login text   NOT NULL REFERENCES account,
    name  text   NOT NULL,
    query text   NOT NULL,
    saved bigint NOT NULL,
    PRIMARY KEY (login, name)
);
