"""Ask for a review of issues, approve them, or send them back.

Always true:
- who may approve is asked of `tracker.review_policy` at the moment of approving, and written down with the approval;
- an approval that is only recorded closes nothing; whoever closes on it later is told from who approved;
- the parts of an issue go to review with it, and those that this session may approve are approved with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from replica import Transaction
from tracker.deeds import approvals, digest_of, involved, note_deed, policy, supersede_approvals, told_of_review
from tracker.errors import InvalidFieldError, TransitionError
from tracker.moves import Moved, follow, say
from tracker.near import NearIssues
from tracker.records import Decision, Deed, Handoff, Issue, Log, LogType, Review, Status
from tracker.review_policy import Approval, Policy, refuse_approval
from tracker.rules import check_not_deleted
from tracker.statuses import enter_status
from tracker.tracker import Tracker
from tracker.values import check_line, check_text

_LOGS_IN_HANDOFF_MAX = 8
_REVIEWER_LENGTH_MAX = 120
_TO_REVIEW = frozenset({Status.OPEN, Status.IN_PROGRESS})


@dataclass(frozen=True, slots=True)
class _Approver:
    approval: Approval
    policy: Policy


def request(tracker: Tracker, typed: Sequence[str], *, reason: str = "", is_minor: bool = False) -> Moved:
    """Bring issues to review, with their open parts; a handoff is made of the logs where there is none.

    is_minor: mark them as small enough to need no other session. Raises TransitionError, and as `Tracker.get`.
    """
    told = check_text("reason", reason).strip()
    ids = list(dict.fromkeys(tracker.get(one).id for one in typed))
    with tracker.transaction() as tx:
        around = NearIssues(tracker, tx)
        changed: list[Issue] = []
        for issue_id in ids:
            issue = tx.get(Issue, issue_id)
            check_not_deleted(issue)
            if is_minor and not issue.minor:
                issue = tx.update(issue, minor=True)
            if issue.status is Status.IN_REVIEW:
                continue
            changed.append(_to_review(tracker, tx, issue))
            if told:
                say(tracker, tx, issue_id, LogType.PROGRESS, told)
            parts = [tx.get(Issue, part.id) for part in around.descendants(issue) if part.status in _TO_REVIEW]
            changed += [_to_review(tracker, tx, part) for part in parts]
        followed = follow(tracker, tx, changed)
        shown = [tx.get(Issue, issue_id) for issue_id in ids]
    others = [issue for issue in (*changed, *followed) if issue.id not in set(ids)]
    return Moved(shown, frozenset(issue.id for issue in changed), others)


def approve(
    tracker: Tracker,
    typed: Sequence[str],
    *,
    reason: str = "",
    reviewed_by: str = "",
    is_self_review: bool = False,
    record_only: bool = False,
) -> Moved:
    """Approve issues that are in review, and close them.

    reviewed_by: who looked at them, where that was not this session. is_self_review: nobody else did; needs a reason.
    record_only: write the approval down and leave the issue in review; needs a reason. An issue with an approval that
    counts is closed by anybody; who did not approve it says why. Raises SelfApprovalError, TransitionError,
    InvalidFieldError, and as `Tracker.get`.
    """
    how = _approval(reason, reviewed_by, is_self_review=is_self_review, record_only=record_only)
    approver = _Approver(how, policy(tracker))
    ids = list(dict.fromkeys(tracker.get(one).id for one in typed))
    with tracker.transaction() as tx:
        around = NearIssues(tracker, tx)
        changed: list[Issue] = []
        for issue_id in ids:
            if any(issue.id == issue_id for issue in changed):
                # It was approved as a part of one that is named too.
                continue
            issue = tx.get(Issue, issue_id)
            check_not_deleted(issue)
            _check_in_review(issue)
            earlier = approvals(tracker, issue)
            if record_only or not earlier:
                earlier = [*earlier, _record(tracker, tx, issue, approver)]
            elif not any(review.reviewer_session == tracker.session for review in earlier):
                _check_reason(how)
            if not record_only:
                changed.append(_close(tracker, tx, issue, earlier))
                changed += _approve_parts(tracker, tx, around.descendants(issue), approver)
        followed = follow(tracker, tx, changed)
        shown = [tx.get(Issue, issue_id) for issue_id in ids]
    others = [issue for issue in (*changed, *followed) if issue.id not in set(ids)]
    return Moved(shown, frozenset(ids) if record_only else frozenset(issue.id for issue in changed), others)


def reject(tracker: Tracker, typed: Sequence[str], *, reason: str = "") -> Moved:
    """Send issues back to work: they are open, nobody claims them, and no approval of them counts any more."""
    told = check_text("reason", reason).strip()
    ids = list(dict.fromkeys(tracker.get(one).id for one in typed))
    with tracker.transaction() as tx:
        changed = []
        for issue_id in ids:
            issue = tx.get(Issue, issue_id)
            check_not_deleted(issue)
            _check_in_review(issue)
            supersede_approvals(tracker, tx, issue_id)
            tx.insert(_review(tracker, issue, Decision.CHANGES_REQUESTED, Approval(reason=told)))
            note_deed(tracker, tx, issue_id, Deed.REVIEWED)
            changed.append(tx.update(issue, **enter_status(issue, Status.OPEN, tracker.now(), tracker.session)))
    return Moved(changed, frozenset(ids))


def reviewable(tracker: Tracker, approval: Approval | None = None, *, with_approved: bool = False) -> list[Issue]:
    """What this session may approve, the most urgent first.

    approval: how it would do so; None: for a good reason. with_approved: also what only waits to be closed.
    """
    rules, how = policy(tracker), approval or Approval(reason="-")
    where = "WHERE status = ? AND deleted_at IS NULL ORDER BY priority, created_at, id"
    found = []
    for issue in tracker.replica.select(Issue, where, (Status.IN_REVIEW.value,)):
        is_approved = bool(approvals(tracker, issue))
        may = refuse_approval(issue, tracker.session, rules, involved(tracker, issue), how) is None
        if (is_approved and with_approved) or (may and not is_approved):
            found.append(issue)
    return found


def _approval(reason: str, reviewed_by: str, *, is_self_review: bool, record_only: bool) -> Approval:
    approval = Approval(check_text("reason", reason).strip(), reviewed_by.strip(), is_self_review)
    if reviewed_by and is_self_review:
        raise InvalidFieldError("--reviewed-by", "it says the opposite of --self-review", "give one of the two")
    if reviewed_by:
        approval = replace(approval, reviewed_by=check_line("--reviewed-by", reviewed_by, _REVIEWER_LENGTH_MAX))
    if is_self_review:
        _check_reason(approval)
    if record_only:
        if reviewed_by:
            hint = "whoever looked at it records their approval themselves"
            raise InvalidFieldError("--reviewed-by", "it does not go with --record-only", hint)
        _check_reason(approval)
    return approval


def _check_reason(approval: Approval) -> None:
    if not approval.reason:
        raise InvalidFieldError("reason", "it is empty", "say why, with -m REASON")


def _check_in_review(issue: Issue) -> None:
    if issue.status is not Status.IN_REVIEW:
        ways = {Status.CLOSED: ("reopen it first", "reopen"), Status.BLOCKED: ("it must go on first", "unblock")}
        told, command = ways.get(issue.status, ("ask for a review first", "review"))
        raise TransitionError(issue.id, issue.status, "approved or rejected", f"{told}: td {command} {issue.id}")


def _to_review(tracker: Tracker, tx: Transaction, issue: Issue) -> Issue:
    if issue.status not in _TO_REVIEW:
        hint = f"bring it back to open first: td update {issue.id} --status open"
        raise TransitionError(issue.id, issue.status, Status.IN_REVIEW, hint)
    _hand_off(tracker, tx, issue)
    return tx.update(issue, **enter_status(issue, Status.IN_REVIEW, tracker.now(), tracker.session))


def _hand_off(tracker: Tracker, tx: Transaction, issue: Issue) -> None:
    """Make a handoff of the logs, where nobody made one: a reviewer finds what was done."""
    if tracker.replica.select(Handoff, "WHERE issue_id = ? LIMIT 1", (issue.id,)):
        return
    kinds = (LogType.PROGRESS, LogType.RESULT, LogType.DECISION)
    marks = ", ".join("?" * len(kinds))
    where = f"WHERE issue_id = ? AND type IN ({marks}) ORDER BY created_at DESC, id DESC LIMIT {_LOGS_IN_HANDOFF_MAX}"
    logs = tracker.replica.select(Log, where, (issue.id, *(kind.value for kind in kinds)))
    done = tuple(log.message for log in reversed(logs))
    tx.insert(Handoff(issue_id=issue.id, session=tracker.session, done=done, created_at=tracker.now()))


def _record(tracker: Tracker, tx: Transaction, issue: Issue, approver: _Approver) -> Review:
    known = involved(tracker, issue)
    refused = refuse_approval(issue, tracker.session, approver.policy, known, approver.approval)
    if refused is not None:
        raise refused
    made = tx.insert(_review(tracker, issue, Decision.APPROVED, approver.approval))
    note_deed(tracker, tx, issue.id, Deed.REVIEWED)
    if approver.approval.reviewed_by or approver.approval.is_self_review:
        who = approver.approval.reviewed_by or "nobody else"
        told = f"approved by the session that worked on it, looked at by {who}: {approver.approval.reason}"
        say(tracker, tx, issue.id, LogType.SECURITY, told.rstrip(": "))
    return made


def _review(tracker: Tracker, issue: Issue, decision: Decision, how: Approval) -> Review:
    return Review(
        issue_id=issue.id,
        reviewer_session=tracker.session,
        decision=decision,
        summary=how.reason,
        requested_by=issue.review_requested_by,
        self_review=how.is_self_review or bool(how.reviewed_by),
        reviewed_by=how.reviewed_by,
        created_at=tracker.now(),
        digest=digest_of(issue),
    )


def _close(tracker: Tracker, tx: Transaction, issue: Issue, approved: Sequence[Review]) -> Issue:
    note_deed(tracker, tx, issue.id, Deed.CLOSED)
    changes = enter_status(issue, Status.CLOSED, tracker.now(), tracker.session)
    return tx.update(issue, **changes, **told_of_review(tracker, approved))


def _approve_parts(tracker: Tracker, tx: Transaction, parts: Sequence[Issue], approver: _Approver) -> list[Issue]:
    closed = []
    for part in parts:
        issue = tx.get(Issue, part.id)
        known = involved(tracker, issue)
        may = refuse_approval(issue, tracker.session, approver.policy, known, approver.approval) is None
        if issue.status is Status.IN_REVIEW and may:
            closed.append(_close(tracker, tx, issue, [_record(tracker, tx, issue, approver)]))
    return closed
