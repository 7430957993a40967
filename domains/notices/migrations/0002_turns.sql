-- What is due is taken by target, so that what waits for one does not stand before what waits for another.
CREATE INDEX notices_delivery_turn ON notices_delivery (tenant, state, channel, target, next_at, delivery_id);
DROP INDEX notices_delivery_due;
