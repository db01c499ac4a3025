CREATE TABLE entries (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    title TEXT NOT NULL,
    hits INTEGER NOT NULL
);
