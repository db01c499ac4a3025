"""What comes about only where the work of two who were offline meets, and how it is mended."""

import pytest

from tests.tracker.clock import Clock
from tests.tracker.pair import agreed, sync
from tracker import (
    Issue,
    IssueEdit,
    IssueType,
    Status,
    Tracker,
    arrivals,
    decisions,
    deeds,
    dependencies,
    editing,
    moves,
    reconcile,
    reviews,
    talk,
)
from tracker.errors import ClaimedError
from tracker.records import Dependency


def shared(laptop: Tracker, desktop: Tracker, *titles: str, epic: str | None = None) -> list[Issue]:
    """Issues that both have, parts of an epic if one is named."""
    made = [editing.create(laptop, IssueEdit(title=title, parent_id=epic)) for title in titles]
    sync(laptop, desktop)
    return made


def shared_epic(laptop: Tracker, desktop: Tracker) -> tuple[Issue, Issue, Issue]:
    """An epic of two parts that both have."""
    epic = laptop.create("Ship it", type=IssueType.EPIC)
    one, other = shared(laptop, desktop, "one", "other", epic=epic.id)
    return epic, one, other


def test_two_who_start_one_issue_offline_are_a_conflict_with_a_name_in_it(laptop: Tracker, desktop: Tracker) -> None:
    """Who comes second learns who has it, and the first one goes on undisturbed."""
    (issue,) = shared(laptop, desktop, "Oat milk")
    moves.start(laptop, [issue.id])
    moves.start(desktop, [issue.id])

    sync(laptop, desktop)

    (conflict,) = desktop.replica.conflicts()
    clash = conflict.fields["implementer_session"]
    assert (clash.mine, clash.theirs) == (desktop.session, laptop.session)
    assert desktop.get(issue.id).implementer_session == laptop.session
    decisions.settle(desktop, conflict, "theirs")
    (found,) = agreed(laptop, desktop)
    assert (found.status, found.implementer_session) == (Status.IN_PROGRESS, laptop.session)


def test_who_claims_online_what_the_primary_says_is_taken_learns_by_whom(laptop: Tracker, desktop: Tracker) -> None:
    """Before anything is written, though it is not known here yet."""
    (issue,) = shared(laptop, desktop, "Oat milk")
    moves.start(laptop, [issue.id], online=True)

    with pytest.raises(ClaimedError) as refused:
        moves.start(desktop, [issue.id], online=True)

    assert (refused.value.issue_id, refused.value.holder) == (issue.id, laptop.session)
    assert not desktop.replica.pending()
    (found,) = agreed(laptop, desktop)
    assert found.implementer_session == laptop.session


def test_the_last_parts_closed_by_two_close_their_epic(laptop: Tracker, desktop: Tracker) -> None:
    """Neither saw that it was the last one; whoever syncs first with both closes it, once."""
    epic, one, other = shared_epic(laptop, desktop)
    moves.close(laptop, [one.id])
    moves.close(desktop, [other.id])

    told = sync(laptop, desktop)

    assert told == [f"{epic.id} closed: all its parts are closed"]
    found = {issue.id: issue for issue in agreed(laptop, desktop)}[epic.id]
    assert (found.status, found.closed_by_session) == (Status.CLOSED, None)
    assert sync(laptop, desktop) == []


def test_an_approval_that_met_an_edit_does_not_count(laptop: Tracker, desktop: Tracker) -> None:
    """Whoever syncs first: what was approved is not what is there, and everybody is told so."""
    for first, second in ((laptop, desktop), (desktop, laptop)):
        (issue,) = shared(laptop, desktop, "Oat milk")
        reviews.request(laptop, [issue.id])
        sync(laptop, desktop)
        laptop.update(issue.id, IssueEdit(title="Whole milk"))
        reviews.approve(desktop, [issue.id], record_only=True, reason="oat milk is fine")

        told = sync(first, second)

        assert told == [f"{issue.id} the approval by {desktop.session} does not count: the issue was edited meanwhile"]
        assert sync(laptop, desktop) == []
        for tracker in (laptop, desktop):
            found = tracker.get(issue.id)
            assert (found.title, found.status) == ("Whole milk", Status.IN_REVIEW)
            assert deeds.approvals(tracker, found) == []


def test_an_approval_that_met_an_edit_closes_nothing_before_it_is_mended(laptop: Tracker, desktop: Tracker) -> None:
    """A client that has both does not wait for anybody to say so."""
    (issue,) = shared(laptop, desktop, "Oat milk")
    reviews.request(laptop, [issue.id])
    sync(laptop, desktop)
    laptop.update(issue.id, IssueEdit(title="Whole milk"))
    reviews.approve(desktop, [issue.id], record_only=True, reason="oat milk is fine")
    for tracker in (laptop, desktop, laptop):
        assert tracker.replica.sync().error is None

    assert deeds.approvals(laptop, laptop.get(issue.id)) == []


