"""What follows from an issue that came to its status. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from tracker.cascade import consequences
from tracker.records import Issue, IssueType, Status

NOW = datetime(2026, 11, 21, tzinfo=UTC)
IDS = tuple("abcdef")
DONE = {Status.CLOSED, Status.IN_REVIEW}


class Memory:
    """Issues in memory, and who waits for whom."""

    def __init__(self, issues: Mapping[str, Issue], edges: set[tuple[str, str]]) -> None:
        self.issues, self.edges = dict(issues), edges

    def parent(self, issue: Issue) -> Issue | None:
        """The issue that it is a part of."""
        return self.issues.get(issue.parent_id or "")

    def children(self, issue: Issue) -> Sequence[Issue]:
        """Its parts."""
        return [one for one in self.issues.values() if one.parent_id == issue.id]

    def waiting_for(self, issue: Issue) -> Sequence[Issue]:
        """Those that depend on it."""
        return [self.issues[one] for one, needed in sorted(self.edges) if needed == issue.id]

    def needs(self, issue: Issue) -> Sequence[Issue]:
        """Those that it depends on."""
        return [self.issues[needed] for one, needed in sorted(self.edges) if one == issue.id]


@st.composite
def worlds(draw: st.DrawFn) -> Memory:
    """Issues with parents and dependencies of every kind, circles included."""
    statuses = st.sampled_from(Status)
    parents = st.none() | st.sampled_from(IDS)
    issues = {
        one: Issue(
            id=one,
            title=one,
            created_at=NOW,
            type=draw(st.sampled_from((IssueType.EPIC, IssueType.TASK))),
            status=draw(statuses),
            parent_id=draw(parents),
            closed_by_session=draw(st.none() | st.just("ses")),
        )
        for one in IDS
    }
    return Memory(issues, draw(st.sets(st.tuples(st.sampled_from(IDS), st.sampled_from(IDS)), max_size=6)))


@given(worlds(), st.sets(st.sampled_from(IDS)))
def test_what_follows_holds_once_it_is_done(world: Memory, landed: set[str]) -> None:
    """An epic above what landed that could move has moved, and nothing that landed's last need blocks stays blocked."""
    found = dict(consequences(world, [world.issues[one] for one in sorted(landed)]))

    for issue_id, status in found.items():
        world.issues[issue_id] = world.issues[issue_id].with_changes({"status": status})
    for one in {*landed, *found}:
        issue = world.issues[one]
        epic = world.parent(issue)
        if epic is not None and epic.type is IssueType.EPIC and epic.status not in DONE:
            assert not {child.status for child in world.children(epic)} <= DONE
        if issue.status is Status.CLOSED:
            for waiting in world.waiting_for(issue):
                needs = {needed.status for needed in world.needs(waiting)}
                assert not (waiting.status is Status.BLOCKED and needs == {Status.CLOSED})


@given(worlds(), st.sets(st.sampled_from(IDS)))
def test_nothing_follows_for_what_nobody_touched(world: Memory, landed: set[str]) -> None:
    """Only epics, and what was blocked, follow; and it always comes to an end, circles or not."""
    found = dict(consequences(world, [world.issues[one] for one in sorted(landed)]))

    for issue_id, status in found.items():
        issue = world.issues[issue_id]
        is_epic = issue.type is IssueType.EPIC and bool(world.children(issue))
        is_freed = issue.status is Status.BLOCKED and status is Status.OPEN
        assert is_epic or is_freed
