CREATE TABLE items (
    id         TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    name       TEXT NOT NULL,
    amount     INTEGER NOT NULL,
    minimum    INTEGER NOT NULL,
    labels     TEXT NOT NULL,
    note       TEXT NOT NULL,
    counted_on TEXT
) STRICT;
