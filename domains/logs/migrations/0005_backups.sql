-- Backups that were made, and which versions of the tenant's keys each of them has (JSON).
CREATE TABLE logs_backup (
    tenant TEXT NOT NULL, backup_id TEXT NOT NULL, node_id TEXT NOT NULL, made BIGINT NOT NULL, expires BIGINT NOT NULL,
    place TEXT NOT NULL, records BIGINT NOT NULL, held TEXT NOT NULL, forgotten BIGINT, PRIMARY KEY (tenant, backup_id)
);
