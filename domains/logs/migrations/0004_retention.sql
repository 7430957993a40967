-- For how many days the logs of a stream are kept. A stream without a row has the usual number.
CREATE TABLE logs_retention (
    tenant TEXT NOT NULL, node_id TEXT NOT NULL, stream TEXT NOT NULL, days BIGINT NOT NULL, changed BIGINT NOT NULL,
    PRIMARY KEY (tenant, stream)
);

-- What is kept whatever its age: of one stream or all, of these days (in days since 1970) or all.
CREATE TABLE logs_hold (
    hold_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, stream TEXT, from_day BIGINT, to_day BIGINT,
    reason TEXT NOT NULL, creator TEXT NOT NULL, created BIGINT NOT NULL, ended BIGINT, end_reason TEXT
);
CREATE INDEX logs_hold_tenant ON logs_hold (tenant, hold_id);

-- Files that are off the list and may still lie on the disk: a process that starts removes what one before it did not.
CREATE TABLE logs_gone (
    file TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, stream TEXT NOT NULL, hour BIGINT NOT NULL,
    sorted BIGINT NOT NULL, sealed BIGINT NOT NULL, gone BIGINT NOT NULL
);
CREATE INDEX logs_gone_tenant ON logs_gone (tenant, gone);

-- What was received from a source on a day. Times and the longest pause are in microseconds.
CREATE TABLE logs_coverage (
    tenant TEXT NOT NULL, node_id TEXT NOT NULL, source TEXT NOT NULL, day BIGINT NOT NULL, events BIGINT NOT NULL,
    first_at BIGINT NOT NULL, last_at BIGINT NOT NULL, pause BIGINT NOT NULL, PRIMARY KEY (tenant, source, day)
);

-- What limits refused of a source on a day.
CREATE TABLE logs_refusal (
    tenant TEXT NOT NULL, node_id TEXT NOT NULL, source TEXT NOT NULL, day BIGINT NOT NULL, why TEXT NOT NULL,
    refused BIGINT NOT NULL, PRIMARY KEY (tenant, source, day, why)
);

-- When a source was created, disabled and enabled again.
CREATE TABLE logs_switch (
    tenant TEXT NOT NULL, node_id TEXT NOT NULL, source TEXT NOT NULL, switched BIGINT NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (tenant, source, switched)
);
INSERT INTO logs_switch (tenant, node_id, source, switched, state)
    SELECT tenant, node_id, source_id, created, 'created' FROM logs_source;
-- When one was disabled before this version is not known; it was after its last event.
INSERT INTO logs_switch (tenant, node_id, source, switched, state)
    SELECT tenant, node_id, source_id, COALESCE(last_seen, created) + 1, 'disabled' FROM logs_source
    WHERE state = 'disabled';

-- When the server took nothing; `known` is 0 where it is only known that nobody can tell.
CREATE TABLE logs_outage (
    tenant TEXT NOT NULL, node_id TEXT NOT NULL, begun BIGINT NOT NULL, ended BIGINT NOT NULL, known BIGINT NOT NULL,
    PRIMARY KEY (tenant, begun)
);
