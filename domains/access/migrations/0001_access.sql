-- Credentials, logins, sessions, tokens. Every row that opens a door carries a MAC; secrets are stored as MACs
-- (to be recognised) or sealed (to be used), never as they are.
CREATE TABLE access_credential (
    person TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, password TEXT NOT NULL, totp BLOB NOT NULL,
    totp_step BIGINT NOT NULL, recovery TEXT NOT NULL, changed BIGINT NOT NULL, mac BLOB NOT NULL
);

CREATE TABLE access_invitation (
    invitation TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, person TEXT, tag BLOB NOT NULL,
    expires BIGINT NOT NULL, state TEXT NOT NULL, mac BLOB NOT NULL
);

CREATE TABLE access_login (
    login TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, tag BLOB NOT NULL, person TEXT,
    claimed TEXT NOT NULL, invitation TEXT, kind TEXT NOT NULL, source TEXT NOT NULL, stage TEXT NOT NULL,
    expires BIGINT NOT NULL, mac BLOB NOT NULL
);
CREATE INDEX access_login_expires ON access_login (expires);

CREATE TABLE access_lock (
    lock_key TEXT NOT NULL, tenant TEXT NOT NULL, node_id TEXT NOT NULL, failures BIGINT NOT NULL,
    locked_until BIGINT NOT NULL, last_failure BIGINT NOT NULL, PRIMARY KEY (tenant, lock_key)
);

CREATE TABLE access_session (
    session TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, person TEXT NOT NULL, kind TEXT NOT NULL,
    tag BLOB NOT NULL, tag_before BLOB NOT NULL, renewed BIGINT NOT NULL, idle_until BIGINT NOT NULL,
    absolute_until BIGINT NOT NULL, created BIGINT NOT NULL, address TEXT NOT NULL, agent TEXT NOT NULL,
    state TEXT NOT NULL, mac BLOB NOT NULL
);
CREATE INDEX access_session_person ON access_session (person);

CREATE TABLE access_token (
    token TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, actor TEXT NOT NULL, name TEXT NOT NULL,
    verbs TEXT NOT NULL, limit_node TEXT NOT NULL, tag BLOB NOT NULL, created BIGINT NOT NULL, expires BIGINT NOT NULL,
    state TEXT NOT NULL, mac BLOB NOT NULL
);
CREATE INDEX access_token_actor ON access_token (actor);
