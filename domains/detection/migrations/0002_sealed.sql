-- What the events of an alert say, sealed to the alert: nobody reads it without the keys, as in the files of logs.
-- `events` is empty then; alerts of older versions have them there as they came, until the next one comes.
ALTER TABLE detection_alert ADD COLUMN sealed BLOB;
