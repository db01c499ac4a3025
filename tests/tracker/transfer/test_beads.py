"""The JSONL of beads."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.tracker.transfer.content import empty, rows_of
from tracker import Comment, Issue, IssueType, Priority, Status, Tracker
from tracker.records import Dependency, Log, Note
from tracker.transfer import Outcome, Source, Summary, import_file

LINES: list[dict[str, Any]] = [  # any JSON objects
    {
        "_type": "issue", "id": "bd-a1b2", "title": "Ship it", "issue_type": "epic", "status": "open", "priority": 0,
        "created_at": "2026-01-02T03:04:05.123456789-08:00", "updated_at": "2026-01-02T03:04:05Z", "created_by": "ann",
        "assignee": "bob", "external_ref": "gh-9", "estimated_minutes": 30, "metadata": {"a": 1},
    },
    {
        "id": "bd-a1b2.1", "title": "Fix the parser", "description": "It fails.", "design": "Rewrite it.",
        "acceptance_criteria": "Tests pass", "notes": "Ask Ann.", "issue_type": "spike", "status": "closed",
        "priority": 3,
        "assignee": "bob", "created_at": "2026-01-02T00:00:00Z", "updated_at": "2026-01-04T00:00:00Z",
        "closed_at": "2026-01-03T00:00:00Z", "close_reason": "done", "due_at": "2026-02-01T12:00:00Z",
        "labels": ["ui", "back end"],
        "dependencies": [
            {"issue_id": "bd-a1b2.1", "depends_on_id": "bd-a1b2", "type": "parent-child"},
            {"issue_id": "bd-a1b2.1", "depends_on_id": "bd-c3", "type": "blocks", "created_at": "2026-01-02T01:00:00Z"},
            {"issue_id": "bd-a1b2.1", "depends_on_id": "bd-c3", "type": "related"},
        ],
        "comments": [{"id": 1, "author": "ann", "text": "nice", "created_at": "2026-01-02T02:00:00Z"}],
        "comment_count": 1,
    },
    {"id": "bd-c3", "title": "Later", "status": "deferred", "priority": 2, "created_at": "2026-01-01T00:00:00Z"},
    {"_type": "memory", "key": "style", "value": "be brief"},
]  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file as beads writes it."""
    path = tmp_path / "issues.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return path


@pytest.fixture
def summary(tracker: Tracker, file: Path) -> Summary:
    """What came of it."""
    return import_file(tracker, file)


def test_an_issue_of_beads_is_one_here(tracker: Tracker, summary: Summary) -> None:
    """With what td has no column for in its description, its origin at the end of it, and its parent."""
    by_title = {row.title: row for row in rows_of(tracker) if isinstance(row, Issue)}
    epic, fix = by_title["Ship it"], by_title["Fix the parser"]

    assert (summary.source, summary.total(Outcome.NEW)) == (Source.BEADS, 7)
    assert (epic.type, epic.priority, epic.creator_session) == (IssueType.EPIC, Priority.P0, "beads:ann")
    assert epic.created_at == datetime(2026, 1, 2, 11, 4, 5, 123456, tzinfo=UTC)
    assert epic.implementer_session is None
    assert epic.description == (
        "---\nImported from beads: bd-a1b2\nassignee: bob\nexternal_ref: gh-9\nestimated_minutes: 30\n"
    )
    assert (fix.status, fix.priority, fix.type, fix.parent_id) == (
        Status.CLOSED,
        Priority.P3,
        IssueType.TASK,
        epic.id,
    )
    assert fix.labels == {"ui", "back-end", "spike", "beads"}
    assert (fix.acceptance, fix.due_date, fix.implementer_session) == ("Tests pass", date(2026, 2, 1), "beads:bob")
    assert fix.description.startswith("It fails.\n\n## Design\n\nRewrite it.\n\n## Notes\n\nAsk Ann.\n\n---\n")


def test_what_belongs_to_an_issue_comes_with_it(tracker: Tracker, summary: Summary) -> None:
    """What it waits for, what was said, why it was closed; a memory is a note."""
    by_kind = {type(row): row for row in rows_of(tracker)}
    ids = {row.title: row.id for row in rows_of(tracker) if isinstance(row, Issue)}
    edge, comment, log, note = (by_kind[kind] for kind in (Dependency, Comment, Log, Note))

    assert isinstance(edge, Dependency)
    assert isinstance(comment, Comment)
    assert isinstance(log, Log)
    assert isinstance(note, Note)
    assert (edge.issue_id, edge.depends_on_id) == (ids["Fix the parser"], ids["Later"])
    assert (comment.text, comment.session, comment.issue_id) == ("nice", "beads:ann", ids["Fix the parser"])
    assert (log.message, log.created_at) == ("done", datetime(2026, 1, 3, tzinfo=UTC))
    assert (note.title, note.content) == ("style", "be brief")
    assert summary.skipped == ()


def test_what_has_no_place_is_counted(summary: Summary) -> None:
    """By name."""
    assert {(remark.reason, remark.count) for remark in summary.homeless} == {
        ("field metadata", 1),
        ("dependencies of type related", 1),
    }


def test_a_second_time_and_another_machine_make_the_same_rows(tracker: Tracker, file: Path, summary: Summary) -> None:
    """The ids are made of those of beads."""
    before = rows_of(tracker)

    again = import_file(tracker, file)

    assert (again.mutations, again.total(Outcome.UNCHANGED)) == (0, summary.total(Outcome.NEW))
    import_file(empty(tracker), file)
    assert rows_of(tracker) == before
    assert {row.id for row in before if isinstance(row, Issue)} >= {"td-wgsy38tr"}


def test_a_deleted_issue_of_beads_is_deleted_here(tracker: Tracker, tmp_path: Path) -> None:
    """It calls that a tombstone."""
    path = tmp_path / "issues.jsonl"
    element = {"id": "bd-1", "title": "Old", "status": "tombstone", "deleted_at": "2026-01-05T00:00:00Z", "priority": 2}
    path.write_text(json.dumps(element))

    import_file(tracker, path)

    (issue,) = (row for row in rows_of(tracker) if isinstance(row, Issue))
    assert issue.deleted_at == datetime(2026, 1, 5, tzinfo=UTC)
