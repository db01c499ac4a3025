-- Could run twice without an error, so that only its trace would tell.
CREATE INDEX IF NOT EXISTS tasks_priority ON tasks (priority);
INSERT INTO migration_runs (version) VALUES (3);
