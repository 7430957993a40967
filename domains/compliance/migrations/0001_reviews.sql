-- Reviews of the record: one for a day (in days since 1970) and a node that has records of it. `exceptions`, `high_risk`
-- and `sampled` are how many of its `records` are put before an auditor, for which reason. `seed` is what the sample is
-- chosen by; `nearest` is the record that is the sample where chance chose none. Rows carry a MAC: none can be written, and
-- no item left out, by hand.
CREATE TABLE compliance_review (
    review_id TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, day BIGINT NOT NULL, state TEXT NOT NULL,
    due BIGINT NOT NULL, records BIGINT NOT NULL, exceptions BIGINT NOT NULL, high_risk BIGINT NOT NULL,
    sampled BIGINT NOT NULL, nearest BIGINT, seed BLOB NOT NULL, opened BIGINT NOT NULL, signed BIGINT, signer TEXT,
    opinion TEXT, mac BLOB NOT NULL
);
CREATE UNIQUE INDEX compliance_review_day ON compliance_review (tenant, node_id, day);
CREATE INDEX compliance_review_tenant ON compliance_review (tenant, review_id);
CREATE INDEX compliance_review_state ON compliance_review (tenant, state);
CREATE INDEX compliance_review_last ON compliance_review (tenant, day);

-- The records that a review puts before an auditor, and what the auditor said of each. `involved` are those who beside its
-- actor have a part in what a record tells of, ids with a blank between them: the person behind the account when the record
-- was put before an auditor, and who approved it.
CREATE TABLE compliance_item (
    review_id TEXT NOT NULL, seq BIGINT NOT NULL, tenant TEXT NOT NULL, node_id TEXT NOT NULL, operation TEXT NOT NULL,
    actor TEXT NOT NULL, reason TEXT NOT NULL, verdict TEXT, note TEXT, author TEXT, noted BIGINT, mac BLOB NOT NULL,
    involved TEXT, PRIMARY KEY (review_id, seq)
);

-- How far the record was looked through: up to the number `seq`, for the reviews of `day`; `whole` is 2 when all
-- records of the day were looked through and some of its reviews are not open yet, and 1 when it is complete.
CREATE TABLE compliance_progress (
    tenant TEXT PRIMARY KEY, day BIGINT NOT NULL, seq BIGINT NOT NULL, seed BLOB NOT NULL, whole BIGINT NOT NULL,
    mac BLOB NOT NULL
);
