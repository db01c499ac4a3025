-- What an approval was of, so that it does not count for what an edit made of the issue meanwhile, also where the two met
-- only later. Empty in approvals from before: they count as they did.
ALTER TABLE reviews ADD COLUMN digest TEXT NOT NULL DEFAULT '';
