"""The states of an issue: which may follow which, and what must hold on the way.

Pure. Always true:
- a way that is not in `NEXT` is not taken, whatever asks for it;
- whoever comes to `open` is claimed by nobody, and `closed_at` is set exactly while an issue is closed;
- `closed_by_session` names who closed it; None while it is closed says that it was closed by the closing of its parts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from tracker.errors import ClaimedError, InvalidFieldError, ReviewNeededError, TrackerError, TransitionError
from tracker.records import Issue, Status
from tracker.review_policy import Involved, Policy, refuse_own_close

Changes = Mapping[str, object]


class Guard(StrEnum):
    """A rule that is asked before an issue goes on; its name is what the picture of the workflow shows."""

    UNCLAIMED = "nobody else has it, or --force"
    FORCED = "--force"
    NOT_OWN_WORK = "not one's own work, or --self-close-exception"
    APPROVED = "approved by who may"


NEXT: Final[Mapping[Status, Mapping[Status, tuple[Guard, ...]]]] = {
    Status.OPEN: {
        Status.IN_PROGRESS: (Guard.UNCLAIMED,),
        Status.BLOCKED: (),
        Status.IN_REVIEW: (),
        Status.CLOSED: (Guard.NOT_OWN_WORK,),
    },
    Status.IN_PROGRESS: {
        Status.OPEN: (),
        Status.BLOCKED: (),
        Status.IN_REVIEW: (),
        Status.CLOSED: (Guard.NOT_OWN_WORK,),
    },
    Status.BLOCKED: {
        Status.OPEN: (),
        Status.IN_PROGRESS: (Guard.FORCED, Guard.UNCLAIMED),
        Status.CLOSED: (Guard.NOT_OWN_WORK,),
    },
    Status.IN_REVIEW: {
        Status.OPEN: (),
        Status.IN_PROGRESS: (),
        Status.CLOSED: (Guard.APPROVED,),
    },
    Status.CLOSED: {Status.OPEN: ()},
}
"""From each status, those that may follow it, and what must hold for that."""

_NOBODYS: Final = MappingProxyType({"implementer_session": None, "reviewer_session": None, "review_requested_by": None})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who wants an issue to go on, and what they bring.

    is_forced: they know what stands against it. exception: why they close their own work without a review.
    is_approved: a review that lets the issue be closed was made, or is being made. is_explained: it is their
    own, or they say why they close what somebody else approved.
    """

    session: str
    policy: Policy = Policy.TRUSTED
    involved: Involved = field(default_factory=Involved)
    is_forced: bool = False
    exception: str = ""
    is_approved: bool = False
    is_explained: bool = True


def enter_status(issue: Issue, status: Status, now: datetime, session: str | None) -> Changes:
    """The fields that change when an issue comes to a status.

    session: who brings it there; None: nobody, it follows from another change.
    """
    if status is issue.status:
        return {}
    changes: dict[str, object] = {
        "status": status,
        "status_at": now,
        "closed_at": now if status is Status.CLOSED else None,
        "closed_by_session": session if status is Status.CLOSED else None,
    }
    if status is Status.OPEN:
        changes |= _NOBODYS
    elif status is Status.IN_PROGRESS:
        changes["implementer_session"] = session or issue.implementer_session
    elif status is Status.IN_REVIEW:
        changes |= {"implementer_session": issue.implementer_session or session, "review_requested_by": session}
    return changes


def what_fits(issue: Issue, now: datetime, session: str) -> Changes:
    """The fields that change so that all that belongs to the status of an issue fits it.

    session: who brought it together; it stands where nobody is known whom the status needs.
    """
    if issue.status is Status.CLOSED:
        closed_by = issue.closed_by_session if issue.closed_at else issue.closed_by_session or session
        return {"closed_at": issue.closed_at or now, "closed_by_session": closed_by}
    changes: dict[str, object] = {"closed_at": None, "closed_by_session": None}
    if issue.status is Status.OPEN:
        changes |= _NOBODYS
    elif issue.status is Status.IN_PROGRESS:
        changes["implementer_session"] = issue.implementer_session or session
    elif issue.status is Status.IN_REVIEW:
        requested_by = issue.review_requested_by or issue.implementer_session or session
        changes |= {
            "implementer_session": issue.implementer_session or requested_by,
            "review_requested_by": requested_by,
        }
    return changes


def check_way(issue: Issue, status: Status, wish: Wish) -> None:
    """Raise the error of the first rule that keeps the issue from going to `status`."""
    if status is issue.status:
        return
    guards = NEXT[issue.status].get(status)
    if guards is None:
        raise TransitionError(issue.id, issue.status, status, _way_round(issue, status))
    for guard in guards:
        if (refused := _RULES[guard](issue, wish)) is not None:
            raise refused


def _way_round(issue: Issue, status: Status) -> str:
    if issue.status is Status.CLOSED:
        return f"reopen it first: td reopen {issue.id}"
    return f"bring it back to open first: td update {issue.id} --status open, then to {status}"


def _unclaimed(issue: Issue, wish: Wish) -> TrackerError | None:
    holder = issue.implementer_session
    if wish.is_forced or holder in (None, wish.session):
        return None
    return ClaimedError(issue.id, holder, issue.updated_at)


def _forced(issue: Issue, wish: Wish) -> TrackerError | None:
    if wish.is_forced:
        return None
    hint = f"see what it waits for: td depends-on {issue.id}; start it all the same: td start {issue.id} --force"
    return TransitionError(issue.id, issue.status, Status.IN_PROGRESS, hint)


def _not_own_work(issue: Issue, wish: Wish) -> TrackerError | None:
    return refuse_own_close(issue, wish.session, wish.policy, wish.involved, wish.exception)


def _approved(issue: Issue, wish: Wish) -> TrackerError | None:
    if issue.minor or wish.policy is Policy.OFF:
        return None
    if not wish.is_approved:
        return ReviewNeededError(issue.id)
    if not wish.is_explained:
        hint = f"say why you close it: td close {issue.id} -m REASON"
        return InvalidFieldError("reason", f"it is empty, and somebody else approved {issue.id}", hint)
    return None


_RULES: Final[Mapping[Guard, Callable[[Issue, Wish], TrackerError | None]]] = {
    Guard.UNCLAIMED: _unclaimed,
    Guard.FORCED: _forced,
    Guard.NOT_OWN_WORK: _not_own_work,
    Guard.APPROVED: _approved,
}
