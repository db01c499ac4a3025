-- An index that changes with a row makes its pull three times as large, so there is one only where a list would
-- otherwise read every closed issue, and one where showing an issue would read every comment.
CREATE TABLE issues (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    type TEXT NOT NULL DEFAULT 'task',
    priority TEXT NOT NULL DEFAULT 'P2',
    status TEXT NOT NULL DEFAULT 'open',
    labels TEXT NOT NULL DEFAULT '[]',
    created_at TEXT NOT NULL,
    closed_at TEXT,
    deleted_at TEXT,
    creator_session TEXT NOT NULL DEFAULT ''
);

CREATE INDEX issues_by_status ON issues (status);

CREATE TABLE comments (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    issue_id TEXT NOT NULL,
    text TEXT NOT NULL,
    session TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL
);

CREATE INDEX comments_by_issue ON comments (issue_id, created_at);
