"""The export for people."""

from datetime import UTC, datetime

import pytest

from tests.tracker.transfer.content import fill
from tracker import Comment, Issue, Priority, Status, Tracker
from tracker.records import Board, Decision, Dependency, FileLink, Handoff, Log, LogType, Note, Review
from tracker.transfer import Dump, markdown, write_markdown

AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
ROWS = [
    Issue(
        id="td-00000001",
        title="Ship *it*",
        description="Some `code`\n# Not a heading",
        priority=Priority.P0,
        labels=frozenset({"ui"}),
        created_at=AT,
        acceptance="It runs",
        points=3,
    ),
    Issue(id="td-00000002", title="Done", status=Status.CLOSED, created_at=AT, closed_at=AT),
    Issue(id="td-00000003", title="Gone", created_at=AT, deleted_at=AT),
    Issue(id="td-00000004", title="Calm", priority=Priority.P4, created_at=AT),
    Comment(id="c", issue_id="td-00000001", text="Yes\n\nor no", session="ses_a", created_at=AT),
    Log(id="l", issue_id="td-00000001", message="tried", type=LogType.TRIED, created_at=AT),
    Handoff(id="h", issue_id="td-00000001", done=("one", "two"), uncertain=("three",), created_at=AT),
    Dependency(id="d", issue_id="td-00000001", depends_on_id="td-00000002", created_at=AT),
    FileLink(id="f", issue_id="td-00000001", path="src/main.py", created_at=AT),
    Review(id="r", issue_id="td-00000001", decision=Decision.CHANGES_REQUESTED, summary="no", created_at=AT),
    Board(id="bd-1", name="Mine", query="type = bug", created_at=AT),
    Note(id="nt-1", title="Plan", content="First\nthen", created_at=AT),
]
TEXT = r"""# Issues

## Open

### td-00000001 Ship \*it\*

task, P0; points: 3; labels: ui; created: 2026-01-02 03:04

> Some `code`
> # Not a heading

Done when:

> It runs

- depends on td-00000002

- implementation: `src/main.py`

Comment by ses\_a, 2026-01-02 03:04:

> Yes
>
> or no

Tried, 2026-01-02 03:04:

> tried

Handoff, 2026-01-02 03:04:

- done: one
- done: two
- uncertain: three

Review: changes requested, 2026-01-02 03:04:

> no

### td-00000004 Calm

task, P4; created: 2026-01-02 03:04

## Closed

### td-00000002 Done

task, P2; created: 2026-01-02 03:04; closed: 2026-01-02 03:04

# Boards

## bd-1 Mine

2026-01-02 03:04

> type = bug

# Notes

## nt-1 Plan

2026-01-02 03:04

> First
> then
"""


@pytest.mark.parametrize("page", [1, 200])
def test_issues_are_told_with_all_that_belongs_to_them(
    tracker: Tracker, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """By status, the most urgent first, page by page; what people wrote is quoted."""
    monkeypatch.setattr(markdown, "_PAGE_ROWS", page)
    fill(tracker, list(ROWS))

    text = "".join(write_markdown(Dump(tracker, with_deleted=False)))

    assert text == TEXT


def test_what_is_deleted_is_told_where_it_is_asked_for(tracker: Tracker) -> None:
    """And says so."""
    fill(tracker, list(ROWS))

    text = "".join(write_markdown(Dump(tracker, with_deleted=True)))

    assert "### td-00000003 Gone\n\ntask, P2; created: 2026-01-02 03:04; deleted: 2026-01-02 03:04\n" in text
