"""Who may approve an issue, and who may close it without a review.

Pure. Always true: a minor issue needs no review under any policy; and nobody approves under a policy that they
cannot name a reason for, where it asks for one.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tracker.errors import SelfApprovalError, TrackerError
from tracker.records import Issue

_SAY_WHO: Final = "say who looked at it with --reviewed-by WHO, or why nobody did with --self-review -m REASON"
_ASK_ANOTHER: Final = "let another session approve it; td reviewable lists what it may"


class Policy(StrEnum):
    """What a team holds of people who review what they had a hand in."""

    OFF = "off"
    """Anybody may approve and close anything."""

    TRUSTED = "trusted"
    """As delegated; and who was involved may say who looked at it (`--reviewed-by`), or that nobody else did
    (`--self-review` with a reason)."""

    DELEGATED = "delegated"
    """Who worked on it may not approve it."""

    BALANCED = "balanced"
    """As delegated; and who only created it needs a reason to approve it."""

    STRICT = "strict"
    """Who had anything to do with it may not approve it."""


@dataclass(frozen=True, slots=True)
class Involved:
    """Which sessions had to do with an issue. workers: those who started it, or put it back. others: any other deed."""

    workers: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Approval:
    """How somebody approves: with which reason, who looked at it, and whether they say that they review themselves."""

    reason: str = ""
    reviewed_by: str = ""
    is_self_review: bool = False


def has_worked(issue: Issue, session: str, involved: Involved) -> bool:
    """Whether a session is, or was, the one who does the work."""
    return session == issue.implementer_session or session in involved.workers


def is_involved(issue: Issue, session: str, involved: Involved) -> bool:
    """Whether a session had anything to do with an issue before it came to review."""
    return (
        has_worked(issue, session, involved)
        or session in (issue.creator_session, issue.review_requested_by)
        or session in involved.others
    )


def refuse_approval(
    issue: Issue, session: str, policy: Policy, involved: Involved, approval: Approval
) -> TrackerError | None:
    """Why a session may not approve an issue; None if it may."""
    told: tuple[str, str] | None = None
    if issue.minor or policy is Policy.OFF:
        return None
    if policy is Policy.STRICT:
        told = _strictly(issue, session, involved)
    elif has_worked(issue, session, involved):
        told = _own_work(policy, approval)
    elif policy is Policy.BALANCED and session == issue.creator_session and not approval.reason:
        told = ("you created it", "say why you approve it, with -m")
    return None if told is None else SelfApprovalError(issue.id, *told)


def _strictly(issue: Issue, session: str, involved: Involved) -> tuple[str, str] | None:
    if is_involved(issue, session, involved):
        return "you had a part in it, and the policy is strict", _ASK_ANOTHER
    return None


def _own_work(policy: Policy, approval: Approval) -> tuple[str, str] | None:
    if policy is not Policy.TRUSTED:
        return f"you worked on it, and the policy is {policy}", _ASK_ANOTHER
    if approval.reviewed_by or (approval.is_self_review and approval.reason):
        return None
    return (
        "you worked on it",
        "say who looked at it with --reviewed-by WHO, or why nobody did with --self-review -m REASON",
    )


def refuse_own_close(
    issue: Issue, session: str, policy: Policy, involved: Involved, exception: str
) -> TrackerError | None:
    """Why a session may not close an issue that was not reviewed; None if it may."""
    if issue.minor or policy is Policy.OFF or exception:
        return None
    is_worked_on = issue.implementer_session is not None or bool(involved.workers)
    own_words = policy is Policy.STRICT and session == issue.creator_session and is_worked_on
    if not has_worked(issue, session, involved) and not own_words:
        return None
    hint = f"ask for a review: td review {issue.id}; or say why not: td close {issue.id} --self-close-exception REASON"
    return SelfApprovalError(issue.id, "it is your own work", hint)
