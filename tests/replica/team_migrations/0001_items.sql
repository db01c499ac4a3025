-- What tests of syncing need of a schema: fields of every kind of merge, and constraints that only the primary knows.
CREATE TABLE items (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL DEFAULT '',
    tags TEXT NOT NULL DEFAULT '[]',
    stars INTEGER NOT NULL DEFAULT 0 CHECK (stars >= -1000),
    code TEXT UNIQUE
);
