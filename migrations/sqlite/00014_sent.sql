-- +goose Up

-- What was sent to cases, by the keys of those who sent it: what is sent again,
-- because no answer came, is known by it.
CREATE TABLE case_sent (
    key     TEXT    NOT NULL PRIMARY KEY CHECK (length(key) = 64), -- hexadecimal
    case_id INTEGER NOT NULL REFERENCES case_file
) STRICT, WITHOUT ROWID;
