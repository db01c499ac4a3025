"""What is worth telling of what was done, though no rule is against it.

Always true: a notice is a line of its own, names the issues that it is about, and changes nothing.
"""

from collections.abc import Sequence
from typing import Final

from tracker.moves import Moved, claimed
from tracker.near import NearIssues
from tracker.records import Issue, Status
from tracker.tracker import Tracker

_AT_ONCE_MAX: Final = 4
_NAMED_MAX: Final = 5


def of_start(tracker: Tracker, moved: Moved) -> list[str]:
    """Of issues that were started: what they wait for, and how much one has begun."""
    around = NearIssues(tracker)
    told = []
    for issue in moved.issues:
        waiting = [needed for needed in around.needs(issue) if needed.status is not Status.CLOSED]
        if waiting:
            told.append(f"{issue.id} depends on {_named(waiting)}, not closed yet")
    own = claimed(tracker, session=tracker.session) if moved.changed else []
    if len(own) > _AT_ONCE_MAX:
        told.append(f"you have {len(own)} issues in progress: {_named(own)}")
    return told


def of_release(tracker: Tracker, before: Sequence[Issue], moved: Moved) -> list[str]:
    """Of issues that were put back: who had them, where that is somebody else. before: as they were."""
    others = [one for one in before if one.id in moved.changed and one.implementer_session != tracker.session]
    return [f"{issue.id} was started by {issue.implementer_session}" for issue in others if issue.implementer_session]


def of_end(tracker: Tracker, issues: Sequence[Issue]) -> list[str]:
    """Of issues that were closed or deleted: which of their parts are left open."""
    around, gone = NearIssues(tracker), {issue.id for issue in issues}
    told = []
    for issue in issues:
        left = [part for part in around.children(issue) if part.status is not Status.CLOSED and part.id not in gone]
        if left:
            told.append(f"{issue.id} has parts that are not closed: {_named(left)}")
    return told


def _named(issues: Sequence[Issue]) -> str:
    ids = ", ".join(issue.id for issue in issues[:_NAMED_MAX])
    return ids if len(issues) <= _NAMED_MAX else f"{ids} and {len(issues) - _NAMED_MAX} more"
