"""Which issue is a part of which.

Always true: nothing that is written here makes an issue a part of itself, over however many others, as far as it is
known here; where two make a circle together, `tracker.reconcile` opens it.
"""

from tracker.errors import CycleError
from tracker.near import NearIssues
from tracker.records import Issue
from tracker.rules import check_not_deleted
from tracker.tracker import Tracker


def check_parent(tracker: Tracker, issue: Issue | None, typed: str) -> Issue:
    """The parent whose id starts with `typed`, if it can be one. issue: what becomes its part; None: a new one.

    Raises CycleError, IssueDeletedError, and as `Tracker.get`.
    """
    parent = tracker.get(typed)
    check_not_deleted(parent)
    if issue is not None:
        way = [parent.id, *(one.id for one in ancestors(tracker, parent))]
        if issue.id in way:
            raise CycleError("parent", (issue.id, *way[: way.index(issue.id) + 1]))
    return parent


def ancestors(tracker: Tracker, issue: Issue) -> list[Issue]:
    """What an issue is a part of, nearest first, each once."""
    around, found = NearIssues(tracker), {issue.id: issue}
    above = around.parent(issue)
    while above is not None and above.id not in found:
        found[above.id] = above
        above = around.parent(above)
    return list(found.values())[1:]
