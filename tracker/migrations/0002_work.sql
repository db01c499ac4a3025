-- All that a team keeps about its issues besides the issues themselves. A row that relates two things has an id made of
-- both, so that two who relate them meet in one row. Indexes are where showing one issue would read a whole table.
ALTER TABLE issues ADD COLUMN parent_id TEXT;
ALTER TABLE issues ADD COLUMN points INTEGER;
ALTER TABLE issues ADD COLUMN acceptance TEXT NOT NULL DEFAULT '';
ALTER TABLE issues ADD COLUMN sprint TEXT NOT NULL DEFAULT '';
ALTER TABLE issues ADD COLUMN minor INTEGER NOT NULL DEFAULT 0;
ALTER TABLE issues ADD COLUMN defer_until TEXT;
ALTER TABLE issues ADD COLUMN defer_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE issues ADD COLUMN due_date TEXT;
ALTER TABLE issues ADD COLUMN status_at TEXT;
ALTER TABLE issues ADD COLUMN implementer_session TEXT;
ALTER TABLE issues ADD COLUMN review_requested_by TEXT;
ALTER TABLE issues ADD COLUMN reviewer_session TEXT;
ALTER TABLE issues ADD COLUMN reviewed_at TEXT;
ALTER TABLE issues ADD COLUMN closed_by_session TEXT;
ALTER TABLE issues ADD COLUMN created_branch TEXT NOT NULL DEFAULT '';
CREATE INDEX issues_by_parent ON issues (parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE logs (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    issue_id TEXT,
    work_session_id TEXT,
    session TEXT NOT NULL DEFAULT '',
    type TEXT NOT NULL DEFAULT 'progress',
    message TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX logs_by_issue ON logs (issue_id, created_at);

CREATE TABLE handoffs (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    issue_id TEXT NOT NULL,
    session TEXT NOT NULL DEFAULT '',
    done TEXT NOT NULL DEFAULT '[]',
    remaining TEXT NOT NULL DEFAULT '[]',
    decisions TEXT NOT NULL DEFAULT '[]',
    uncertain TEXT NOT NULL DEFAULT '[]',
    created_at TEXT NOT NULL
);
CREATE INDEX handoffs_by_issue ON handoffs (issue_id, created_at);

CREATE TABLE dependencies (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    issue_id TEXT NOT NULL,
    depends_on_id TEXT NOT NULL,
    session TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL
);
CREATE INDEX dependencies_by_issue ON dependencies (issue_id);
CREATE INDEX dependencies_by_target ON dependencies (depends_on_id);

CREATE TABLE files (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    issue_id TEXT NOT NULL,
    path TEXT NOT NULL,
    role TEXT NOT NULL DEFAULT 'implementation',
    sha TEXT NOT NULL DEFAULT '',
    session TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL
);
CREATE INDEX files_by_issue ON files (issue_id);

CREATE TABLE snapshots (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    issue_id TEXT NOT NULL,
    session TEXT NOT NULL DEFAULT '',
    event TEXT NOT NULL,
    commit_sha TEXT NOT NULL,
    branch TEXT NOT NULL DEFAULT '',
    dirty_files INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL
);
CREATE INDEX snapshots_by_issue ON snapshots (issue_id);

CREATE TABLE reviews (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    issue_id TEXT NOT NULL,
    reviewer_session TEXT NOT NULL DEFAULT '',
    decision TEXT NOT NULL,
    summary TEXT NOT NULL DEFAULT '',
    requested_by TEXT,
    self_review INTEGER NOT NULL DEFAULT 0,
    reviewed_by TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL,
    superseded_at TEXT
);
CREATE INDEX reviews_by_issue ON reviews (issue_id);

CREATE TABLE involvements (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    issue_id TEXT NOT NULL,
    session TEXT NOT NULL,
    action TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX involvements_by_issue ON involvements (issue_id);

CREATE TABLE boards (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    name TEXT NOT NULL,
    query TEXT NOT NULL DEFAULT '',
    view_mode TEXT NOT NULL DEFAULT 'swimlanes',
    session TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL,
    deleted_at TEXT
);

CREATE TABLE board_positions (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    board_id TEXT NOT NULL,
    issue_id TEXT NOT NULL,
    position INTEGER
);
CREATE INDEX board_positions_by_board ON board_positions (board_id);

CREATE TABLE notes (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    title TEXT NOT NULL,
    content TEXT NOT NULL DEFAULT '',
    pinned INTEGER NOT NULL DEFAULT 0,
    archived INTEGER NOT NULL DEFAULT 0,
    session TEXT NOT NULL DEFAULT '',
    created_at TEXT NOT NULL,
    deleted_at TEXT
);

CREATE TABLE work_sessions (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    name TEXT NOT NULL,
    session TEXT NOT NULL DEFAULT '',
    branch TEXT NOT NULL DEFAULT '',
    start_sha TEXT NOT NULL DEFAULT '',
    end_sha TEXT NOT NULL DEFAULT '',
    started_at TEXT NOT NULL,
    ended_at TEXT
);

CREATE TABLE work_session_issues (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    work_session_id TEXT NOT NULL,
    issue_id TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX work_session_issues_by_session ON work_session_issues (work_session_id);
CREATE INDEX work_session_issues_by_issue ON work_session_issues (issue_id);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    name TEXT NOT NULL DEFAULT '',
    machine TEXT NOT NULL DEFAULT '',
    branch TEXT NOT NULL DEFAULT '',
    agent TEXT NOT NULL DEFAULT '',
    previous_session TEXT,
    started_at TEXT NOT NULL,
    ended_at TEXT
);

CREATE TABLE settings (
    id TEXT PRIMARY KEY,
    updated_at TEXT NOT NULL,
    value TEXT NOT NULL
);
