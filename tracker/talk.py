"""Say things about issues: comments, logs by kind, and handoffs.

Always true: what is said stands as it was said; a handoff of an issue is one for its parts that have none of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

from replica import Transaction
from tracker.moves import Commit, keep_commit
from tracker.near import NearIssues
from tracker.records import Comment, Handoff, Issue, Log, LogType, Status
from tracker.rules import check_not_deleted
from tracker.tracker import Tracker
from tracker.values import check_lines, check_message

_AT_WORK: Final = frozenset({Status.OPEN, Status.IN_PROGRESS})


@dataclass(frozen=True, slots=True)
class Account:
    """What a handoff tells, line by line."""

    done: tuple[str, ...] = ()
    remaining: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    uncertain: tuple[str, ...] = ()

    def checked(self) -> "Account":
        """The same with each line as it is stored. Raises InvalidFieldError."""
        return Account(*(check_lines(field.name, getattr(self, field.name)) for field in fields(self)))


def log(
    tracker: Tracker, typed: str | None, message: str, *, kind: LogType = LogType.PROGRESS, work: str | None = None
) -> Log:
    """Log a step of the work. typed: the beginning of an issue's id; None: of the work session `work` as a whole.

    Raises InvalidFieldError, IssueDeletedError, and as `Tracker.get`.
    """
    told = check_message(message)
    issue_id = None if typed is None else tracker.get(typed).id
    with tracker.transaction() as tx:
        if issue_id is not None:
            check_not_deleted(tx.get(Issue, issue_id))
        return tx.insert(
            Log(
                issue_id=issue_id,
                work_session_id=work,
                session=tracker.session,
                type=kind,
                message=told,
                created_at=tracker.now(),
            )
        )


def logs(tracker: Tracker, issue_id: str, *, limit: int | None = None) -> list[Log]:
    """What was logged of an issue, by its whole id, oldest first; of its work sessions too. limit: the newest."""
    where = """WHERE issue_id = ?1 OR (issue_id IS NULL AND work_session_id IN
        (SELECT work_session_id FROM work_session_issues WHERE issue_id = ?1)) ORDER BY created_at DESC, id DESC"""
    found = tracker.replica.select(Log, where if limit is None else f"{where} LIMIT {int(limit)}", (issue_id,))
    return found[::-1]


def comments(tracker: Tracker, issue_id: str) -> list[Comment]:
    """What was said about an issue, by its whole id, oldest first."""
    return tracker.replica.select(Comment, "WHERE issue_id = ? ORDER BY created_at, id", (issue_id,))


def hand_off(
    tracker: Tracker, typed: str, account: Account, *, message: str = "", commit: Commit | None = None
) -> tuple[Handoff, list[Handoff]]:
    """Tell how an issue stands, for whoever goes on with it.

    message: kept among the logs. commit: where the repository stands. Returns the handoff, and those of its parts at
    work that had none. Raises InvalidFieldError, IssueDeletedError, and as `Tracker.get`.
    """
    checked = account.checked()
    told = check_message(message) if message.strip() else ""
    issue_id = tracker.get(typed).id
    with tracker.transaction() as tx:
        issue = tx.get(Issue, issue_id)
        check_not_deleted(issue)
        made = _insert(tracker, tx, issue_id, checked)
        if told:
            tx.insert(Log(issue_id=issue_id, session=tracker.session, message=told, created_at=tracker.now()))
        keep_commit(tracker, tx, issue_id, "handoff", commit)
        parts = [
            _insert(tracker, tx, part.id, Account(done=(f"handed off with {issue_id}",)))
            for part in NearIssues(tracker, tx).descendants(issue)
            if part.status in _AT_WORK and last_handoff(tracker, part.id) is None
        ]
    return made, parts


def last_handoff(tracker: Tracker, issue_id: str) -> Handoff | None:
    """The newest handoff of an issue, by its whole id."""
    where = "WHERE issue_id = ? ORDER BY created_at DESC, id DESC LIMIT 1"
    found = tracker.replica.select(Handoff, where, (issue_id,))
    return found[0] if found else None


def account_from(lines: Sequence[str]) -> Account:
    """What a handoff tells, from text: a heading `Done:`, `Remaining:`, `Decisions:` or `Uncertain:`, and lines below.

    Lines before the first heading are done. A `-` or `*` in front of a line falls away, and so do empty lines.
    """
    found: dict[str, list[str]] = {field.name: [] for field in fields(Account)}
    names = {field.name.removesuffix("s"): field.name for field in fields(Account)}
    under = "done"
    for line in lines:
        plain = line.strip()
        heading = names.get(plain.lower().removesuffix(":").removesuffix("s"))
        if heading is not None and plain.endswith(":"):
            under = heading
        elif text := plain.lstrip("-* ").strip():
            found[under].append(text)
    return Account(**{name: tuple(texts) for name, texts in found.items()})


def _insert(tracker: Tracker, tx: Transaction, issue_id: str, account: Account) -> Handoff:
    return tx.insert(
        Handoff(
            issue_id=issue_id,
            session=tracker.session,
            done=account.done,
            remaining=account.remaining,
            decisions=account.decisions,
            uncertain=account.uncertain,
            created_at=tracker.now(),
        )
    )
