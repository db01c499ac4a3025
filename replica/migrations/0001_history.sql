-- What the primary holds of ours (DESIGN 9). `_replica_migrations` and `_replica_lease` exist before any migration.

-- Which primary this is, in every copy of it, so that a replica knows when it is shown another.
CREATE TABLE _replica_primary (id TEXT NOT NULL);
INSERT INTO _replica_primary (id) VALUES (lower(hex(randomblob(16))));

-- Every change ever applied, in the order it was applied: history, change feed, undo, exactly-once.
CREATE TABLE _replica_changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    mutation TEXT NOT NULL,
    position INTEGER NOT NULL,
    table_name TEXT NOT NULL,
    row_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    seen TEXT NOT NULL,
    stamp TEXT NOT NULL,
    fields TEXT NOT NULL,
    session TEXT NOT NULL,
    machine TEXT NOT NULL,
    made_at TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    received_at INTEGER NOT NULL DEFAULT (unixepoch()), -- by the primary's clock: history is pruned by it
    -- Tells this change from the same one, sent again after the primary was restored from an older copy.
    salt INTEGER NOT NULL DEFAULT (random()),
    UNIQUE (mutation, position)
);
-- Row ids are all but unique over all tables, so the name of the table would only make it longer.
CREATE INDEX _replica_changes_row ON _replica_changes (row_id);

-- Mutations taken out of the way for a person to decide, whole.
CREATE TABLE _replica_conflicts (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    mutation_id TEXT NOT NULL,
    table_name TEXT NOT NULL,
    row_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    clashing TEXT NOT NULL,
    theirs TEXT NOT NULL,
    changes TEXT NOT NULL,
    mine_rows TEXT NOT NULL,
    mine_session TEXT NOT NULL,
    mine_machine TEXT NOT NULL,
    mine_at TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    theirs_session TEXT NOT NULL,
    theirs_machine TEXT NOT NULL,
    theirs_at TEXT NOT NULL,
    theirs_by TEXT NOT NULL,
    state TEXT NOT NULL,
    outcome TEXT NOT NULL,
    resolved_by TEXT NOT NULL,
    resolved_at TEXT NOT NULL
);
CREATE INDEX _replica_conflicts_state ON _replica_conflicts (state, id);
