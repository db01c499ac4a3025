"""The tables of the td that is written in Go, and what each of their columns is here.

Always true: ids are kept, and those of relations are made as it makes them; rows that had numbers for ids, as in its
first schemas, get ids made of what they hold.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from replica import Record
from tracker.boards import check_board_query
from tracker.errors import FilterError, InvalidFieldError
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
from tracker.transfer.found import Tally
from tracker.transfer.origin import row_id

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class GoTable:
    """How a table is taken over. columns: theirs to ours. convert: what else is to be done with a row, in place.

    convert returns False for a row that has no place, which it has counted. order: the column that the rows are read
    by. created_at: SQL for when a row was made, where its table does not say so.
    """

    record: type[Record]
    columns: dict[str, str]
    convert: Callable[[Row, str, Tally], bool]
    order: str = ""
    created_at: str = ""


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
    query = str(row.get("query") or "")
    try:
        check_board_query(query)
    except (FilterError, InvalidFieldError):
        reason = "filters that td does not understand, kept as they are"
        tally.homeless.add("boards", reason, f"{where}: {query[:40]!r}")
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


# That of its issue is the same on every machine.
DERIVED: Final[dict[type[Record], frozenset[str]]] = {Dependency: frozenset({"created_at"})}
"""What a table does not state: a dependency has no date there."""
_POSITION: Final = GoTable(BoardPosition, _same("board_id", "issue_id", "position", "deleted_at", "id"), _position)
GO_TABLES: Final = {
    "issues": GoTable(
        Issue,
        _same(
            "id", "title", "description", "status", "type", "priority", "points", "labels", "parent_id", "acceptance",
            "sprint", "implementer_session", "creator_session", "reviewer_session", "closed_by_session", "created_at",
            "updated_at", "reviewed_at", "closed_at", "deleted_at", "minor", "created_branch", "defer_until",
            "due_date", "defer_count", review_requested_by_session="review_requested_by",
        ),
        _issue,
    ),
    "logs": GoTable(
        Log,
        _same("id", "issue_id", "work_session_id", "message", "type", session_id="session", timestamp="created_at"),
        _numbered("lg", "issue_id", "session", "message", "created_at"),
    ),
    "comments": GoTable(
        Comment,
        _same("id", "issue_id", "text", "created_at", session_id="session"),
        _numbered("cm", "issue_id", "session", "text", "created_at"),
    ),
    "handoffs": GoTable(
        Handoff,
        _same("id", "issue_id", "done", "remaining", "decisions", "uncertain", session_id="session",
              timestamp="created_at"),
        _handoff,
    ),
    "git_snapshots": GoTable(
        Snapshot,
        _same("id", "issue_id", "event", "commit_sha", "branch", "dirty_files", timestamp="created_at"),
        _numbered("gs", "issue_id", "event", "commit_sha", "created_at"),
    ),
    "issue_files": GoTable(
        FileLink,
        _same("id", "issue_id", "role", file_path="path", linked_sha="sha", linked_at="created_at"),
        _file,
    ),
    "issue_dependencies": GoTable(
        Dependency,
        _same("id", "issue_id", "depends_on_id", "relation_type", "created_at"),
        _dependency,
        created_at="(SELECT created_at FROM issues WHERE issues.id = issue_dependencies.issue_id)",
    ),
    "issue_reviews": GoTable(
        Review,
        _same("id", "issue_id", "reviewer_session", "decision", "summary", "self_review", "reviewed_by", "created_at",
              "superseded_at", requested_by_session="requested_by"),
        _review,
    ),
    "issue_session_history": GoTable(
        Involvement,
        _same("id", "issue_id", "action", "created_at", session_id="session"),
        _deed,
        order="created_at",
    ),
    "boards": GoTable(
        Board, _same("id", "name", "query", "is_builtin", "view_mode", "created_at", "updated_at"), _board
    ),
    "board_issue_positions": _POSITION,
    "board_issues": _POSITION,
    "notes": GoTable(
        Note,
        _same("id", "title", "content", "pinned", "archived", "created_at", "updated_at", "deleted_at"),
        _as_it_is,
    ),
    "work_sessions": GoTable(
        WorkSession,
        _same("id", "name", "started_at", "ended_at", "start_sha", "end_sha", session_id="session"),
        _as_it_is,
    ),
    "work_session_issues": GoTable(
        WorkSessionIssue, _same("id", "work_session_id", "issue_id", tagged_at="created_at"), _tagged
    ),
    "sessions": GoTable(
        Session,
        _same("id", "name", "branch", "started_at", "ended_at", agent_type="agent",
              previous_session_id="previous_session"),
        _session,
    ),
}  # fmt: skip
