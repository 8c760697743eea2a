-- +goose Up

-- Who has taken on what needed somebody. A matter's name holds when it began,
-- so that what comes up anew is another.
CREATE TABLE attention_seen (
    matter  TEXT    NOT NULL PRIMARY KEY CHECK (matter <> ''),
    who     TEXT    NOT NULL,
    seen_at INTEGER NOT NULL -- Unix ms
) STRICT;
CREATE INDEX attention_seen_at ON attention_seen (seen_at);
