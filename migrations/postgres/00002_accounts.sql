-- +goose Up

-- People. Login is theirs for good; subject is their identity with an OpenID
-- Connect provider.
CREATE TABLE account (
    login         text   NOT NULL PRIMARY KEY,
    name          text   NOT NULL,
    role          text   NOT NULL,
    level         text   NOT NULL CHECK (level IN ('district', 'street', 'village', 'department')),
    place         text   NOT NULL, -- code at that level; empty for the district
    subject       text   UNIQUE,
    disabled      bigint NOT NULL CHECK (disabled IN (0, 1)),
    password_hash text   NOT NULL,
    created       bigint NOT NULL,
    changed       bigint NOT NULL
);

-- Secrets that were given out: sessions, devices, share links. Only the hash of
-- a secret is here.
CREATE TABLE token (
    id           text   NOT NULL PRIMARY KEY,
    hash         text   NOT NULL UNIQUE CHECK (length(hash) = 64),
    kind         text   NOT NULL CHECK (kind IN ('session', 'device', 'link')),
    name         text   NOT NULL,
    login        text   REFERENCES account, -- of a session
    role         text   NOT NULL,
    level        text   NOT NULL CHECK (level IN ('district', 'street', 'village', 'department')),
    place        text   NOT NULL,
    created      bigint NOT NULL,
    created_by   text   NOT NULL,
    expires      bigint NOT NULL,
    last_seen    bigint NOT NULL,
    last_address text   NOT NULL,
    revoked      bigint,
    CHECK ((kind = 'session') = (login IS NOT NULL))
);
CREATE INDEX token_kind ON token (kind, created);
CREATE INDEX token_login ON token (login) WHERE login IS NOT NULL;

-- The audit chain: each row's hash covers the hash before it.
CREATE TABLE audit (
    seq     bigint NOT NULL PRIMARY KEY CHECK (seq > 0),
    prev    text   NOT NULL,
    hash    text   NOT NULL,
    at      bigint NOT NULL,
    who     text   NOT NULL,
    role    text   NOT NULL,
    address text   NOT NULL,
    action  text   NOT NULL,
    subject text   NOT NULL,
    before  text   NOT NULL, -- JSON, or empty
    after   text   NOT NULL
);

-- The chain's end, apart from its rows, so that a row missing at the end is
-- missed as well.
CREATE TABLE audit_head (
    chain text   NOT NULL PRIMARY KEY CHECK (chain = 'audit'),
    seq   bigint NOT NULL,
    hash  text   NOT NULL
);

CREATE TRIGGER audit_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION keep_history();
CREATE TRIGGER audit_truncate BEFORE TRUNCATE ON audit EXECUTE FUNCTION keep_history();
CREATE TRIGGER account_delete BEFORE DELETE ON account FOR EACH ROW EXECUTE FUNCTION keep_history();
