"""The database of the td that is written in Go, `.todos/issues.db`, in any schema it had.

Always true:
- a schema is told by the tables and columns that are there, not by the number it gives itself;
- ids are kept, and those of relations are made as it makes them; rows that had numbers for ids, as in its first
  schemas, get ids made of what they hold;
- a table, column or row that has no place here is counted.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from replica import Record
from tracker.ids import dependency_id, relation_id
from tracker.records import (
    Board,
    BoardPosition,
    Comment,
    Dependency,
    FileLink,
    Handoff,
    Involvement,
    Issue,
    Log,
    Note,
    Review,
    Session,
    Snapshot,
    WorkSession,
    WorkSessionIssue,
)
from tracker.transfer.errors import SourceError
from tracker.transfer.foreign_file import damage_told, opened_copy
from tracker.transfer.found import Found, Tally
from tracker.transfer.origin import row_id

Row = dict[str, object]
_PAGE_ROWS: Final = 500
# Of one machine, of its own way of syncing, or made anew by td.
_ABOUT_ITSELF: Final = frozenset({"schema_info", "sync_state", "session_state"})


@dataclass(frozen=True, slots=True)
class _Table:
    """How a table is taken over. columns: theirs to ours. convert: what else is to be done with a row, in place.

    convert returns False for a row that has no place, which it has counted. order: the column that the rows are read
    by. created_at: SQL for when a row was made, where its table does not say so.
    """

    record: type[Record]
    columns: dict[str, str]
    convert: Callable[[Row, str, Tally], bool]
    order: str = ""
    created_at: str = ""


def read(path: Path, tally: Tally) -> Iterator[Found]:
    """The rows of such a database. Raises SourceError."""
    with opened_copy(path) as connection, damage_told(path):
        sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        names = [row[0] for row in connection.execute(sql)]
        _check_ours(connection, path, names)
        for name, table in _TABLES.items():
            if name in names:
                yield from _rows(connection, name, table, tally)
        for name in names:
            if name not in _TABLES and name not in _ABOUT_ITSELF:
                count = connection.execute(f"SELECT count(*) FROM {_quoted(name)}").fetchone()[0]
                if count:
                    tally.homeless.add("go-td", f"table {name[:40]}", f"{count} rows", count)


def _check_ours(connection: sqlite3.Connection, path: Path, names: list[str]) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] == 0x72706C63:
        raise SourceError(
            path, "it is a database of this td", "run td export -o FILE where it belongs, and take that in"
        )
    if "issues" not in names or not {"id", "title", "status"} <= _columns(connection, "issues").keys():
        raise SourceError(path, "it is an SQLite file, and not one of the Go td", "give its .todos/issues.db")


def _columns(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """The columns of a table with their declared types; those that are computed are not among them."""
    return {row[1]: row[2] for row in connection.execute(f'PRAGMA table_info("{table}")')}


def _quoted(name: str) -> str:
    """A name of a foreign schema, which may hold anything, for SQL."""
    return '"' + name.replace('"', '""') + '"'


def _rows(connection: sqlite3.Connection, name: str, table: _Table, tally: Tally) -> Iterator[Found]:
    columns = list(_columns(connection, name))
    order = f" ORDER BY {table.order}" if table.order in columns else ""
    listing = ", ".join(map(_quoted, columns))
    if table.created_at:
        listing, columns = f"{listing}, {table.created_at}", [*columns, "created_at"]
    cursor = connection.execute(f'SELECT {listing} FROM "{name}"{order}')
    number = 0
    while rows := cursor.fetchmany(_PAGE_ROWS):
        for values in rows:
            number += 1
            where = f"{name}, row {number}"
            theirs = dict(zip(columns, values, strict=True))
            ours: Row = {table.columns[column]: value for column, value in theirs.items() if column in table.columns}
            if table.convert(ours, where, tally):
                derived = _DERIVED.get(table.record, frozenset())
                # What a session did to an issue twice is one deed here, of the first time.
                yield Found(table.record, ours, where, derived, may_repeat=table.record is Involvement)
                for column, value in theirs.items():
                    if column not in table.columns and value not in (None, "", 0):
                        tally.homeless.add(name, f"column {column[:40]}", where)


def _issue(row: Row, where: str, tally: Tally) -> bool:
    del where, tally
    labels = row.get("labels")
    row["labels"] = [label for label in labels.split(",") if label.strip()] if isinstance(labels, str) else []
    for name in ("parent_id", "points", "implementer_session", "review_requested_by", "reviewer_session",
                 "closed_by_session", "defer_until", "due_date", "deleted_at", "closed_at", "reviewed_at"):  # fmt: skip
        row[name] = row.get(name) or None
    return True


def _numbered(prefix: str, *parts: str) -> Callable[[Row, str, Tally], bool]:
    """Give a row whose id is a number one made of what it holds; and leave out what is only empty."""

    def convert(row: Row, where: str, tally: Tally) -> bool:
        del where, tally
        if not isinstance(row.get("id"), str):
            row["id"] = row_id(prefix, "go-td", *(str(row.get(part)) for part in parts), str(row.get("id")))
        for name in row.keys() & {"issue_id", "work_session_id"}:
            row[name] = row[name] or None
        return True

    return convert


def _handoff(row: Row, where: str, tally: Tally) -> bool:
    for name in ("done", "remaining", "decisions", "uncertain"):
        row[name] = _list(row.get(name))
    return _numbered("ho", "issue_id", "session", "created_at")(row, where, tally)


def _list(stored: object) -> object:
    """A list that is stored as JSON; a text that is none is its only member."""
    if not isinstance(stored, str) or not stored:
        return []
    try:
        found = json.loads(stored)
    except (ValueError, RecursionError):
        return [stored]
    return found if isinstance(found, list) else [] if found is None else [stored]


def _dependency(row: Row, where: str, tally: Tally) -> bool:
    relation = row.pop("relation_type", "depends_on")
    if relation not in ("depends_on", "", None):
        tally.homeless.add("issue_dependencies", f"relations of type {str(relation)[:40]}", where)
        return False
    row["id"] = dependency_id(str(row.get("issue_id")), str(row.get("depends_on_id")))
    return True


def _file(row: Row, where: str, tally: Tally) -> bool:
    if not row.get("path"):
        tally.homeless.add("issue_files", "links to no file", where)
        return False
    row["path"] = str(row.get("path") or "").replace("\\", "/")
    row["id"] = relation_id("ifl", str(row.get("issue_id")), str(row["path"]))
    return True


def _board(row: Row, where: str, tally: Tally) -> bool:
    if row.pop("is_builtin", 0):
        tally.homeless.add("boards", "the board of all issues, which td has by itself", where)
        return False
    return True


def _position(row: Row, where: str, tally: Tally) -> bool:
    if row.pop("deleted_at", None):
        tally.homeless.add("board_issue_positions", "positions that were taken back", where)
        return False
    row["id"] = relation_id("bip", str(row.get("board_id")), str(row.get("issue_id")))
    return True


def _tagged(row: Row, where: str, tally: Tally) -> bool:
    del where, tally
    row["id"] = relation_id("wsi", str(row.get("work_session_id")), str(row.get("issue_id")))
    return True


def _deed(row: Row, where: str, tally: Tally) -> bool:
    del where, tally
    action = str(row.get("action"))
    row["action"] = "reviewed" if action.startswith("review") else action
    row["id"] = relation_id("inv", str(row.get("issue_id")), str(row.get("session")), str(row["action"]))
    return True


def _review(row: Row, where: str, tally: Tally) -> bool:
    if row.get("decision") == "approved_by_parent_cascade":
        row["decision"] = "approved"
        row["summary"] = str(row.get("summary") or "approved with its parent")
    row["requested_by"] = row.get("requested_by") or None
    return _numbered("rv", "issue_id", "reviewer_session", "created_at")(row, where, tally)


def _session(row: Row, where: str, tally: Tally) -> bool:
    del where, tally
    row["previous_session"] = row.get("previous_session") or None
    return True


def _as_it_is(row: Row, where: str, tally: Tally) -> bool:
    del row, where, tally
    return True


def _same(*names: str, **renamed: str) -> dict[str, str]:
    """Columns that are called here as there, and those that are called otherwise: `theirs=ours`."""
    return {**{name: name for name in names}, **renamed}


# A dependency there has no date; that of the issue is the same on every machine.
_DERIVED: Final[dict[type[Record], frozenset[str]]] = {Dependency: frozenset({"created_at"})}
_POSITION: Final = _Table(BoardPosition, _same("board_id", "issue_id", "position", "deleted_at", "id"), _position)
_TABLES: Final = {
    "issues": _Table(
        Issue,
        _same(
            "id", "title", "description", "status", "type", "priority", "points", "labels", "parent_id", "acceptance",
            "sprint", "implementer_session", "creator_session", "reviewer_session", "closed_by_session", "created_at",
            "updated_at", "reviewed_at", "closed_at", "deleted_at", "minor", "created_branch", "defer_until",
            "due_date", "defer_count", review_requested_by_session="review_requested_by",
        ),
        _issue,
    ),
    "logs": _Table(
        Log,
        _same("id", "issue_id", "work_session_id", "message", "type", session_id="session", timestamp="created_at"),
        _numbered("lg", "issue_id", "session", "message", "created_at"),
    ),
    "comments": _Table(
        Comment,
        _same("id", "issue_id", "text", "created_at", session_id="session"),
        _numbered("cm", "issue_id", "session", "text", "created_at"),
    ),
    "handoffs": _Table(
        Handoff,
        _same("id", "issue_id", "done", "remaining", "decisions", "uncertain", session_id="session",
              timestamp="created_at"),
        _handoff,
    ),
    "git_snapshots": _Table(
        Snapshot,
        _same("id", "issue_id", "event", "commit_sha", "branch", "dirty_files", timestamp="created_at"),
        _numbered("gs", "issue_id", "event", "commit_sha", "created_at"),
    ),
    "issue_files": _Table(
        FileLink,
        _same("id", "issue_id", "role", file_path="path", linked_sha="sha", linked_at="created_at"),
        _file,
    ),
    "issue_dependencies": _Table(
        Dependency,
        _same("id", "issue_id", "depends_on_id", "relation_type", "created_at"),
        _dependency,
        created_at="(SELECT created_at FROM issues WHERE issues.id = issue_dependencies.issue_id)",
    ),
    "issue_reviews": _Table(
        Review,
        _same("id", "issue_id", "reviewer_session", "decision", "summary", "self_review", "reviewed_by", "created_at",
              "superseded_at", requested_by_session="requested_by"),
        _review,
    ),
    "issue_session_history": _Table(
        Involvement,
        _same("id", "issue_id", "action", "created_at", session_id="session"),
        _deed,
        order="created_at",
    ),
    "boards": _Table(
        Board, _same("id", "name", "query", "is_builtin", "view_mode", "created_at", "updated_at"), _board
    ),
    "board_issue_positions": _POSITION,
    "board_issues": _POSITION,
    "notes": _Table(
        Note,
        _same("id", "title", "content", "pinned", "archived", "created_at", "updated_at", "deleted_at"),
        _as_it_is,
    ),
    "work_sessions": _Table(
        WorkSession,
        _same("id", "name", "started_at", "ended_at", "start_sha", "end_sha", session_id="session"),
        _as_it_is,
    ),
    "work_session_issues": _Table(
        WorkSessionIssue, _same("id", "work_session_id", "issue_id", tagged_at="created_at"), _tagged
    ),
    "sessions": _Table(
        Session,
        _same("id", "name", "branch", "started_at", "ended_at", agent_type="agent",
              previous_session_id="previous_session"),
        _session,
    ),
}  # fmt: skip
