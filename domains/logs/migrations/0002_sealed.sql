-- Whether a file is sealed: those of older versions are not, until their day is joined.
ALTER TABLE logs_file ADD COLUMN sealed BIGINT NOT NULL DEFAULT 0;

-- The keys of sealed files, wrapped by a version of the tenant's key. The day is in days since 1970.
CREATE TABLE logs_key (
    tenant TEXT NOT NULL, node_id TEXT NOT NULL, stream TEXT NOT NULL, day BIGINT NOT NULL, version BIGINT NOT NULL,
    wrapped TEXT NOT NULL, PRIMARY KEY (tenant, stream, day)
);
