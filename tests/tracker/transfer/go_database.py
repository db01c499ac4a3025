"""Make an `issues.db` as the td that is written in Go has it: in its newest schema, one on the way, and its first.

The columns are those of its public description; the values are in the forms that it wrote over time.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

_ISSUES: Final = (
    "id TEXT PRIMARY KEY, title TEXT NOT NULL, description TEXT, status TEXT, type TEXT, priority TEXT, "
    "points INTEGER DEFAULT 0, labels TEXT DEFAULT '', parent_id TEXT DEFAULT '', acceptance TEXT DEFAULT '', "
    "implementer_session TEXT DEFAULT '', reviewer_session TEXT DEFAULT '', created_at DATETIME, updated_at DATETIME, "
    "closed_at DATETIME, deleted_at DATETIME"
)
_FIRST: Final = f"""
CREATE TABLE issues ({_ISSUES});
CREATE TABLE logs (id INTEGER PRIMARY KEY AUTOINCREMENT, issue_id TEXT, session_id TEXT,
    work_session_id TEXT DEFAULT '',
    message TEXT, type TEXT, timestamp DATETIME);
CREATE TABLE handoffs (id INTEGER PRIMARY KEY AUTOINCREMENT, issue_id TEXT, session_id TEXT, done TEXT, remaining TEXT,
    decisions TEXT, uncertain TEXT, timestamp DATETIME);
CREATE TABLE git_snapshots (id INTEGER PRIMARY KEY AUTOINCREMENT, issue_id TEXT, event TEXT, commit_sha TEXT,
    branch TEXT,
    dirty_files INTEGER, timestamp DATETIME);
CREATE TABLE issue_files (id INTEGER PRIMARY KEY AUTOINCREMENT, issue_id TEXT, file_path TEXT, role TEXT,
    linked_sha TEXT,
    linked_at DATETIME);
CREATE TABLE issue_dependencies (issue_id TEXT, depends_on_id TEXT, relation_type TEXT DEFAULT 'depends_on',
    PRIMARY KEY (issue_id, depends_on_id));
CREATE TABLE work_sessions (id TEXT PRIMARY KEY, name TEXT, session_id TEXT, started_at DATETIME, ended_at DATETIME,
    start_sha TEXT DEFAULT '', end_sha TEXT DEFAULT '');
CREATE TABLE work_session_issues (work_session_id TEXT, issue_id TEXT, tagged_at DATETIME,
    PRIMARY KEY (work_session_id, issue_id));
CREATE TABLE comments (id INTEGER PRIMARY KEY AUTOINCREMENT, issue_id TEXT, session_id TEXT, text TEXT,
    created_at DATETIME);
CREATE TABLE schema_info (key TEXT PRIMARY KEY, value TEXT);
"""
_TENTH: Final = """
ALTER TABLE issues ADD COLUMN minor INTEGER DEFAULT 0;
ALTER TABLE issues ADD COLUMN created_branch TEXT DEFAULT '';
ALTER TABLE issues ADD COLUMN creator_session TEXT DEFAULT '';
ALTER TABLE issues ADD COLUMN sprint TEXT DEFAULT '';
CREATE TABLE action_log (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT, action_type TEXT, entity_type TEXT,
    entity_id TEXT, previous_data TEXT, new_data TEXT, timestamp DATETIME, undone INTEGER DEFAULT 0);
CREATE TABLE issue_session_history (id TEXT PRIMARY KEY, issue_id TEXT, session_id TEXT, action TEXT,
    created_at DATETIME);
CREATE TABLE boards (id TEXT PRIMARY KEY, name TEXT COLLATE NOCASE, last_viewed_at DATETIME, created_at DATETIME,
    updated_at DATETIME, query TEXT DEFAULT '', is_builtin INTEGER DEFAULT 0);
CREATE TABLE board_issue_positions (board_id TEXT, issue_id TEXT, position INTEGER, added_at DATETIME,
    PRIMARY KEY (board_id, issue_id));
"""
_NEWEST: Final = f"""
CREATE TABLE issues ({_ISSUES}, minor INTEGER DEFAULT 0, created_branch TEXT DEFAULT '',
    creator_session TEXT DEFAULT '',
    sprint TEXT DEFAULT '', defer_until TEXT, due_date TEXT, defer_count INTEGER DEFAULT 0, reviewed_at DATETIME,
    review_requested_by_session TEXT DEFAULT '', closed_by_session TEXT DEFAULT '');
CREATE TABLE logs (id TEXT PRIMARY KEY, issue_id TEXT DEFAULT '', session_id TEXT, work_session_id TEXT DEFAULT '',
    message TEXT, type TEXT, timestamp DATETIME);
CREATE TABLE handoffs (id TEXT PRIMARY KEY, issue_id TEXT, session_id TEXT, done TEXT, remaining TEXT, decisions TEXT,
    uncertain TEXT, timestamp DATETIME);
CREATE TABLE git_snapshots (id TEXT PRIMARY KEY, issue_id TEXT, event TEXT, commit_sha TEXT, branch TEXT,
    dirty_files INTEGER, timestamp DATETIME);
CREATE TABLE issue_files (id TEXT PRIMARY KEY, issue_id TEXT, file_path TEXT, role TEXT, linked_sha TEXT,
    linked_at DATETIME);
CREATE TABLE issue_dependencies (id TEXT PRIMARY KEY, issue_id TEXT, depends_on_id TEXT, relation_type TEXT);
CREATE TABLE work_sessions (id TEXT PRIMARY KEY, name TEXT, session_id TEXT, worktree_id TEXT, worktree_root TEXT,
    repo_root TEXT, started_at DATETIME, ended_at DATETIME, start_sha TEXT DEFAULT '', end_sha TEXT DEFAULT '');
