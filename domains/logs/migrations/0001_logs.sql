-- Sources of logs, and what was heard from them up to the last time that events were kept.
CREATE TABLE logs_source (
    source_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, name TEXT NOT NULL, stream TEXT NOT NULL,
    purpose TEXT NOT NULL, rate BIGINT, silence BIGINT, state TEXT NOT NULL, created BIGINT NOT NULL,
    events BIGINT NOT NULL, bytes BIGINT NOT NULL, last_seen BIGINT, skew BIGINT
);
CREATE UNIQUE INDEX logs_source_name ON logs_source (tenant, name);

-- The files of the lake. A file that is not here does not exist.
CREATE TABLE logs_file (
    file TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, stream TEXT NOT NULL, hour BIGINT NOT NULL,
    sorted BIGINT NOT NULL, events BIGINT NOT NULL, bytes BIGINT NOT NULL, first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL, nodes TEXT NOT NULL, digest TEXT NOT NULL
);
CREATE INDEX logs_file_tenant ON logs_file (tenant, hour);

-- Up to which number of the log a tenant's events are in files.
CREATE TABLE logs_position (tenant TEXT PRIMARY KEY, seq BIGINT NOT NULL);

CREATE TABLE logs_search (
    search_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, name TEXT NOT NULL, query TEXT NOT NULL,
    owner TEXT NOT NULL, created BIGINT NOT NULL
);
CREATE UNIQUE INDEX logs_search_name ON logs_search (tenant, name);
