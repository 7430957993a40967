-- One-time links that hand a session over to a browser of the same person. One that was used stays for as long as the
-- session that it opened may live: that one ends with the session that the link was made from.
CREATE TABLE access_hand_over (
    hand_over TEXT PRIMARY KEY, tenant TEXT NOT NULL, node_id TEXT NOT NULL, person TEXT NOT NULL, session TEXT NOT NULL,
    tag BLOB NOT NULL, expires BIGINT NOT NULL, state TEXT NOT NULL, opened TEXT, mac BLOB NOT NULL
);
CREATE INDEX access_hand_over_session ON access_hand_over (session);