CREATE TABLE work_session_issues (id TEXT PRIMARY KEY, work_session_id TEXT, issue_id TEXT, tagged_at DATETIME);
CREATE TABLE comments (id TEXT PRIMARY KEY, issue_id TEXT, session_id TEXT, text TEXT, created_at DATETIME);
CREATE TABLE sessions (id TEXT PRIMARY KEY, name TEXT DEFAULT '', branch TEXT DEFAULT '', agent_type TEXT DEFAULT '',
    agent_pid INTEGER DEFAULT 0, context_id TEXT DEFAULT '', match_context_id TEXT DEFAULT '',
    worktree_id TEXT DEFAULT '',
    worktree_root TEXT DEFAULT '', repo_root TEXT DEFAULT '', previous_session_id TEXT DEFAULT '', started_at DATETIME,
    ended_at DATETIME, last_activity DATETIME);
CREATE TABLE schema_info (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE session_state (session_id TEXT, worktree_id TEXT, focused_issue_id TEXT, active_work_session_id TEXT,
    updated_at DATETIME, PRIMARY KEY (session_id, worktree_id));
CREATE TABLE action_log (id TEXT PRIMARY KEY, session_id TEXT, action_type TEXT, entity_type TEXT, entity_id TEXT,
    previous_data TEXT, new_data TEXT, timestamp DATETIME, undone INTEGER, synced_at DATETIME, server_seq INTEGER);
CREATE TABLE issue_session_history (id TEXT PRIMARY KEY, issue_id TEXT, session_id TEXT, action TEXT,
    created_at DATETIME);
CREATE TABLE boards (id TEXT PRIMARY KEY, name TEXT COLLATE NOCASE, last_viewed_at DATETIME, created_at DATETIME,
    updated_at DATETIME, query TEXT DEFAULT '', is_builtin INTEGER DEFAULT 0, view_mode TEXT DEFAULT 'swimlanes');
CREATE TABLE board_issue_positions (id TEXT PRIMARY KEY, board_id TEXT, issue_id TEXT, position INTEGER,
    added_at DATETIME, deleted_at DATETIME);
CREATE TABLE notes (id TEXT PRIMARY KEY, title TEXT, content TEXT, created_at TEXT, updated_at TEXT, pinned INTEGER,
    archived INTEGER, deleted_at TEXT);
CREATE TABLE issue_reviews (id TEXT PRIMARY KEY, issue_id TEXT, reviewer_session TEXT, decision TEXT, summary TEXT,
    requested_by_session TEXT DEFAULT '', created_at DATETIME, superseded_at DATETIME, self_review INTEGER DEFAULT 0,
    reviewed_by TEXT DEFAULT '');
CREATE TABLE sync_state (project_id TEXT PRIMARY KEY, last_pushed_action_id INTEGER);
"""
SCHEMAS: Final = {1: _FIRST, 10: _FIRST + _TENTH, 38: _NEWEST}

# Each in another of the forms that were written over time.
CREATED: Final = "2026-01-02 03:04:05.123456789 +0000 UTC m=+0.100833084"
UPDATED: Final = "2026-01-03T04:05:06.5+02:00"
CLOSED: Final = "2026-01-04 05:06:07"


def make_go_database(path: Path, version: int, statements: str = "", *, journal: str = "TRUNCATE") -> Path:
    """An `issues.db` of a schema, with a few rows in each of its tables that every schema has, and `statements`."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.executescript(SCHEMAS[version])
        connection.execute("INSERT INTO schema_info VALUES ('version', ?)", (str(version),))
        _put(connection, "issues", id="td-00000a", title="Epic", type="epic", status="open", priority="P1",
             labels=None, created_at=CREATED, updated_at=UPDATED)  # fmt: skip
        _put(connection, "issues", id="td-00000b", title="Fix it", description="a\r\nb", type="bug", status="closed",
             priority="P0", points=3, labels="ui, back end,,x", parent_id="td-00000a", implementer_session="ses_aaaaaa",
             created_at=CREATED, updated_at=UPDATED, closed_at=CLOSED)  # fmt: skip
        _put(connection, "issues", id="td-00000c", title="Gone", type="task", status="open", priority="P4",
             created_at=CREATED, updated_at=UPDATED, deleted_at=CLOSED)  # fmt: skip
        for table, prefix, values in _talk():
            _put(connection, table, id=None if version < 15 else f"{prefix}-12345678", **values)
        given: dict[str, object] = {} if version < 15 else {"id": "dep_d2b1f0a2a7d5c1aa"}
        _put(connection, "issue_dependencies", **given, issue_id="td-00000b", depends_on_id="td-00000a",
             relation_type="depends_on")  # fmt: skip
        connection.executescript(statements)
    return path


def _talk() -> list[tuple[str, str, dict[str, object]]]:
    of = {"issue_id": "td-00000b", "session_id": "ses_aaaaaa"}
    return [
        ("comments", "cm", {**of, "text": "looks good", "created_at": CREATED}),
        ("logs", "lg", {**of, "work_session_id": "", "message": "tried it", "type": "tried", "timestamp": CREATED}),
        ("handoffs", "ho", {**of, "done": '["one"]', "remaining": "[]", "decisions": None, "uncertain": "null",
                            "timestamp": CREATED}),
        ("git_snapshots", "gs", {"issue_id": "td-00000b", "event": "start", "commit_sha": "abc", "branch": "main",
                                 "dirty_files": 2, "timestamp": CREATED}),
        ("issue_files", "if", {"issue_id": "td-00000b", "file_path": "src\\main.go", "role": "test",
                               "linked_sha": "def", "linked_at": CREATED}),
    ]  # fmt: skip


def _put(connection: sqlite3.Connection, table: str, **values: object) -> None:
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
