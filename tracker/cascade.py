"""What follows from an issue that came to another status: for its epic, and for what waited for it.

Pure. Always true:
- an epic whose last open part is closed or comes to review is closed or in review with it;
- an epic that nobody closed, but the closing of its parts, is open again with a part that is open;
- what was blocked is open once the last of what it depends on is closed;
- nothing follows for an issue that is deleted or closed already, but for an epic that is open again;
- one thing is told before the next is looked for, so that who does it at once sees the next as it then is.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from tracker.records import Issue, IssueType, Status

_DONE = frozenset({Status.CLOSED, Status.IN_REVIEW})


class Near(Protocol):
    """The issues around those that changed, deleted ones left out."""

    def parent(self, issue: Issue) -> Issue | None:
        """The issue that it is a part of."""

    def children(self, issue: Issue) -> Sequence[Issue]:
        """Its parts."""

    def waiting_for(self, issue: Issue) -> Sequence[Issue]:
        """Those that depend on it."""

    def needs(self, issue: Issue) -> Sequence[Issue]:
        """Those that it depends on."""


def consequences(
    near: Near, landed: Iterable[Issue], may: Callable[[Issue, Status], bool] = lambda _issue, _status: True
) -> Iterator[tuple[str, Status]]:
    """The issues that come to another status by it, with that, in the order in which one follows from the other.

    landed: the issues that just came to their status, as they are now. may: whether an issue is to follow at all.
    """
    known = {issue.id: issue.status for issue in landed}
    queue = list(landed)

    def status(issue: Issue) -> Status:
        return known.get(issue.id, issue.status)

    while queue:
        issue = queue.pop(0)
        following = [_epic_follows(near, issue, status)]
        if status(issue) is Status.CLOSED:
            following += [_unblocked(near, other, status) for other in near.waiting_for(issue)]
        for found in following:
            if found is not None and status(found[0]) is not found[1] and may(*found):
                other, next_status = found
                known[other.id] = next_status
                yield other.id, next_status
                queue.append(other)
                if next_status is Status.OPEN:
                    # An epic that is open again may be in review at once, with all its parts.
                    queue.append(issue)


def _epic_follows(near: Near, issue: Issue, status: "_StatusOf") -> tuple[Issue, Status] | None:
    epic = near.parent(issue)
    if epic is None or epic.type is not IssueType.EPIC:
        return None
    found = {status(child) for child in near.children(epic)}
    if status(epic) is Status.CLOSED:
        is_reopened = epic.closed_by_session is None and not found <= {Status.CLOSED}
        return (epic, Status.OPEN) if is_reopened else None
    if not found or not found <= _DONE:
        return None
    return (epic, Status.CLOSED if found == {Status.CLOSED} else Status.IN_REVIEW)


def _unblocked(near: Near, issue: Issue, status: "_StatusOf") -> tuple[Issue, Status] | None:
    if status(issue) is not Status.BLOCKED:
        return None
    is_free = all(status(needed) is Status.CLOSED for needed in near.needs(issue))
    return (issue, Status.OPEN) if is_free else None


class _StatusOf(Protocol):
    def __call__(self, issue: Issue) -> Status: ...
