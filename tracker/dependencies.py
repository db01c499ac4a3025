"""Which issue waits for which.

Owns the table `dependencies`. Always true:
- nothing that is added here makes an issue wait for itself, over however many others, as far as it is known here;
- where two who add offline make a circle together, `tracker.reconcile` takes the youngest dependency of it out.
"""

from collections.abc import Iterable, Sequence

from replica import NotFoundError, Transaction
from tracker.deeds import supersede_approvals
from tracker.errors import CycleError
from tracker.ids import dependency_id
from tracker.near import edges_of
from tracker.records import Dependency, Issue
from tracker.rules import check_not_deleted
from tracker.tracker import Tracker


def add(tracker: Tracker, typed: str, needed: Sequence[str]) -> list[Dependency]:
    """Let an issue wait for others. Returns the new ones. Raises CycleError, and as `Tracker.get`."""
    issue, others = tracker.get(typed), [tracker.get(one) for one in needed]
    with tracker.transaction() as tx:
        return add_in(tracker, tx, issue, others)


def add_in(tracker: Tracker, tx: Transaction, issue: Issue, needed: Iterable[Issue]) -> list[Dependency]:
    """The same within a mutation."""
    check_not_deleted(issue)
    added = []
    for other in {one.id: one for one in needed}.values():
        check_not_deleted(other)
        row_id = dependency_id(issue.id, other.id)
        try:
            tx.get(Dependency, row_id)
        except NotFoundError:
            _refuse_circle(tracker, tx, issue.id, other.id)
            made = Dependency(
                id=row_id,
                issue_id=issue.id,
                depends_on_id=other.id,
                session=tracker.session,
                created_at=tracker.now(),
            )
            added.append(tx.insert(made))
    if added:
        supersede_approvals(tracker, tx, issue.id)
    return added


def remove(tracker: Tracker, typed: str, needed: Sequence[str]) -> list[Dependency]:
    """Let an issue wait for others no more. Returns those that were taken out. Raises as `Tracker.get`."""
    issue, others = tracker.get(typed), [tracker.get(one) for one in needed]
    with tracker.transaction() as tx:
        return remove_in(tracker, tx, issue.id, [other.id for other in others])


def replace_in(tracker: Tracker, tx: Transaction, issue: Issue, needed: Sequence[Issue]) -> list[Dependency]:
    """Let an issue wait for these and no others, within a mutation. Returns those that were added or taken out."""
    wanted = {other.id for other in needed}
    gone = [one.depends_on_id for one in edges_of(tracker, tx, issue.id) if one.depends_on_id not in wanted]
    return [*remove_in(tracker, tx, issue.id, gone), *add_in(tracker, tx, issue, needed)]


def remove_in(tracker: Tracker, tx: Transaction, issue_id: str, needed: Sequence[str]) -> list[Dependency]:
    """Let an issue wait for others no more, by their whole ids, within a mutation. Returns those taken out."""
    removed = []
    for other_id in dict.fromkeys(needed):
        try:
            found = tx.get(Dependency, dependency_id(issue_id, other_id))
        except NotFoundError:
            continue
        tx.delete(found)
        removed.append(found)
    if removed:
        supersede_approvals(tracker, tx, issue_id)
    return removed


def _refuse_circle(tracker: Tracker, tx: Transaction, issue_id: str, needed_id: str) -> None:
    """Raise CycleError if `needed_id` waits for the issue already, over however many others."""
    found = path_between(tracker, tx, needed_id, issue_id)
    if found:
        raise CycleError("dependency", (issue_id, *found))


def path_between(tracker: Tracker, tx: Transaction, first_id: str, last_id: str) -> tuple[str, ...]:
    """The ids on a way along dependencies, first and last included; empty if there is none."""
    seen: dict[str, str | None] = {first_id: None}
    queue = [first_id]
    while queue and last_id not in seen:
        nearest = queue.pop(0)
        for one in edges_of(tracker, tx, nearest):
            if one.depends_on_id not in seen:
                seen[one.depends_on_id] = nearest
                queue.append(one.depends_on_id)
    if last_id not in seen:
        return ()
    way: list[str] = []
    at: str | None = last_id
    while at is not None:
        way.append(at)
        at = seen[at]
    return tuple(reversed(way))
