-- Every write of an alert gives it the next number of its tenant, so that whoever has seen all up to one number asks for
-- what came behind it. Numbers rise in the order of the commits; some are never given. Alerts that were last written
-- before there were numbers have 0: nobody has seen less than that, so none of them is ever told as a change. To number
-- them would write every row anew, with its sealed events.
ALTER TABLE detection_alert ADD COLUMN change BIGINT NOT NULL DEFAULT 0;
CREATE TABLE detection_change (tenant TEXT PRIMARY KEY, seq BIGINT NOT NULL);
CREATE INDEX detection_alert_change ON detection_alert (tenant, change);

-- Lists and figures are answered from these alone: the rows themselves are long, for they hold sealed events. What
-- continues an alert writes them anew, so there are no more of them than that. Nodes are counted from any of them.
DROP INDEX detection_alert_seen;
DROP INDEX detection_alert_entity;
CREATE INDEX detection_alert_time ON detection_alert (
    tenant, last_seen, alert_id, state, level, assignee, entity_kind, node_id, rule, entity
);
CREATE INDEX detection_alert_level ON detection_alert (
    tenant, level, last_seen, alert_id, state, assignee, entity_kind, node_id, rule, entity
);
CREATE INDEX detection_alert_rule ON detection_alert (
    tenant, rule, level, state, last_seen, assignee, entity_kind, node_id, entity, hits, reason
);
CREATE INDEX detection_alert_about ON detection_alert (
    tenant, entity, rule, last_seen, state, level, assignee, entity_kind, node_id
);
