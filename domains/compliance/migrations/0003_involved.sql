-- Who beside its actor has a part in what a record tells of: the person behind the account when the record was put before an
-- auditor, and who approved it; ids with a blank between them.
ALTER TABLE compliance_item ADD COLUMN involved TEXT;
