"""What an agent needs to know before it begins."""

from tracker import Account, IssueEdit, Status, Tracker, dependencies, find_usage, moves, reviews, talk


def test_it_tells_what_stands_before_the_session(tracker: Tracker, colleague: Tracker) -> None:
    """What is in focus and how it was left, what is claimed, what can begin, and what may be approved."""
    mine, waiting, free, theirs = (tracker.create(title).id for title in ("mine", "waiting", "free", "theirs"))
    dependencies.add(tracker, waiting, [mine])
    moves.start(tracker, [mine])
    tracker.set_focus(mine)
    talk.hand_off(tracker, mine, Account(remaining=("the rest",)))
    moves.start(colleague, [theirs])
    reviews.request(colleague, [theirs])

    found = find_usage(tracker)

    assert found.focus is not None
    assert found.focus.id == mine
    assert found.handoff is not None
    assert found.handoff.remaining == ("the rest",)
    assert [issue.id for issue in found.claims] == [mine]
    assert ([issue.id for issue in found.ready], found.ready_count) == ([free], 1)
    assert ([issue.id for issue in found.reviewable], found.in_review) == ([theirs], 1)


def test_it_is_short_whatever_there_is(tracker: Tracker) -> None:
    """A handful of each, and long lines are cut."""
    ids = [tracker.create("x" * 200).id for _ in range(20)]
    moves.start(tracker, ids[:8])
    tracker.set_focus(ids[0])
    talk.hand_off(tracker, ids[0], Account(*([tuple("y" * 500 for _ in range(30))] * 4)))

    found = find_usage(tracker)

    assert (len(found.claims), len(found.ready), found.ready_count) == (5, 5, 12)
    assert found.handoff is not None
    assert len(found.handoff.done) == 5
    assert max(len(line) for line in (*found.handoff.done, found.ready[0].title)) == 80


def test_what_is_not_ready_is_not_offered(tracker: Tracker) -> None:
    """Put off, blocked, deleted, or an epic."""
    later, gone = tracker.create("later"), tracker.create("gone")
    blocked = tracker.create("blocked")
    tracker.update(later.id, IssueEdit(defer_until=tracker.now().date().replace(year=2030)))
    tracker.delete([gone.id])
    moves.block(tracker, [blocked.id])

    found = find_usage(tracker)

    assert (found.ready, found.ready_count, found.blocked) == ([], 0, 1)
    assert tracker.get(blocked.id).status is Status.BLOCKED
