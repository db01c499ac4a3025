"""Work on several issues in one stretch, and tell of all of them at its end.

Owns the tables `work_sessions` and `work_session_issues`. Always true: a session has at most one stretch open here, and
its end is kept with the commit that it came to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from replica import NotFoundError, Transaction
from tracker.deeds import note_deed, supersede_approvals
from tracker.errors import NoWorkError, WorkGoesOnError
from tracker.ids import full_prefix, relation_id
from tracker.moves import Commit, Moved
from tracker.records import Deed, Handoff, Issue, Log, LogType, Status, WorkSession, WorkSessionIssue
from tracker.rules import check_not_deleted
from tracker.statuses import Wish, check_way, enter_status
from tracker.talk import Account
from tracker.tracker import Tracker
from tracker.values import check_line

_NAME_LENGTH_MAX: Final = 100
_LOGS_IN_HANDOFF_MAX: Final = 20
_TOLD_AS: Final = {
    LogType.PROGRESS: "done",
    LogType.RESULT: "done",
    LogType.DECISION: "decisions",
    LogType.BLOCKER: "uncertain",
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """A work session with its issues."""

    work: WorkSession
    issues: list[Issue]


def begin(tracker: Tracker, name: str, *, commit: Commit | None = None) -> WorkSession:
    """Begin a stretch of work. Raises WorkGoesOnError where one is open here, InvalidFieldError."""
    told = check_line("name", name, _NAME_LENGTH_MAX)
    going_on = current(tracker)
    if going_on is not None:
        raise WorkGoesOnError(going_on.id, going_on.name)
    with tracker.transaction() as tx:
        work = tx.insert(
            WorkSession(
                name=told,
                session=tracker.session,
                branch=tracker.desk.branch,
                start_sha="" if commit is None else commit.sha,
                started_at=tracker.now(),
            )
        )
    tracker.keep_desk(replace(tracker.desk, work=work.id))
    return work


def current(tracker: Tracker) -> WorkSession | None:
    """The stretch that is open here; None if there is none."""
    if tracker.desk.work is None:
        return None
    try:
        work = tracker.replica.get(WorkSession, tracker.desk.work)
    except NotFoundError:
        return None
    return work if work.ended_at is None else None


def required(tracker: Tracker) -> WorkSession:
    """The same. Raises NoWorkError for none."""
    work = current(tracker)
    if work is None:
        raise NoWorkError
    return work


def find(tracker: Tracker, typed: str) -> Stretch:
    """A stretch by the beginning of its id, with its issues. Raises NotFoundError, AmbiguousIdError."""
    work = tracker.replica.get(WorkSession, full_prefix(typed, "ws-"))
    return Stretch(work, issues_of(tracker, work.id))


def all_of(tracker: Tracker) -> list[WorkSession]:
    """All stretches of all sessions, the newest first."""
    return tracker.replica.select(WorkSession, "ORDER BY started_at DESC, id")


def issues_of(tracker: Tracker, work_id: str) -> list[Issue]:
    """The issues of a stretch, those that are deleted left out."""
    where = """WHERE id IN (SELECT issue_id FROM work_session_issues WHERE work_session_id = ?)
        AND deleted_at IS NULL ORDER BY priority, created_at, id"""
    return tracker.replica.select(Issue, where, (work_id,))


def tag(tracker: Tracker, typed: Sequence[str], *, is_started: bool = True) -> Moved:
    """Take issues into the stretch; those that are open are started, unless `is_started` says no.

    What was in it and is started already is not among those that changed.

    Raises NoWorkError, ClaimedError, IssueDeletedError, and as `Tracker.get`.
    """
    work, ids = required(tracker), dict.fromkeys(tracker.get(one).id for one in typed)
    tagged, changed = [], set()
    with tracker.transaction() as tx:
        for issue_id in ids:
            issue = tx.get(Issue, issue_id)
            check_not_deleted(issue)
            row_id = relation_id("wsi", work.id, issue_id)
            try:
                tx.get(WorkSessionIssue, row_id)
            except NotFoundError:
                made = WorkSessionIssue(id=row_id, work_session_id=work.id, issue_id=issue_id, created_at=tracker.now())
                tx.insert(made)
                changed.add(issue_id)
                supersede_approvals(tracker, tx, issue_id)
            if is_started and issue.status is Status.OPEN:
                check_way(issue, Status.IN_PROGRESS, Wish(session=tracker.session))
                issue = tx.update(issue, **enter_status(issue, Status.IN_PROGRESS, tracker.now(), tracker.session))
                note_deed(tracker, tx, issue_id, Deed.STARTED)
                changed.add(issue_id)
            tagged.append(issue)
    return Moved(tagged, frozenset(changed))


def untag(tracker: Tracker, typed: Sequence[str]) -> Moved:
    """Take issues out of the stretch again. Raises NoWorkError, and as `Tracker.get`."""
    work, issues = required(tracker), list({one.id: one for one in map(tracker.get, typed)}.values())
    changed = set()
    with tracker.transaction() as tx:
        for issue in issues:
            try:
                tx.delete(tx.get(WorkSessionIssue, relation_id("wsi", work.id, issue.id)))
            except NotFoundError:
                continue
            changed.add(issue.id)
            supersede_approvals(tracker, tx, issue.id)
    return Moved(issues, frozenset(changed))


def end(
    tracker: Tracker, *, account: Account | None = None, commit: Commit | None = None, goes_on: bool = False
) -> tuple[WorkSession, list[Handoff]]:
    """End the stretch. account: what to tell of each issue, besides what was logged in it; None: hand nothing off.

    goes_on: hand off, and do not end it. Raises NoWorkError, InvalidFieldError.
    """
    work = required(tracker)
    told = None if account is None else account.checked()
    handoffs: list[Handoff] = []
    with tracker.transaction() as tx:
        if told is not None:
            handoffs = [_hand_off(tracker, tx, work, issue, told) for issue in issues_of(tracker, work.id)]
        if not goes_on:
            sha = "" if commit is None else commit.sha
            work = tx.update(tx.get(WorkSession, work.id), ended_at=tracker.now(), end_sha=sha)
    if not goes_on:
        tracker.keep_desk(replace(tracker.desk, work=None))
    return work, handoffs


def _hand_off(tracker: Tracker, tx: Transaction, work: WorkSession, issue: Issue, account: Account) -> Handoff:
    where = f"""WHERE work_session_id = ? AND (issue_id = ? OR issue_id IS NULL)
        ORDER BY created_at DESC, id DESC LIMIT {_LOGS_IN_HANDOFF_MAX}"""
    told: dict[str, list[str]] = {"done": [], "decisions": [], "uncertain": []}
    for log in reversed(tracker.replica.select(Log, where, (work.id, issue.id))):
        if log.type in _TOLD_AS:
            told[_TOLD_AS[log.type]].append(log.message)
    return tx.insert(
        Handoff(
            issue_id=issue.id,
            session=tracker.session,
            done=(*account.done, *told["done"]),
            remaining=tuple(line for line in account.remaining if _is_about(line, issue)),
            decisions=(*account.decisions, *told["decisions"]),
            uncertain=(*account.uncertain, *told["uncertain"]),
            created_at=tracker.now(),
        )
    )


def _is_about(line: str, issue: Issue) -> bool:
    """Whether a line that may name issues is about this one."""
    return issue.id in line or "td-" not in line