def test_both_who_see_it_mend_it_to_the_same(laptop: Tracker, desktop: Tracker) -> None:
    """At once, without a conflict."""
    epic, one, other = shared_epic(laptop, desktop)
    moves.close(laptop, [one.id])
    moves.close(desktop, [other.id])
    for tracker in (laptop, desktop, laptop, desktop):
        # Both have everything before either looks at it.
        assert tracker.replica.sync().error is None

    mended = [reconcile.mend(tracker, arrivals.arrived_since(tracker, None)) for tracker in (laptop, desktop)]

    assert [[one.issue_id for one in done] for done in mended] == [[epic.id], [epic.id]]
    sync(laptop, desktop)
    assert laptop.replica.conflicts() == []
    assert {issue.status for issue in agreed(laptop, desktop)} == {Status.CLOSED}


def test_a_close_goes_through_where_its_epic_was_touched_meanwhile(laptop: Tracker, desktop: Tracker) -> None:
    """What followed for the epic gives way: half of a mutation that clashes holds the other half up no longer."""
    epic, one, other = shared_epic(laptop, desktop)
    moves.close(laptop, [one.id])
    sync(laptop, desktop)
    moves.start(laptop, [epic.id])
    moves.close(desktop, [other.id])
    assert desktop.get(epic.id).status is Status.CLOSED

    sync(laptop, desktop)

    assert desktop.replica.conflicts() == []
    found = {issue.id: issue.status for issue in agreed(laptop, desktop)}
    assert found[other.id] is Status.CLOSED
    assert found[epic.id] is not Status.BLOCKED


def test_a_part_that_arrives_opens_the_epic_that_was_closed_without_it(
    laptop: Tracker, desktop: Tracker, clock: Clock
) -> None:
    """An epic that somebody closed by hand stays closed."""
    epic, one, other = shared_epic(laptop, desktop)
    moves.close(laptop, [one.id, other.id])
    clock.pass_seconds(60)
    editing.create(desktop, IssueEdit(title="new", parent_id=epic.id))

    told = sync(laptop, desktop)

    assert told == [f"{epic.id} open again: a part of it is open"]
    assert {issue.id: issue.status for issue in agreed(laptop, desktop)}[epic.id] is Status.OPEN


def test_what_two_free_together_is_unblocked(laptop: Tracker, desktop: Tracker) -> None:
    """Each closed one of the two things that it waited for."""
    first, second, waiting = shared(laptop, desktop, "first", "second", "waiting")
    dependencies.add(laptop, waiting.id, [first.id, second.id])
    moves.block(laptop, [waiting.id])
    sync(laptop, desktop)
    moves.close(laptop, [first.id])
    moves.close(desktop, [second.id])

    told = sync(laptop, desktop)

    assert told == [f"{waiting.id} open: all that it depends on is closed"]
    assert {issue.id: issue.status for issue in agreed(laptop, desktop)}[waiting.id] is Status.OPEN


def test_what_was_blocked_after_that_stays_blocked(laptop: Tracker, desktop: Tracker, clock: Clock) -> None:
    """Somebody had another reason."""
    first, waiting = shared(laptop, desktop, "first", "waiting")
    dependencies.add(laptop, waiting.id, [first.id])
    sync(laptop, desktop)
    moves.close(laptop, [first.id])
    clock.pass_seconds(60)
    moves.block(desktop, [waiting.id], reason="the printer is broken")

    assert sync(laptop, desktop) == []

    assert {issue.id: issue.status for issue in agreed(laptop, desktop)}[waiting.id] is Status.BLOCKED


@pytest.mark.parametrize("is_younger", [True, False])
def test_of_a_circle_that_two_made_the_youngest_dependency_is_taken_out(
    laptop: Tracker, desktop: Tracker, clock: Clock, *, is_younger: bool
) -> None:
    """Whoever syncs first, and it is told where both see it."""
    one, other = shared(laptop, desktop, "one", "other")
    clock.pass_seconds(60)
    dependencies.add(laptop, one.id, [other.id])
    clock.pass_seconds(-30 if is_younger else 30)
    dependencies.add(desktop, other.id, [one.id])

    told = sync(laptop, desktop)

    assert len(told) == 1
    agreed(laptop, desktop)
    kept = {one.id, other.id} - {told[0].split()[0]}
    for tracker in (laptop, desktop):
        assert {edge.issue_id for edge in tracker.replica.select(Dependency)} == kept
        (log,) = talk.logs(tracker, told[0].split()[0])
        assert "was a circle" in log.message
    assert kept == ({other.id} if is_younger else {one.id})


