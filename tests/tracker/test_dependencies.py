"""Which issue waits for which."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracker.clock import Clock
from tracker import Issue, IssueEdit, Tracker, dependencies, editing, planning
from tracker.errors import CycleError
from tracker.planning import freed_by, in_order
from tracker.records import Dependency


def issues(tracker: Tracker, *titles: str) -> list[Issue]:
    """Issues of these titles."""
    return [tracker.create(title) for title in titles]


def test_a_circle_is_refused_and_shown(tracker: Tracker) -> None:
    """Over however many others, also one's own tail; nothing was written."""
    a, b, c = issues(tracker, "a", "b", "c")
    dependencies.add(tracker, a.id, [b.id])
    dependencies.add(tracker, b.id, [c.id])

    for one, needed in ((c, a), (a, a)):
        with pytest.raises(CycleError) as refused:
            dependencies.add(tracker, one.id, [needed.id])
        assert refused.value.path[0] == refused.value.path[-1] == one.id

    assert len(tracker.replica.select(Dependency)) == 2


def test_a_circle_among_what_is_added_at_once_is_refused(tracker: Tracker) -> None:
    """With all that was to be written with it."""
    (a,) = issues(tracker, "a")

    with pytest.raises(CycleError):
        editing.create(tracker, IssueEdit(title="b"), depends_on=[a.id], blocks=[a.id])

    assert len(tracker.replica.select(Issue)) == 1


def test_what_is_there_already_is_not_added_again(tracker: Tracker) -> None:
    """Nor is what is not there taken out."""
    a, b = issues(tracker, "a", "b")

    assert len(dependencies.add(tracker, a.id, [b.id])) == 1
    assert dependencies.add(tracker, a.id, [b.id]) == []
    assert len(dependencies.remove(tracker, a.id, [b.id])) == 1
    assert dependencies.remove(tracker, a.id, [b.id]) == []


def test_an_edit_replaces_what_an_issue_waits_for(tracker: Tracker) -> None:
    """And what waits for it."""
    a, b, c = issues(tracker, "a", "b", "c")
    dependencies.add(tracker, a.id, [b.id])

    editing.change(tracker, [a.id], IssueEdit(), depends_on=[c.id])
    editing.change(tracker, [b.id], IssueEdit(), blocks=[a.id])

    assert {one.depends_on_id for one in tracker.replica.select(Dependency)} == {b.id, c.id}


def test_what_waits_over_others_is_found_with_its_distance(tracker: Tracker) -> None:
    """Each once."""
    a, b, c = issues(tracker, "a", "b", "c")
    dependencies.add(tracker, b.id, [a.id])
    dependencies.add(tracker, c.id, [a.id, b.id])

    assert {one.id: depth for one, depth in planning.waiting_for(tracker, a, is_direct=True)} == {b.id: 1, c.id: 1}
    assert {one.id for one, _ in planning.waiting_for(tracker, a)} == {b.id, c.id}


def test_the_critical_path_begins_with_what_frees_the_most(tracker: Tracker, clock: Clock) -> None:
    """And what it names as ready can begin."""
    a, b, c = issues(tracker, "a", "b", "c")
    dependencies.add(tracker, b.id, [a.id])
    dependencies.add(tracker, c.id, [b.id])
    clock.pass_seconds(1)
    (alone,) = issues(tracker, "alone")

    path = planning.critical_path(tracker)

    assert [(issue.id, count) for issue, count in path.order] == [(a.id, 2), (b.id, 1), (c.id, 0), (alone.id, 0)]
    assert [issue.id for issue in path.ready] == [a.id, alone.id]
    assert [issue.id for issue, _ in path.bottlenecks] == [a.id, b.id]


_names = st.sampled_from("abcdefg")
_graphs = st.dictionaries(_names, st.lists(_names, max_size=4), min_size=1).map(
    lambda edges: {one: [other for other in needed if other in edges] for one, needed in edges.items()}
)


@given(_graphs)
def test_an_order_holds_each_once_and_after_what_it_waits_for(edges: dict[str, list[str]]) -> None:
    """But for what waits in a circle, which comes all the same."""
    order = in_order(edges, {one: (one,) for one in edges})

    assert sorted(order) == sorted(edges)
    place = {one: number for number, one in enumerate(order)}
    reached = {one: _reached(one, edges) for one in edges}
    for one, needed in edges.items():
        for other in needed:
            assert place[other] < place[one] or one in reached[other] or any(x in reached[x] for x in reached[one])


@given(_graphs)
def test_what_is_freed_is_counted_over_others_too(edges: dict[str, list[str]]) -> None:
    """Each once, and never itself."""
    counted = freed_by(edges)

    for one in edges:
        assert counted[one] == len({other for other in edges if one in _reached(other, edges)} - {one})


def _reached(start: str, edges: dict[str, list[str]]) -> set[str]:
    seen: set[str] = set()
    queue = list(edges[start])
    while queue:
        one = queue.pop()
        if one not in seen:
            seen.add(one)
            queue += edges[one]
    return seen
