"""What to do first: what waits for what, over any number of issues, and the order that follows from it.

The graph is read once; all else is pure. Always true: a circle, which may be there until the next sync mends it, is
walked once, and its issues come in an order that is the same on every machine.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Final

from tracker.near import NearIssues
from tracker.records import Dependency, Issue, IssueType, Status
from tracker.tracker import Tracker

_UNDONE: Final = (Status.OPEN, Status.IN_PROGRESS, Status.BLOCKED)
_LISTED_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """order: what is to be done, each after what it waits for, what frees the most first. ready: what can begin now.

    bottlenecks: what the most others wait for, with how many.
    """

    order: list[tuple[Issue, int]]
    ready: list[Issue]
    bottlenecks: list[tuple[Issue, int]]


def needs(tracker: Tracker, issue: Issue) -> list[tuple[Issue, int]]:
    """What an issue waits for itself, each with a depth of 1."""
    return [(one, 1) for one in NearIssues(tracker).needs(issue)]


def waiting_for(tracker: Tracker, issue: Issue, *, is_direct: bool = False) -> list[tuple[Issue, int]]:
    """What waits for an issue, also over others, each once, with how far away it is; nearest first below each."""
    around, seen = NearIssues(tracker), {issue.id}
    found: list[tuple[Issue, int]] = []
    stack = [(other, 1) for other in reversed(around.waiting_for(issue))]
    while stack:
        one, depth = stack.pop()
        if one.id in seen:
            continue
        seen.add(one.id)
        found.append((one, depth))
        if not is_direct:
            stack += [(other, depth + 1) for other in reversed(around.waiting_for(one))]
    return found


def tree(
    tracker: Tracker, top: Issue | None, *, depth: int | None = None, with_closed: bool = False
) -> list[tuple[Issue, int]]:
    """An issue with its parts below it, each with how deep it lies; None: all that are part of nothing.

    depth: how deep at most. with_closed: the closed ones too; an issue that is closed hides its parts.
    """
    where = "WHERE deleted_at IS NULL" + ("" if with_closed else " AND status <> 'closed'")
    rows = tracker.replica.select(Issue, f"{where} ORDER BY priority, created_at, id")
    by_parent: dict[str | None, list[Issue]] = {}
    known = {issue.id for issue in rows}
    for issue in rows:
        by_parent.setdefault(issue.parent_id if issue.parent_id in known else None, []).append(issue)
    found: list[tuple[Issue, int]] = []
    seen: set[str] = set()
    stack = [(issue, 0) for issue in reversed([top] if top is not None else by_parent.get(None, []))]
    while stack:
        issue, deep = stack.pop()
        if issue.id in seen:
            continue
        seen.add(issue.id)
        found.append((issue, deep))
        if depth is None or deep < depth:
            stack += [(child, deep + 1) for child in reversed(by_parent.get(issue.id, []))]
    return found


def parts(tracker: Tracker, ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """How many parts each of some issues has, and how many of those are closed."""
    rows = tracker.replica.read(
        """SELECT parent_id, count(*), sum(status = 'closed') FROM issues
        WHERE parent_id IN (SELECT value FROM json_each(?)) AND deleted_at IS NULL GROUP BY parent_id""",
        (json.dumps(list(ids)),),
    ).rows
    counted = {str(parent): (int(str(count)), int(str(closed))) for parent, count, closed in rows}
    return {issue_id: counted.get(issue_id, (0, 0)) for issue_id in ids}


def critical_path(tracker: Tracker, *, limit: int | None = None) -> CriticalPath:
    """The order in which what is not done is to be done; epics left out, since their parts are what is done."""
    marks = ", ".join("?" * len(_UNDONE))
    issues = tracker.replica.select(
        Issue,
        f"WHERE status IN ({marks}) AND type <> ? AND deleted_at IS NULL",
        (*(status.value for status in _UNDONE), IssueType.EPIC.value),
    )
    by_id = {issue.id: issue for issue in issues}
    edges: dict[str, list[str]] = {issue.id: [] for issue in issues}
    for one in tracker.replica.select(Dependency):
        if one.issue_id in by_id and one.depends_on_id in by_id:
            edges[one.issue_id].append(one.depends_on_id)
    freed = freed_by(edges)
    order = in_order(edges, _ranks(by_id, freed))
    ready = [by_id[one] for one in order if not edges[one] and by_id[one].status is Status.OPEN]
    ranked = sorted((one for one in order if freed[one]), key=lambda one: -freed[one])
    return CriticalPath(
        [(by_id[one], freed[one]) for one in order][:limit],
        ready[:_LISTED_MAX],
        [(by_id[one], freed[one]) for one in ranked[:_LISTED_MAX]],
    )


def _ranks(by_id: Mapping[str, Issue], freed: Mapping[str, int]) -> Mapping[str, tuple[object, ...]]:
    """What decides between two that may both come next: what frees more, then what is more urgent, then older."""
    return {
        issue_id: (-freed[issue_id], issue.priority.value, issue.created_at, issue_id)
        for issue_id, issue in by_id.items()
    }


def freed_by(edges: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """How many wait for each, also over others. edges: what each waits for."""
    waiting: dict[str, list[str]] = {one: [] for one in edges}
    for one, needed in edges.items():
        for other in needed:
            waiting[other].append(one)
    return {one: len(_reached(one, waiting)) for one in edges}


def _reached(start: str, edges: Mapping[str, Iterable[str]]) -> set[str]:
    seen: set[str] = set()
    queue = [start]
    while queue:
        for other in edges[queue.pop()]:
            if other not in seen and other != start:
                seen.add(other)
                queue.append(other)
    return seen


def in_order(edges: Mapping[str, Sequence[str]], key: Mapping[str, tuple[object, ...]]) -> list[str]:
    """Each after what it waits for; of those that may come next, the one of the smallest key.

    Where all that is left waits in a circle, the one of the smallest key comes next all the same.
    """
    left = {one: len(set(needed)) for one, needed in edges.items()}
    waiting: dict[str, list[str]] = {one: [] for one in edges}
    for one, needed in edges.items():
        for other in set(needed):
            waiting[other].append(one)
    heap = [(key[one], one) for one, count in left.items() if not count]
    heapify(heap)
    order: list[str] = []
    while left:
        if not heap:
            heappush(heap, min((key[one], one) for one in left))
        one = heappop(heap)[1]
        if one not in left:
            continue
        del left[one]
        order.append(one)
        for other in waiting[one]:
            if other in left:
                left[other] -= 1
                if not left[other]:
                    heappush(heap, (key[other], other))
    return order
