"""What sessions did to issues that matters to who may review them, and the policy of the team.

Owns the tables `involvements`, `reviews` and `settings`. Always true: a deed of a session is written once for an issue,
and an approval counts until the issue is edited, rejected, or leaves its review without being closed.
"""

import json
from collections.abc import Sequence
from typing import Final

from replica import NotFoundError, Transaction
from tracker.errors import InvalidFieldError
from tracker.ids import relation_id
from tracker.records import Decision, Deed, Involvement, Issue, Review, Setting
from tracker.review_policy import Involved, Policy
from tracker.seen import select_seen
from tracker.tracker import Tracker

POLICY_SETTING: Final = "review.policy"
DEFAULT_POLICY: Final = Policy.TRUSTED
_COUNTING: Final = "WHERE issue_id = ? AND decision = ? AND superseded_at IS NULL"
_WORK: Final = frozenset({Deed.STARTED, Deed.UNSTARTED})

SUPERSEDING: Final = frozenset({"title", "description", "type", "priority", "minor", "parent_id"})
"""The fields of an issue after whose change an approval does not count any more."""


def involved(tracker: Tracker, issue: Issue) -> Involved:
    """What sessions had to do with an issue."""
    deeds = tracker.replica.select(Involvement, "WHERE issue_id = ?", (issue.id,))
    workers = frozenset(deed.session for deed in deeds if deed.action in _WORK)
    return Involved(workers, frozenset(deed.session for deed in deeds) - workers)


def note_deed(tracker: Tracker, tx: Transaction, issue_id: str, deed: Deed) -> None:
    """Write down what this session did to an issue, if that is not known yet."""
    row_id = relation_id("inv", issue_id, tracker.session, deed.value)
    try:
        tx.get(Involvement, row_id)
    except NotFoundError:
        tx.insert(
            Involvement(id=row_id, issue_id=issue_id, session=tracker.session, action=deed, created_at=tracker.now())
        )


def approvals(tracker: Tracker, issue: Issue) -> list[Review]:
    """The approvals of an issue that count for it as it is, oldest first."""
    found = tracker.replica.select(Review, f"{_COUNTING} ORDER BY created_at, id", (issue.id, Decision.APPROVED.value))
    return [review for review in found if is_of(review, issue)]


def is_of(review: Review, issue: Issue) -> bool:
    """Whether what was approved is what is there now: an edit that the reviewer had not seen yet makes it another."""
    return review.digest in ("", digest_of(issue))


def digest_of(issue: Issue) -> str:
    """What an approval is of: the fields that matter to a review, and the review itself."""
    import hashlib  # noqa: PLC0415 - only a review pays for it

    row = issue.to_row()
    told = json.dumps([row[name] for name in sorted({*SUPERSEDING, "status", "status_at"})])
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def told_of_review(tracker: Tracker, approved: Sequence[Review]) -> dict[str, object]:
    """The fields of an issue that tell who reviewed it, and when: this session if it did, or else the last."""
    if not approved:
        return {}
    own = [review for review in approved if review.reviewer_session == tracker.session]
    told = (own or approved)[-1]
    return {"reviewer_session": told.reviewer_session, "reviewed_at": told.created_at}


def supersede_approvals(tracker: Tracker, tx: Transaction, issue_id: str) -> None:
    """Let no approval of an issue count any more: what was approved is not what is there now."""
    for review in not_superseded(tracker, tx, issue_id):
        tx.update(review, superseded_at=tracker.now())


def not_superseded(tracker: Tracker, tx: Transaction, issue_id: str) -> list[Review]:
    """The approvals of an issue that nobody took back, as the transaction sees them, in no order."""
    return select_seen(
        tracker,
        tx,
        Review,
        _COUNTING,
        (issue_id, Decision.APPROVED.value),
        columns=frozenset({"superseded_at"}),
        fits=lambda one: one.superseded_at is None and one.issue_id == issue_id and one.decision is Decision.APPROVED,
    )


def policy(tracker: Tracker) -> Policy:
    """The review policy of the team."""
    try:
        return Policy(tracker.replica.get(Setting, POLICY_SETTING).value)
    except (NotFoundError, ValueError):
        return DEFAULT_POLICY


def check_setting(typed: str) -> str:
    """The value of a setting; the policy of reviews is the only one there is. Raises InvalidFieldError."""
    try:
        return Policy(typed.strip().lower()).value
    except ValueError:
        hint = f"use one of {', '.join(Policy)}"
        raise InvalidFieldError(POLICY_SETTING, f"there is no policy {typed[:40]!a}", hint) from None


def set_policy(tracker: Tracker, typed: str) -> Policy:
    """Let another review policy hold, for the whole team. Raises InvalidFieldError."""
    wanted = Policy(check_setting(typed))
    with tracker.transaction() as tx:
        try:
            tx.update(tx.get(Setting, POLICY_SETTING), value=wanted.value)
        except NotFoundError:
            tx.insert(Setting(id=POLICY_SETTING, value=wanted.value))
    return wanted
