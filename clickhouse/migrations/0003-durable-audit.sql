-- What may not be lost with the power: who decided what, what was about to be done, and the audit chain, whose head outside the
-- table is on the disk before an append returns.

ALTER TABLE inquest_audit MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;

ALTER TABLE inquest_once MODIFY SETTING fsync_after_insert = 1, fsync_part_directory = 1;
