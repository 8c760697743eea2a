-- +goose Up

-- People. Login is theirs for good; subject is their identity with an OpenID
-- Connect provider.
CREATE TABLE account (
    login         TEXT    NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL,
    role          TEXT    NOT NULL,
    level         TEXT    NOT NULL CHECK (level IN ('district', 'street', 'village', 'department')),
    place         TEXT    NOT NULL, -- code at that level; empty for the district
    subject       TEXT    UNIQUE,
    disabled      INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    password_hash TEXT    NOT NULL,
    created       INTEGER NOT NULL,
    changed       INTEGER NOT NULL
) STRICT;

-- Secrets that were given out: sessions, devices, share links. Only the hash of
-- a secret is here.
CREATE TABLE token (
    id           TEXT    NOT NULL PRIMARY KEY,
    hash         TEXT    NOT NULL UNIQUE CHECK (length(hash) = 64),
    kind         TEXT    NOT NULL CHECK (kind IN ('session', 'device', 'link')),
    name         TEXT    NOT NULL,
    login        TEXT    REFERENCES account, -- of a session
    role         TEXT    NOT NULL,
    level        TEXT    NOT NULL CHECK (level IN ('district', 'street', 'village', 'department')),
    place        TEXT    NOT NULL,
    created      INTEGER NOT NULL,
    created_by   TEXT    NOT NULL,
    expires      INTEGER NOT NULL,
    last_seen    INTEGER NOT NULL,
    last_address TEXT    NOT NULL,
    revoked      INTEGER,
    CHECK ((kind = 'session') = (login IS NOT NULL))
) STRICT;
CREATE INDEX token_kind ON token (kind, created);
CREATE INDEX token_login ON token (login) WHERE login IS NOT NULL;

-- The audit chain: each row's hash covers the hash before it.
CREATE TABLE audit (
    seq     INTEGER NOT NULL PRIMARY KEY CHECK (seq > 0),
    prev    TEXT    NOT NULL,
    hash    TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    who     TEXT    NOT NULL,
    role    TEXT    NOT NULL,
    address TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    before  TEXT    NOT NULL, -- JSON, or empty
    after   TEXT    NOT NULL
) STRICT;

-- The chain's end, apart from its rows, so that a row missing at the end is
-- missed as well.
CREATE TABLE audit_head (
    chain TEXT    NOT NULL PRIMARY KEY CHECK (chain = 'audit'),
    seq   INTEGER NOT NULL,
    hash  TEXT    NOT NULL
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER audit_change BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit chain is history'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit chain is history'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER account_delete BEFORE DELETE ON account BEGIN SELECT RAISE(ABORT, 'accounts are disabled, not deleted'); END;
-- +goose StatementEnd
