-- For the last day that has reviews. (In `compliance_progress`, `whole` is 2 where all records of the day were looked
-- through and some of its reviews are not open yet.)
CREATE INDEX compliance_review_last ON compliance_review (tenant, day);
