-- What is to be bought: one row for each item, under the id of the item.
CREATE TABLE orders (
    id         TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('none', 'wanted', 'ordered'))
) STRICT;
INSERT INTO orders (id, updated_at, state)
    SELECT id, updated_at, 'none' FROM items;
