-- What is to be told elsewhere: one row for one alert and one target of the configuration. `level` is 0 to 4 as in
-- alerts; `next_at` is when the next attempt is due; `body` is what is sent, the same in every attempt. No address
-- and no secret stands here: the target's name finds them in the configuration.
CREATE TABLE notices_delivery (
    delivery_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, alert_id TEXT NOT NULL,
    channel TEXT NOT NULL, target TEXT NOT NULL, level BIGINT NOT NULL, state TEXT NOT NULL, attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL, last_error TEXT, created BIGINT NOT NULL, sent_at BIGINT, body TEXT NOT NULL
);
CREATE INDEX notices_delivery_due ON notices_delivery (tenant, state, next_at);
