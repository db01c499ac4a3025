"""Bring issues from one status to another, with all that follows from it, as one mutation.

Always true:
- of several issues, all go or none;
- what follows for others (`tracker.cascade`) is in the same mutation, and gives way where somebody else was faster;
- a move that is done already changes nothing and is no error.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from replica import ConflictError, Transaction
from tracker.cascade import consequences
from tracker.days import parse_span
from tracker.deeds import approvals, involved, note_deed, policy, supersede_approvals, told_of_review
from tracker.errors import ClaimedError
from tracker.near import NearIssues
from tracker.records import Deed, Issue, Log, LogType, Review, Snapshot, Status
from tracker.rules import check_not_deleted
from tracker.sessions import find, names
from tracker.statuses import Wish, check_way, enter_status
from tracker.tracker import Tracker
from tracker.values import check_text, moment_text


@dataclass(frozen=True, slots=True)
class Commit:
    """Where the repository of the caller stands. dirty_files: how many differ from the commit."""

    sha: str
    branch: str = ""
    dirty_files: int = 0


@dataclass(frozen=True, slots=True)
class Moved:
    """issues: those that were named, as they are now. changed: the ids of those that were not so already.

    followed: other issues that came to another status by it.
    """

    issues: list[Issue]
    changed: frozenset[str]
    followed: list[Issue] = field(default_factory=list)


def start(
    tracker: Tracker,
    typed: Sequence[str],
    *,
    is_forced: bool = False,
    reason: str = "",
    commit: Commit | None = None,
    online: bool = False,
) -> Moved:
    """Claim issues and begin to work on them.

    is_forced: also what is blocked, or claimed by somebody else. commit: kept beside the start. online: claim them on
    the primary before anything is said to be done. Raises ClaimedError, TransitionError, and as `Tracker.get`.
    """

    def claim(tx: Transaction, issue: Issue) -> Issue:
        wish = Wish(session=tracker.session, is_forced=is_forced)
        if issue.status is Status.IN_PROGRESS:
            _check_way(tracker, issue.model_copy(update={"status": Status.OPEN}), Status.IN_PROGRESS, wish)
            started = tx.update(issue, implementer_session=tracker.session)
        else:
            _check_way(tracker, issue, Status.IN_PROGRESS, wish)
            started = _enter(tracker, tx, issue, Status.IN_PROGRESS)
        if started is not issue:
            note_deed(tracker, tx, issue.id, Deed.STARTED)
            keep_commit(tracker, tx, issue.id, "start", commit)
        return started

    try:
        return _move(tracker, typed, claim, reason=reason, online=online)
    except ConflictError as error:
        found = error.current
        if isinstance(found, Issue) and found.implementer_session not in (None, tracker.session):
            # The primary knew what is not known here yet.
            holder = found.implementer_session
            raise ClaimedError(found.id, holder, found.updated_at, names(tracker).get(str(holder), "")) from error
        raise


def unstart(tracker: Tracker, typed: Sequence[str], *, reason: str = "") -> Moved:
    """Put issues back that were started: nobody claims them any more."""

    def release(tx: Transaction, issue: Issue) -> Issue:
        if issue.status is not Status.IN_PROGRESS:
            return issue
        note_deed(tracker, tx, issue.id, Deed.UNSTARTED)
        return _enter(tracker, tx, issue, Status.OPEN)

    return _move(tracker, typed, release, reason=reason)


def claimed(tracker: Tracker, *, session: str | None = None, stale: str | None = None) -> list[Issue]:
    """What is in progress: of one session, and not changed for a time such as `8h`.

    Raises InvalidFieldError, and as `sessions.find`.
    """
    conditions, params = ["status = ?", "deleted_at IS NULL"], [Status.IN_PROGRESS.value]
    if session is not None:
        conditions.append("implementer_session = ?")
        params.append(find(tracker, session))
    if stale is not None:
        conditions.append("updated_at < ?")
        params.append(moment_text(tracker.now() - parse_span("--stale", stale)))
    return tracker.replica.select(Issue, f"WHERE {' AND '.join(conditions)} ORDER BY priority, created_at, id", params)


def block(tracker: Tracker, typed: Sequence[str], *, reason: str = "") -> Moved:
    """Say that issues cannot go on."""
    return _move(
        tracker,
        typed,
        lambda tx, issue: _enter(tracker, tx, issue, Status.BLOCKED),
        reason=reason,
        log_type=LogType.BLOCKER,
    )


def unblock(tracker: Tracker, typed: Sequence[str], *, reason: str = "") -> Moved:
    """Say that issues can go on."""

    def free(tx: Transaction, issue: Issue) -> Issue:
        return _enter(tracker, tx, issue, Status.OPEN) if issue.status is Status.BLOCKED else issue

    return _move(tracker, typed, free, reason=reason)


def close(tracker: Tracker, typed: Sequence[str], *, reason: str = "", exception: str = "") -> Moved:
    """Close issues that need no review, or have an approval that counts; who did not approve it says why.

    exception: why this session closes its own work. Raises SelfApprovalError, ReviewNeededError, InvalidFieldError, and
    as `Tracker.get`.
    """
    exception = check_text("reason", exception).strip()
    rules = policy(tracker)

    def finish(tx: Transaction, issue: Issue) -> Issue:
        found = approvals(tracker, issue)
        wish = Wish(
            session=tracker.session,
            policy=rules,
            involved=involved(tracker, issue),
            exception=exception,
            is_approved=bool(found),
            is_explained=bool(reason.strip()) or any(review.reviewer_session == tracker.session for review in found),
        )
        check_way(issue, Status.CLOSED, wish)
        closed = _enter(tracker, tx, issue, Status.CLOSED, found)
        if closed is not issue:
            note_deed(tracker, tx, issue.id, Deed.CLOSED)
            if exception:
                say(tracker, tx, issue.id, LogType.SECURITY, f"closed without a review: {exception}")
        return closed

    return _move(tracker, typed, finish, reason=reason)


def reopen(tracker: Tracker, typed: Sequence[str], *, reason: str = "") -> Moved:
    """Open closed issues again."""

    def open_again(tx: Transaction, issue: Issue) -> Issue:
        return _enter(tracker, tx, issue, Status.OPEN) if issue.status is Status.CLOSED else issue

    return _move(tracker, typed, open_again, reason=reason)


def enter_checked(tracker: Tracker, tx: Transaction, issue: Issue, status: Status) -> Issue:
    """Bring an issue to a status by hand, as far as the rules let it: what `td update --status` does."""
    if status is issue.status:
        return issue
    found = approvals(tracker, issue)
    wish = Wish(
        session=tracker.session,
        policy=policy(tracker),
        involved=involved(tracker, issue),
        is_approved=bool(found),
        is_explained=any(review.reviewer_session == tracker.session for review in found),
    )
    _check_way(tracker, issue, status, wish)
    deed = {Status.IN_PROGRESS: Deed.STARTED, Status.CLOSED: Deed.CLOSED}.get(status)
    if deed is not None:
        note_deed(tracker, tx, issue.id, deed)
    return _enter(tracker, tx, issue, status, found)


def follow(tracker: Tracker, tx: Transaction, landed: Sequence[Issue]) -> list[Issue]:
    """Do what follows for others from issues that came to their status, and return those as they are now."""
    followed: dict[str, Issue] = {}
    for issue_id, status in consequences(NearIssues(tracker, tx), landed):
        issue = tx.get(Issue, issue_id)
        followed[issue_id] = tx.follow(issue, **enter_status(issue, status, tracker.now(), None))
    return list(followed.values())


def _check_way(tracker: Tracker, issue: Issue, status: Status, wish: Wish) -> None:
    try:
        check_way(issue, status, wish)
    except ClaimedError as error:
        error.called = names(tracker).get(str(error.holder), "")
        raise


def _enter(tracker: Tracker, tx: Transaction, issue: Issue, status: Status, approved: Sequence[Review] = ()) -> Issue:
    if status is issue.status:
        return issue
    check_way(issue, status, Wish(session=tracker.session, is_forced=True, exception="checked", is_approved=True))
    if issue.status in (Status.IN_REVIEW, Status.CLOSED) and status is not Status.CLOSED:
        supersede_approvals(tracker, tx, issue.id)
    changes = enter_status(issue, status, tracker.now(), tracker.session)
    if status is Status.CLOSED and issue.status is Status.IN_REVIEW:
        changes = {**changes, **told_of_review(tracker, approved)}
    return tx.update(issue, **changes)


def _move(
    tracker: Tracker,
    typed: Sequence[str],
    step: Callable[[Transaction, Issue], Issue],
    *,
    reason: str,
    log_type: LogType = LogType.PROGRESS,
    online: bool = False,
) -> Moved:
    told = check_text("reason", reason).strip()
    ids = list(dict.fromkeys(tracker.get(one).id for one in typed))
    moved, changed = [], []
    with tracker.transaction(online=online) as tx:
        for issue_id in ids:
            issue = tx.get(Issue, issue_id)
            check_not_deleted(issue)
            after = step(tx, issue)
            moved.append(after)
            if after is not issue:
                changed.append(after)
                if told:
                    say(tracker, tx, issue_id, log_type, told)
        followed = follow(tracker, tx, changed)
        # What was named may itself have been changed by what followed from another.
        shown = [tx.get(Issue, issue.id) for issue in moved]
    ids_named = set(ids)
    return Moved(
        shown, frozenset(issue.id for issue in changed), [issue for issue in followed if issue.id not in ids_named]
    )


def say(tracker: Tracker, tx: Transaction, issue_id: str, kind: LogType, message: str) -> None:
    """Log something about an issue."""
    tx.insert(Log(issue_id=issue_id, session=tracker.session, type=kind, message=message, created_at=tracker.now()))


def keep_commit(tracker: Tracker, tx: Transaction, issue_id: str, event: str, commit: Commit | None) -> None:
    """Keep where the repository stood when something was done to an issue."""
    if commit is not None:
        tx.insert(
            Snapshot(
                issue_id=issue_id,
                session=tracker.session,
                event=event,
                commit_sha=commit.sha,
                branch=commit.branch,
                dirty_files=commit.dirty_files,
                created_at=tracker.now(),
            )
        )
