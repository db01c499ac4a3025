-- Which changes give way where somebody else has changed their row: the consequences of others in their mutation.

ALTER TABLE _replica_changes ADD COLUMN yields INTEGER NOT NULL DEFAULT 0;

-- Beside the changes, not in them, so that a program that does not know of this yet still reads the conflict.
ALTER TABLE _replica_conflicts ADD COLUMN yielding TEXT NOT NULL DEFAULT '[]';
