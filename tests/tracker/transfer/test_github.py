"""Issues of GitHub in JSON, as its REST API and `gh` write them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.tracker.transfer.content import rows_of
from tracker import Comment, Issue, IssueType, Priority, Status, Tracker
from tracker.transfer import Outcome, Source, import_file

REST: list[dict[str, Any]] = [  # any JSON objects
    {
        "url": "https://api.github.com/repos/Acme/Shop/issues/12", "html_url": "https://github.com/Acme/Shop/issues/12",
        "id": 900, "node_id": "I_x", "number": 12, "title": "Cart is empty", "body": "Always.\r\n", "state": "closed",
        "state_reason": "not_planned", "user": {"login": "ann"}, "assignees": [{"login": "bob"}, {"login": "eve"}],
        "labels": [{"name": "bug"}, {"name": "p1"}, {"name": "good first issue"}], "milestone": {"title": "v2"},
        "comments": 3, "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-05T00:00:00Z",
        "closed_at": "2026-01-04T00:00:00Z", "closed_by": {"login": "eve"}, "locked": False,
        "parent_issue_url": "https://api.github.com/repos/Acme/Shop/issues/7", "reactions": {"total_count": 1},
    },
    {
        "html_url": "https://github.com/Acme/Shop/issues/7", "number": 7, "title": "Checkout", "body": None,
        "state": "open", "labels": [], "type": {"name": "Feature"}, "comments": 0, "created_at": "2026-01-01T00:00:00Z",
    },
    {
        "html_url": "https://github.com/Acme/Shop/pull/9", "number": 9, "title": "A pull request", "state": "open",
        "pull_request": {"url": "…"}, "created_at": "2026-01-01T00:00:00Z",
    },
]  # fmt: skip
GH: list[dict[str, Any]] = [  # see above
    {
        "number": 12, "title": "Cart is empty", "body": "Always.\r\n", "state": "CLOSED", "stateReason": "NOT_PLANNED",
        "url": "https://github.com/Acme/Shop/issues/12", "author": {"login": "ann", "name": "Ann A."},
        "labels": [{"name": "bug"}, {"name": "p1"}, {"name": "good first issue"}], "milestone": {"title": "v2"},
        "assignees": [{"login": "bob", "name": "Bob B."}, {"login": "eve", "name": ""}],
        "createdAt": "2026-01-02T03:04:05Z", "closedAt": "2026-01-04T00:00:00Z",
        "comments": [
            {"url": "https://github.com/Acme/Shop/issues/12#c1", "author": {"login": "bob"}, "body": "same here",
             "createdAt": "2026-01-03T00:00:00Z"},
        ],
    },
]  # fmt: skip


def written(folder: Path, document: object) -> Path:
    """A file that holds a document."""
    path = folder / "issues.json"
    path.write_text(json.dumps(document))
    return path


def test_an_issue_of_github_is_one_here(tracker: Tracker, tmp_path: Path) -> None:
    """Its type and priority by its labels, its milestone as sprint, and where it is at the end of its description."""
    summary = import_file(tracker, written(tmp_path, REST))

    by_title = {row.title: row for row in rows_of(tracker) if isinstance(row, Issue)}
    cart, checkout = by_title["Cart is empty"], by_title["Checkout"]
    assert (summary.source, summary.total(Outcome.NEW)) == (Source.GITHUB, 2)
    assert (cart.type, cart.priority, cart.status, cart.sprint) == (
        IssueType.BUG,
        Priority.P1,
        Status.CLOSED,
        "v2",
    )
    assert cart.labels == {"bug", "p1", "good-first-issue", "not_planned", "github"}
    assert (cart.parent_id, checkout.type, checkout.status) == (checkout.id, IssueType.FEATURE, Status.OPEN)
    assert (cart.creator_session, cart.closed_by_session) == ("github:ann", "github:eve")
    assert cart.closed_at == datetime(2026, 1, 4, tzinfo=UTC)
    assert cart.description == (
        "Always.\n\n---\nImported from GitHub: https://github.com/acme/shop/issues/12\nassigned to: bob, eve\n"
    )


def test_what_has_no_place_is_counted(tracker: Tracker, tmp_path: Path) -> None:
    """Pull requests, comments that are not in the file, and fields."""
    summary = import_file(tracker, written(tmp_path, REST))

    assert {(remark.reason, remark.count) for remark in summary.homeless} == {
        ("pull requests", 1),
        ("comments that are only counted in this file", 3),
        ("field reactions", 1),
    }
    assert summary.skipped == ()


def test_both_forms_make_the_same_issue(tracker: Tracker, tmp_path: Path) -> None:
    """So that the comments, which only `gh` lists, can be taken in afterwards."""
    import_file(tracker, written(tmp_path, REST))

    summary = import_file(tracker, written(tmp_path, GH))

    assert (summary.counts["issues"][Outcome.UNCHANGED], summary.counts["comments"][Outcome.NEW]) == (1, 1)
    (comment,) = (row for row in rows_of(tracker) if isinstance(row, Comment))
    assert (comment.text, comment.session) == ("same here", "github:bob")
    assert import_file(tracker, written(tmp_path, GH)).mutations == 0


@pytest.mark.parametrize("form", ["pages one after the other", "a list of pages", "one object"])
def test_pages_are_read_however_they_are_put_together(tracker: Tracker, tmp_path: Path, form: str) -> None:
    """As `gh api` prints them, with --paginate and with --slurp."""
    path = tmp_path / "issues.json"
    first, second = REST[:1], REST[1:]
    texts = {
        "pages one after the other": json.dumps(first) + json.dumps(second),
        "a list of pages": json.dumps([first, second]),
        "one object": json.dumps(REST[1]),
    }
    path.write_text(texts[form])

    summary = import_file(tracker, path)

    assert summary.total(Outcome.NEW) == (1 if form == "one object" else 2)


def test_an_issue_without_an_address_is_left_out(tracker: Tracker, tmp_path: Path) -> None:
    """Its number alone would be that of an issue of any repository."""
    summary = import_file(tracker, written(tmp_path, [{"number": 1, "title": "Who?", "state": "OPEN"}]))

    assert [remark.reason for remark in summary.skipped] == ["it does not say where it is: ask gh for --json url too"]
    assert summary.total(Outcome.SKIPPED) == 1