def test_a_circle_over_three_is_opened_once(laptop: Tracker, desktop: Tracker, clock: Clock) -> None:
    """And nothing else is taken out."""
    a, b, c = shared(laptop, desktop, "a", "b", "c")
    dependencies.add(laptop, a.id, [b.id])
    clock.pass_seconds(1)
    dependencies.add(desktop, b.id, [c.id])
    clock.pass_seconds(1)
    dependencies.add(desktop, c.id, [a.id])

    sync(laptop, desktop)

    agreed(laptop, desktop)
    assert {(edge.issue_id, edge.depends_on_id) for edge in laptop.replica.select(Dependency)} == {
        (a.id, b.id),
        (b.id, c.id),
    }


def test_two_who_make_each_a_part_of_the_other_leave_one_of_them_on_top(laptop: Tracker, desktop: Tracker) -> None:
    """The one of the greater id, on every machine."""
    one, other = shared(laptop, desktop, "one", "other")
    laptop.update(one.id, IssueEdit(parent_id=other.id))
    desktop.update(other.id, IssueEdit(parent_id=one.id))

    told = sync(laptop, desktop)

    first, last = sorted((one.id, other.id))
    assert [line.split()[0] for line in told] == [last]
    assert {issue.id: issue.parent_id for issue in agreed(laptop, desktop)} == {first: last, last: None}


def test_two_who_relate_the_same_make_one_row(laptop: Tracker, desktop: Tracker) -> None:
    """No conflict, and no second row."""
    one, other = shared(laptop, desktop, "one", "other")
    for tracker in (laptop, desktop):
        dependencies.add(tracker, one.id, [other.id])

    agreed(laptop, desktop)

    assert len(laptop.replica.select(Dependency)) == 1
    assert laptop.replica.conflicts() == desktop.replica.conflicts() == []


def test_a_part_from_before_the_closing_opens_the_epic_too(laptop: Tracker, desktop: Tracker, clock: Clock) -> None:
    """Nobody closed the epic; it only seemed to be done."""
    epic, one, other = shared_epic(laptop, desktop)
    editing.create(desktop, IssueEdit(title="new", parent_id=epic.id))
    clock.pass_seconds(60)
    moves.close(laptop, [one.id, other.id])

    told = sync(laptop, desktop)

    assert told == [f"{epic.id} open again: a part of it is open"]
    assert sync(laptop, desktop) == []
    assert {issue.id: issue.status for issue in agreed(laptop, desktop)}[epic.id] is Status.OPEN


def test_what_follows_goes_up_through_all_epics(laptop: Tracker, desktop: Tracker, clock: Clock) -> None:
    """At once, though the one above came to its status after the one below."""
    top = laptop.create("Ship it", type=IssueType.EPIC)
    inner = editing.create(laptop, IssueEdit(title="inner", type=IssueType.EPIC, parent_id=top.id))
    one, other = shared(laptop, desktop, "one", "other", epic=inner.id)
    clock.pass_seconds(60)
    moves.start(laptop, [top.id])
    sync(laptop, desktop)
    clock.pass_seconds(60)
    moves.close(laptop, [one.id])
    moves.close(desktop, [other.id])

    told = sync(laptop, desktop)

    assert told == [f"{epic.id} closed: all its parts are closed" for epic in (inner, top)]
    assert {issue.status for issue in agreed(laptop, desktop)} == {Status.CLOSED}


def test_a_part_that_arrives_opens_all_epics_above_it(laptop: Tracker, desktop: Tracker, clock: Clock) -> None:
    """The one that it is in, and the one above that."""
    top = laptop.create("Ship it", type=IssueType.EPIC)
    inner = editing.create(laptop, IssueEdit(title="inner", type=IssueType.EPIC, parent_id=top.id))
    (part,) = shared(laptop, desktop, "part", epic=inner.id)
    moves.close(laptop, [part.id])
    clock.pass_seconds(60)
    editing.create(desktop, IssueEdit(title="new", parent_id=inner.id))

    told = sync(laptop, desktop)

    assert told == [f"{epic.id} open again: a part of it is open" for epic in (inner, top)]
    found = {issue.id: issue.status for issue in agreed(laptop, desktop)}
    assert (found[inner.id], found[top.id]) == (Status.OPEN, Status.OPEN)


def test_both_who_see_a_circle_open_it_alike(laptop: Tracker, desktop: Tracker, clock: Clock) -> None:
    """Whichever of its dependencies each of them saw arrive."""
    a, b, c = shared(laptop, desktop, "a", "b", "c")
    edges = []
    for tracker, issue, needed in ((laptop, a, b), (laptop, b, c), (desktop, c, a)):
        clock.pass_seconds(1)
        edges += dependencies.add(tracker, issue.id, [needed.id])
    for tracker in (laptop, desktop, laptop, desktop):
        assert tracker.replica.sync().error is None

    for tracker, arrived in ((laptop, edges[2]), (desktop, edges[0])):
        reconcile.mend(tracker, arrivals.Arrived("", frozenset(), frozenset({arrived.id})))

    sync(laptop, desktop)
    assert desktop.replica.conflicts() == []
    agreed(laptop, desktop)


