"""The rules hold where every write goes to the primary first, and no query sees what a transaction holds back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sqld import Server
from tests.tracker.clock import Clock
from tests.tracker.pair import sync
from tracker import (
    Issue,
    IssueEdit,
    IssueType,
    Status,
    Tracker,
    deeds,
    dependencies,
    editing,
    moves,
    open_tracker,
    reviews,
)
from tracker.errors import ClaimedError, CycleError
from tracker.records import Dependency


def opened(tmp_path: Path, server: Server, clock: Clock, number: int) -> Tracker:
    """A tracker without a disk of its own."""
    return open_tracker(
        tmp_path / f"far{number}", mode="remote", url=server.url, session=f"ses_far_00000{number}", machine="far",
        clock=clock,
    )  # fmt: skip


@pytest.fixture
def far(tmp_path: Path, primary_server: Server, clock: Clock) -> Iterator[Tracker]:
    """One of two without a disk."""
    with opened(tmp_path, primary_server, clock, 1) as tracker:
        yield tracker


@pytest.fixture
def farther(tmp_path: Path, primary_server: Server, clock: Clock) -> Iterator[Tracker]:
    """The other."""
    with opened(tmp_path, primary_server, clock, 2) as tracker:
        yield tracker


def epic_with(tracker: Tracker, *titles: str) -> tuple[Issue, list[Issue]]:
    """An epic and its parts."""
    epic = tracker.create("Ship it", type=IssueType.EPIC)
    return epic, [editing.create(tracker, IssueEdit(title=title, parent_id=epic.id)) for title in titles]


def test_an_epic_follows_its_parts(far: Tracker) -> None:
    """When they close in one mutation, and when a new one comes."""
    epic, parts = epic_with(far, "one", "other")

    closed = moves.close(far, [part.id for part in parts])
    editing.create(far, IssueEdit(title="new", parent_id=epic.id))

    assert [(issue.id, issue.status) for issue in closed.followed] == [(epic.id, Status.CLOSED)]
    assert far.get(epic.id).status is Status.OPEN


def test_an_issue_put_into_a_closed_epic_opens_it(far: Tracker) -> None:
    """Its place is read as the transaction changed it."""
    epic, (part,) = epic_with(far, "one")
    other = far.create("elsewhere")
    moves.close(far, [part.id])

    far.update(other.id, IssueEdit(parent_id=epic.id))

    assert far.get(epic.id).status is Status.OPEN


def test_a_circle_made_in_one_command_is_refused(far: Tracker) -> None:
    """Nothing of it is written."""
    made = far.create("Oat milk")

    with pytest.raises(CycleError):
        editing.create(far, IssueEdit(title="Soy milk"), depends_on=[made.id], blocks=[made.id])

    assert far.replica.select(Dependency) == []


def test_an_edit_that_ends_an_approval_twice_is_done(far: Tracker, farther: Tracker) -> None:
    """The title and the dependencies each end it."""
    made, other = far.create("Oat milk"), far.create("Soy milk")
    reviews.request(far, [made.id])
    reviews.approve(farther, [made.id], record_only=True, reason="fine")

    editing.change(far, [made.id], IssueEdit(title="Oat drink"), depends_on=[other.id])

    assert deeds.approvals(far, far.get(made.id)) == []


def test_an_epic_and_its_parts_go_through_a_review(far: Tracker, farther: Tracker) -> None:
    """Both when all of them are named."""
    epic, parts = epic_with(far, "one", "other")
    ids = [epic.id, *(part.id for part in parts)]
    reviews.request(far, ids)

    moved = reviews.approve(farther, ids)

    assert {issue.status for issue in moved.issues} == {Status.CLOSED}


def test_what_waited_is_open_when_all_of_it_closes_at_once(far: Tracker) -> None:
    """And somebody else's claim is refused as everywhere."""
    first, second, waiting = (far.create(title) for title in ("first", "second", "waiting"))
    dependencies.add(far, waiting.id, [first.id, second.id])
    moves.block(far, [waiting.id])

    moves.close(far, [first.id, second.id])

    assert far.get(waiting.id).status is Status.OPEN


def test_two_who_claim_online_do_not_both_have_it(far: Tracker, farther: Tracker, laptop: Tracker) -> None:
    """The second one is refused at once, with or without a copy of their own."""
    made = far.create("Oat milk")
    sync(laptop)
    moves.start(far, [made.id], online=True)

    for late in (farther, laptop):
        with pytest.raises(ClaimedError, match=far.session):
            moves.start(late, [made.id], online=True)

    assert not laptop.replica.pending()
