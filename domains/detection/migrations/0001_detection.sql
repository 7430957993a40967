-- Alerts, and how far the logs were judged. An alert is one rule on one entity at one node, for as long as its events
-- follow each other within an hour and nobody has closed it. `level` is 0 (informational) to 4 (critical); `events`
-- is JSON: the first and the last few.
CREATE TABLE detection_alert (
    alert_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, rule TEXT NOT NULL, title TEXT NOT NULL,
    level BIGINT NOT NULL, entity_kind TEXT NOT NULL, entity TEXT NOT NULL, hits BIGINT NOT NULL,
    first_seen BIGINT NOT NULL, last_seen BIGINT NOT NULL, state TEXT NOT NULL, assignee TEXT, reason TEXT, note TEXT,
    events TEXT NOT NULL, revision BIGINT NOT NULL
);
CREATE INDEX detection_alert_seen ON detection_alert (tenant, last_seen, alert_id);
CREATE INDEX detection_alert_entity ON detection_alert (tenant, entity, rule, last_seen);

CREATE TABLE detection_position (tenant TEXT PRIMARY KEY, seq BIGINT NOT NULL);