def test_a_circle_of_parts_that_somebody_else_opens_is_nothing_to_decide(laptop: Tracker, desktop: Tracker) -> None:
    """What is mended gives way to what a person did."""
    one, other, third = shared(laptop, desktop, "one", "other", "third")
    laptop.update(one.id, IssueEdit(parent_id=other.id))
    desktop.update(other.id, IssueEdit(parent_id=one.id))
    for tracker in (laptop, desktop, laptop):
        assert tracker.replica.sync().error is None
    last = max(one.id, other.id)
    desktop.update(last, IssueEdit(parent_id=third.id))
    reconcile.mend(laptop, arrivals.arrived_since(laptop, None))

    sync(desktop, laptop)

    assert laptop.replica.conflicts() == []
    assert {issue.id: issue.parent_id for issue in agreed(laptop, desktop)}[last] == third.id


def test_an_epic_that_is_blocked_follows_its_parts(laptop: Tracker, desktop: Tracker, clock: Clock) -> None:
    """They say that it went on, whatever was in the way."""
    epic, one, other = shared_epic(laptop, desktop)
    moves.block(laptop, [epic.id])
    sync(laptop, desktop)
    clock.pass_seconds(60)
    moves.close(laptop, [one.id])
    moves.close(desktop, [other.id])

    told = sync(laptop, desktop)

    assert told == [f"{epic.id} closed: all its parts are closed"]
    assert {issue.status for issue in agreed(laptop, desktop)} == {Status.CLOSED}


def test_nothing_is_left_of_a_status_that_another_replaced(laptop: Tracker, desktop: Tracker, clock: Clock) -> None:
    """One opened it again; the other did too, and closed it once more: it is open, and nobody closed it."""
    (issue,) = shared(laptop, desktop, "Oat milk")
    moves.close(laptop, [issue.id])
    sync(laptop, desktop)
    clock.pass_seconds(60)
    moves.reopen(desktop, [issue.id])
    clock.pass_seconds(60)
    moves.reopen(laptop, [issue.id])
    moves.close(laptop, [issue.id])

    told = sync(laptop, desktop)

    (found,) = agreed(laptop, desktop)
    assert (found.status, found.closed_at, found.closed_by_session) == (Status.OPEN, None, None)
    assert told == [f"{issue.id} open: what was left of another status is taken out"]
    assert sync(laptop, desktop) == []


def test_an_epic_that_is_open_again_is_in_review_with_its_parts(
    laptop: Tracker, desktop: Tracker, clock: Clock
) -> None:
    """It was closed by the others before the new one arrived."""
    epic, one, other = shared_epic(laptop, desktop)
    reviews.request(laptop, [one.id])
    sync(laptop, desktop)
    moves.close(laptop, [other.id])
    reviews.approve(laptop, [one.id], is_self_review=True, reason="fine")
    clock.pass_seconds(60)
    part = editing.create(desktop, IssueEdit(title="new", parent_id=epic.id))
    reviews.request(desktop, [part.id])

    sync(laptop, desktop)

    assert {issue.id: issue.status for issue in agreed(laptop, desktop)}[epic.id] is Status.IN_REVIEW


def test_what_arrives_from_a_primary_that_was_restored_is_looked_at(laptop: Tracker, desktop: Tracker) -> None:
    """Its changes are numbered anew, and may have come past the one that was last looked at."""
    epic, one, other = shared_epic(laptop, desktop)
    laptop.here.set_reconciled("2 of-another-past")
    moves.close(laptop, [one.id])
    moves.close(desktop, [other.id])

    told = sync(desktop, laptop)

    assert told == [f"{epic.id} closed: all its parts are closed"]
    assert epic.id in arrivals.arrived_since(laptop, "2 of-another-past").issues


def test_very_much_that_arrives_is_mended_in_parts(
    laptop: Tracker, desktop: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One mutation of it all could be too large for ever."""
    monkeypatch.setattr(reconcile, "_BATCH", 1)
    epics = [shared_epic(laptop, desktop) for _ in range(3)]
    for _, one, other in epics:
        moves.close(laptop, [one.id])
        moves.close(desktop, [other.id])
    for tracker in (laptop, desktop):
        assert tracker.replica.sync().error is None

    mended = reconcile.mend(desktop, arrivals.arrived_since(desktop, None))

    assert {one.issue_id for one in mended} == {epic.id for epic, _, _ in epics}
    assert len(desktop.replica.pending()) == 3
    assert {issue.status for issue in agreed(laptop, desktop)} == {Status.CLOSED}
