-- What a newer program changes: a column that older mutations do not know, and a table that is gone for them.
ALTER TABLE tasks ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
DROP TABLE scraps;
INSERT INTO migration_runs (version) VALUES (2);
