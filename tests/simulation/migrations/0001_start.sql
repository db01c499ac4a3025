-- Fields of every merge rule, a code that must be unique, a reference, and a trace of each migration that ran.
CREATE TABLE projects (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    name TEXT NOT NULL,
    code TEXT UNIQUE
);
CREATE TABLE tasks (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    title TEXT NOT NULL,
    owner TEXT NOT NULL,
    labels TEXT NOT NULL,
    notes TEXT NOT NULL,
    best INTEGER,
    least INTEGER,
    spent INTEGER NOT NULL,
    project TEXT REFERENCES projects (id)
);
CREATE TABLE scraps (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE TABLE migration_runs (number INTEGER PRIMARY KEY, version INTEGER NOT NULL);
INSERT INTO migration_runs (version) VALUES (1);
