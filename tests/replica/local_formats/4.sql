-- The local.db of a laptop that was never online, as a program of format 4 left it: two items, and a change of one.
BEGIN TRANSACTION;
CREATE TABLE changes (
    seq INTEGER NOT NULL REFERENCES mutations (seq) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    table_name TEXT NOT NULL,
    row_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    seen TEXT NOT NULL,
    stamp TEXT NOT NULL,
    fields TEXT NOT NULL,
    ground TEXT,
    PRIMARY KEY (seq, position)
) WITHOUT ROWID;
INSERT INTO "changes" VALUES(1,0,'items','milk','insert','','2026-11-18T11:06:41.000000Z','{"title":[null,"Milk"],"body":[null,""],"tags":[null,"[\"dairy\"]"],"stars":[null,2],"code":[null,null]}',NULL);
INSERT INTO "changes" VALUES(1,1,'items','bread','insert','','2026-11-18T11:06:42.000000Z','{"title":[null,"Bread"],"body":[null,""],"tags":[null,"[]"],"stars":[null,0],"code":[null,null]}',NULL);
INSERT INTO "changes" VALUES(2,0,'items','milk','update','2026-11-18T11:06:41.000000Z','2026-11-18T11:06:45.000000Z','{"title":["Milk","Oat milk"],"stars":[2,3]}',NULL);
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE lost (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    session TEXT NOT NULL,
    machine TEXT NOT NULL,
    made_at TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    changes TEXT NOT NULL
);
CREATE TABLE mutations (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    session TEXT NOT NULL,
    machine TEXT NOT NULL,
    made_at TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued'
);
INSERT INTO "mutations" VALUES(1,'01a1ee56-5e00-7111-a0ee-dd95d66fed30','ses_laptop00_AAAAAA','laptop00','2026-11-18T11:06:43.000000Z',1,'queued');
INSERT INTO "mutations" VALUES(2,'01a1ee56-6da0-7228-bdf9-a63c74813ebb','ses_laptop00_AAAAAA','laptop00','2026-11-18T11:06:46.000000Z',1,'queued');
CREATE TABLE originals (seq INTEGER PRIMARY KEY, changes TEXT NOT NULL);
CREATE TABLE "overlay__replica_conflicts" (id TEXT PRIMARY KEY, "updated_at" "TEXT" COLLATE "BINARY", "mutation_id" "TEXT" COLLATE "BINARY", "table_name" "TEXT" COLLATE "BINARY", "row_id" "TEXT" COLLATE "BINARY", "reason" "TEXT" COLLATE "BINARY", "clashing" "TEXT" COLLATE "BINARY", "theirs" "TEXT" COLLATE "BINARY", "changes" "TEXT" COLLATE "BINARY", "mine_rows" "TEXT" COLLATE "BINARY", "mine_session" "TEXT" COLLATE "BINARY", "mine_machine" "TEXT" COLLATE "BINARY", "mine_at" "TEXT" COLLATE "BINARY", "schema_version" "INTEGER" COLLATE "BINARY", "theirs_session" "TEXT" COLLATE "BINARY", "theirs_machine" "TEXT" COLLATE "BINARY", "theirs_at" "TEXT" COLLATE "BINARY", "theirs_by" "TEXT" COLLATE "BINARY", "state" "TEXT" COLLATE "BINARY", "outcome" "TEXT" COLLATE "BINARY", "resolved_by" "TEXT" COLLATE "BINARY", "resolved_at" "TEXT" COLLATE "BINARY", deleted INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE "overlay_items" (id TEXT PRIMARY KEY, "updated_at" "TEXT" COLLATE "BINARY", "title" "TEXT" COLLATE "BINARY", "body" "TEXT" COLLATE "BINARY", "tags" "TEXT" COLLATE "BINARY", "stars" "INTEGER" COLLATE "BINARY", "code" "TEXT" COLLATE "BINARY", deleted INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "overlay_items" VALUES('bread','2026-11-18T11:06:42.000000Z','Bread','','[]',0,NULL,0);
INSERT INTO "overlay_items" VALUES('milk','2026-11-18T11:06:45.000000Z','Oat milk','','["dairy"]',3,NULL,0);
CREATE TABLE received (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE sent (
    id TEXT PRIMARY KEY,
    session TEXT NOT NULL,
    machine TEXT NOT NULL,
    made_at TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    changes TEXT NOT NULL,
    settled_at TEXT NOT NULL,
    seq INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX changes_row ON changes (table_name, row_id, seq);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('mutations',2);
COMMIT;
