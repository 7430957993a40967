-- What may be done is derived from the rows of tenant, actor, node, member, grants and approval_rule alone.
-- Each carries the generation of its last change and a MAC under a key that is not here; authz_head carries
-- the sum of all their MACs. A row that is written by hand does not count, and is found.

CREATE TABLE authz_head (id BIGINT PRIMARY KEY, generation BIGINT NOT NULL, total BLOB NOT NULL, seq BIGINT NOT NULL, mac BLOB NOT NULL);

CREATE TABLE tenant (
    tenant TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, root TEXT NOT NULL, created BIGINT NOT NULL,
    generation BIGINT NOT NULL, mac BLOB NOT NULL
);

CREATE TABLE actor (
    actor TEXT PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, principal TEXT NOT NULL, state TEXT NOT NULL,
    generation BIGINT NOT NULL, mac BLOB NOT NULL
);
CREATE UNIQUE INDEX actor_name ON actor (tenant, name);
CREATE INDEX actor_generation ON actor (generation);

CREATE TABLE node (
    node_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, parent TEXT, name TEXT NOT NULL, kind TEXT NOT NULL,
    production BIGINT NOT NULL, state TEXT NOT NULL, generation BIGINT NOT NULL, mac BLOB NOT NULL
);
CREATE UNIQUE INDEX node_name ON node (tenant, parent, name) WHERE state = 'live';
CREATE INDEX node_generation ON node (generation);

-- Every node with itself and all above it: derived from node.parent, for scoped reads only; never for decisions.
CREATE TABLE node_trail (
    node_id TEXT NOT NULL, ancestor TEXT NOT NULL, distance BIGINT NOT NULL, PRIMARY KEY (node_id, ancestor)
);
CREATE INDEX node_trail_below ON node_trail (ancestor, node_id);

CREATE TABLE object (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, tenant TEXT NOT NULL, node_id TEXT NOT NULL, owner TEXT,
    revision BIGINT NOT NULL, mac BLOB NOT NULL
);
CREATE INDEX object_node ON object (node_id, kind);

CREATE TABLE member (
    grp TEXT NOT NULL, member TEXT NOT NULL, tenant TEXT NOT NULL, state TEXT NOT NULL,
    generation BIGINT NOT NULL, mac BLOB NOT NULL, PRIMARY KEY (grp, member)
);
CREATE INDEX member_of ON member (member);
CREATE INDEX member_generation ON member (generation);

CREATE TABLE grants (
    grant_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, holder TEXT NOT NULL, node_id TEXT NOT NULL, role TEXT NOT NULL,
    since BIGINT NOT NULL, until BIGINT, duty TEXT NOT NULL, reason TEXT NOT NULL, state TEXT NOT NULL,
    generation BIGINT NOT NULL, mac BLOB NOT NULL
);
CREATE INDEX grants_holder ON grants (holder);
CREATE INDEX grants_node ON grants (node_id);
CREATE INDEX grants_generation ON grants (generation);

CREATE TABLE approval_rule (
    rule_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, verb TEXT NOT NULL, slots TEXT NOT NULL,
    generation BIGINT NOT NULL, mac BLOB NOT NULL
);
CREATE INDEX approval_rule_generation ON approval_rule (generation);

-- The audit log: one counter row, taken last before the commit; rows chained by hash and authenticated by MAC.
CREATE TABLE log_head (log_id TEXT PRIMARY KEY, seq BIGINT NOT NULL, hash BLOB NOT NULL, mac BLOB NOT NULL);

CREATE TABLE audit (
    log_id TEXT NOT NULL, seq BIGINT NOT NULL, tenant TEXT NOT NULL, node_id TEXT NOT NULL, received BIGINT NOT NULL,
    operation TEXT NOT NULL, actor TEXT NOT NULL, object TEXT NOT NULL, result TEXT NOT NULL, request TEXT NOT NULL,
    record BLOB NOT NULL, hash BLOB NOT NULL, mac BLOB NOT NULL, PRIMARY KEY (log_id, seq)
);
CREATE INDEX audit_tenant ON audit (tenant, seq);
CREATE INDEX audit_request ON audit (request);

CREATE TABLE outbox (
    seq BIGINT PRIMARY KEY, fact_id TEXT NOT NULL, tenant TEXT NOT NULL, kind TEXT NOT NULL, version BIGINT NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE consumer (name TEXT PRIMARY KEY, seq BIGINT NOT NULL);

CREATE TABLE due (
    due_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, kind TEXT NOT NULL, object TEXT NOT NULL, due_at BIGINT NOT NULL,
    leased_until BIGINT NOT NULL, attempts BIGINT NOT NULL
);
CREATE INDEX due_next ON due (due_at);

CREATE TABLE idempotency (
    tenant TEXT NOT NULL, actor TEXT NOT NULL, idempotency_key TEXT NOT NULL, digest BLOB NOT NULL, answer BLOB NOT NULL,
    created BIGINT NOT NULL, PRIMARY KEY (tenant, actor, idempotency_key)
);
CREATE INDEX idempotency_created ON idempotency (created);

-- Acts that wait for approvals. The bytes are what was approved; they are never changed.
CREATE TABLE waiting (
    request_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, verb TEXT NOT NULL, version BIGINT NOT NULL,
    act BLOB NOT NULL, preview BLOB NOT NULL, requester BLOB NOT NULL, requester_id TEXT NOT NULL, slots TEXT NOT NULL,
    state TEXT NOT NULL, why TEXT NOT NULL, created BIGINT NOT NULL, deadline BIGINT NOT NULL, output BLOB NOT NULL,
    mac BLOB NOT NULL
);
CREATE INDEX waiting_tenant ON waiting (tenant, request_id);

CREATE TABLE approval (
    request_id TEXT NOT NULL, slot TEXT NOT NULL, tenant TEXT NOT NULL, actor TEXT NOT NULL, principal TEXT NOT NULL,
    opinion TEXT NOT NULL, given BIGINT NOT NULL, mac BLOB NOT NULL, PRIMARY KEY (request_id, slot)
);

-- The sums of the MACs of object, waiting and approval: a row that is missing, or an older one that was put back,
-- is found when they are verified.
CREATE TABLE tally (name TEXT PRIMARY KEY, total BLOB NOT NULL, mac BLOB NOT NULL);

-- Secrets put down for an act that is to come: sealed, taken once, thrown away when nobody comes.
CREATE TABLE deposit (deposit_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, sealed BLOB NOT NULL, expires BIGINT NOT NULL);
