-- The sample that a finding is deep inside of, by which a kept sample is found.
-- Null where the finding itself tells it: the sample or a member of it.
ALTER TABLE finding ADD COLUMN sample_sha256 BLOB;
