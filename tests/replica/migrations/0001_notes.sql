CREATE TABLE notes (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    title TEXT NOT NULL CHECK (length(title) <= 100),
    body TEXT NOT NULL DEFAULT '',
    tags TEXT NOT NULL DEFAULT '[]',
    stars INTEGER NOT NULL DEFAULT 0,
    weight REAL
);

CREATE TABLE shelves (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    label TEXT NOT NULL COLLATE NOCASE
);
