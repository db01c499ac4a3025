CREATE TABLE items (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    rank INTEGER NOT NULL
);
CREATE INDEX items_rank ON items (rank);
