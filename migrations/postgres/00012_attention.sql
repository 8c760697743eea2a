-- +goose Up

-- Who has taken on what needed somebody. A matter's name holds when it began,
-- so that what comes up anew is another.
CREATE TABLE attention_seen (
    matter  text   NOT NULL PRIMARY KEY CHECK (matter <> ''),
    who     text   NOT NULL,
    seen_at bigint NOT NULL -- Unix ms
);
CREATE INDEX attention_seen_at ON attention_seen (seen_at);
