"""Rows of programs without a replica: td's rules, compare-and-swap, exactly once, and in the history."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from replica import Kind, UnreachableError
from sqld import Server
from tests.faults import FaultProxy
from tracker import Issue, IssueEdit, Status, Tracker, open_tracker
from tracker.batches import RowDone, RowWish, write_rows


@pytest.fixture
def tracker(network: FaultProxy, tmp_path: Path) -> Iterator[Tracker]:
    """The issues that are on the primary alone."""
    with open_tracker(tmp_path, mode="remote", url=network.url) as opened:
        yield opened


def insert(table: str = "issues", row_id: str = "", **fields: Any) -> RowWish:  # any JSON
    """A new row."""
    return RowWish(table, Kind.INSERT, row_id, "", fields)


def update(done: RowDone, **fields: Any) -> RowWish:  # any JSON
    """Another value in some fields of a row that was written."""
    return RowWish("issues", Kind.UPDATE, done.id, done.updated_at, fields)


def error_of(done: RowDone) -> str:
    """Why a row was refused."""
    assert done.error is not None, done
    return str(done.error)


def test_rows_are_written_by_the_rules_of_td(tracker: Tracker) -> None:
    """What td fills in is filled in, and what follows from a change follows."""
    written = write_rows(tracker, [insert(title="Milk", labels=["shop", "food"])], request="first")

    closed = write_rows(tracker, [update(written[0], status="closed")], request="second")

    issue = tracker.get(written[0].id)
    assert (issue.title, issue.labels, issue.status) == ("Milk", frozenset({"shop", "food"}), Status.CLOSED)
    assert issue.closed_at is not None
    assert issue.updated_at == closed[0].updated_at
    assert issue.creator_session == tracker.session


def test_a_row_is_in_the_history_as_any_other(tracker: Tracker) -> None:
    """So that replicas, undo and teammates see who did what."""
    written = write_rows(tracker, [insert(title="Milk")], request="first")
    write_rows(tracker, [update(written[0], title="Oat milk")], request="second")

    _, entries = tracker.history(written[0].id)

    assert [(entry.kind, entry.session) for entry in entries] == [
        (Kind.INSERT, tracker.session),
        (Kind.UPDATE, tracker.session),
    ]
    assert entries[1].fields["title"] == ("Milk", "Oat milk")


def test_a_row_that_moved_on_is_a_conflict_and_stays(tracker: Tracker) -> None:
    """The sender gets it as it is now; the other rows are written."""
    written = write_rows(tracker, [insert(title="Milk"), insert(title="Bread")], request="first")
    tracker.update(written[0].id, IssueEdit(title="Oat milk"))

    done = write_rows(tracker, [update(written[0], title="Soy"), update(written[1], title="Rye")], request="second")

    current = done[0].current
    assert (done[0].conflict, done[1].conflict) == (True, False)
    assert isinstance(current, Issue)
    assert current.title == tracker.get(written[0].id).title == "Oat milk"
    assert tracker.get(written[1].id).title == "Rye"


def test_a_row_that_is_gone_or_there_already_is_a_conflict(tracker: Tracker) -> None:
    """As the two ends of the same."""
    written = write_rows(tracker, [insert(row_id="td-aaaaaaaa", title="Milk")], request="first")
    gone = RowWish("issues", Kind.UPDATE, "td-bbbbbbbb", written[0].updated_at, {"title": "x"})

    done = write_rows(tracker, [gone, insert(row_id="td-aaaaaaaa", title="More")], request="second")

    assert [(each.conflict, each.current is None) for each in done] == [(True, True), (True, False)]


def test_a_request_sent_again_is_written_once(tracker: Tracker) -> None:
    """Also where only a part of it was written the first time."""
    wishes = [insert(title="Milk"), insert(title="Bread")]
    first = write_rows(tracker, wishes[:1], request="same")

    again = write_rows(tracker, wishes, request="same")
    once_more = write_rows(tracker, wishes, request="same")

    assert again[0] == first[0]
    assert once_more == again
    assert [row[0] for row in tracker.replica.read("SELECT title FROM issues ORDER BY title").rows] == ["Bread", "Milk"]


def test_an_update_sent_again_is_not_a_conflict_with_itself(tracker: Tracker) -> None:
    """The row moved on by the request itself."""
    written = write_rows(tracker, [insert(title="Milk")], request="first")
    wish = update(written[0], title="Oat milk")
    once = write_rows(tracker, [wish], request="second")

    assert write_rows(tracker, [wish], request="second") == once


def test_a_row_that_td_would_not_write_is_refused_with_a_reason(tracker: Tracker) -> None:
    """One by one; the rest is written."""
    wishes = [
        insert("nothing", title="x"),
        insert("issues", title="x", titel="x"),
        insert("issues", title=7),
        insert("issues", title="x", id="td-aaaaaaaa"),
        insert("issues", title="x", status="closed", closed_by_session="somebody"),
        insert("involvements", issue_id="td-aaaaaaaa"),
        insert("comments", issue_id="td-aaaaaaaa", text="about nothing"),
        insert("issues", title="Milk"),
    ]

    done = write_rows(tracker, wishes, request="first")

    assert error_of(done[0]) == "there is no such table"
    assert "titel" in error_of(done[1])
    assert "title" in error_of(done[2])
    assert "not fields" in error_of(done[3])
    assert "closed_by_session" in error_of(done[4])
    assert all(done[place].error is not None for place in (5, 6))
    assert done[7].updated_at
    assert tracker.replica.read("SELECT count(*) FROM issues").rows == [(1,)]


def test_a_delete_marks_an_issue_as_td_does(tracker: Tracker) -> None:
    """It can be restored."""
    written = write_rows(tracker, [insert(title="Milk")], request="first")

    write_rows(tracker, [RowWish("issues", Kind.DELETE, written[0].id, written[0].updated_at, {})], request="second")

    assert tracker.get(written[0].id).deleted_at is not None


def test_a_primary_that_is_gone_in_the_midst_is_told_and_nothing_is_lost(
    tracker: Tracker, network: FaultProxy, primary_server: Server
) -> None:
    """The same request goes on where it ended."""
    wishes = [insert(title=f"Issue {number}") for number in range(3)]
    write_rows(tracker, wishes[:1], request="same")
    network.cut()
    with pytest.raises(UnreachableError):
        write_rows(tracker, wishes, request="same")
    network.heal()

    done = write_rows(tracker, wishes, request="same")

    assert all(each.updated_at for each in done)
    assert tracker.replica.read("SELECT count(*) FROM issues").rows == [(3,)]
