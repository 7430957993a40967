-- What people want to know of persons, service accounts, groups and posts. Whether they exist, are active and
-- belong together is the kernel's; nothing here decides anything.
CREATE TABLE directory_person (
    person TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, name TEXT NOT NULL, full_name TEXT NOT NULL,
    email TEXT NOT NULL, state TEXT NOT NULL, created BIGINT NOT NULL
);
CREATE UNIQUE INDEX directory_person_name ON directory_person (tenant, name);

CREATE TABLE directory_service (
    service TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, name TEXT NOT NULL, owner TEXT NOT NULL,
    purpose TEXT NOT NULL, state TEXT NOT NULL, created BIGINT NOT NULL
);
CREATE UNIQUE INDEX directory_service_name ON directory_service (tenant, name);

CREATE TABLE directory_group (
    grp TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, name TEXT NOT NULL, purpose TEXT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX directory_group_name ON directory_group (tenant, name);

CREATE TABLE directory_member (
    grp TEXT NOT NULL, member TEXT NOT NULL, tenant TEXT NOT NULL, node_id TEXT NOT NULL, since BIGINT NOT NULL,
    PRIMARY KEY (grp, member)
);

CREATE TABLE directory_post (
    post TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, title TEXT NOT NULL, level TEXT NOT NULL,
    person TEXT, grant_id TEXT, created BIGINT NOT NULL
);

CREATE TABLE directory_node_history (
    tenant TEXT NOT NULL, node_id TEXT NOT NULL, at BIGINT NOT NULL, place BIGINT NOT NULL, what TEXT NOT NULL,
    before TEXT NOT NULL, after TEXT NOT NULL, actor TEXT NOT NULL, PRIMARY KEY (node_id, at, place)
);
