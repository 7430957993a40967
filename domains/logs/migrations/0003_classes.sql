-- What a key is for, `security` or `customer`: keys of security records are never destroyed.
ALTER TABLE logs_key ADD COLUMN class TEXT NOT NULL DEFAULT 'security';

-- Streams that were classified, and from which day on it counts (in days since 1970). All others hold security records.
CREATE TABLE logs_stream (
    tenant TEXT NOT NULL, node_id TEXT NOT NULL, stream TEXT NOT NULL, class TEXT NOT NULL, from_day BIGINT NOT NULL,
    PRIMARY KEY (tenant, stream)
);

-- What was asked of the tenant's keys: a rotation, or with days a destruction, whose certificate the row is.
CREATE TABLE logs_key_change (
    change_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, class TEXT NOT NULL, stream TEXT,
    from_day BIGINT, to_day BIGINT, reason TEXT, asked_by TEXT NOT NULL, asked BIGINT NOT NULL, days BIGINT NOT NULL,
    files BIGINT NOT NULL, events BIGINT NOT NULL, bytes BIGINT NOT NULL, state TEXT NOT NULL, version BIGINT,
    settled BIGINT, destroyed TEXT
);
CREATE INDEX logs_key_change_tenant ON logs_key_change (tenant, change_id);
