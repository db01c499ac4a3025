"""What td has to say about rows that SQL writes (`td query --write`): what its own commands would.

Always true:
- DELETE on issues and notes marks them in `deleted_at`, as td's commands do, so that they can be restored;
- a status is changed only as `td update --status` may, with all that goes with it and follows from it;
- what is deleted is only ever restored, and what was said is not changed;
- what says who did what, or relates two issues, is td's own to write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from replica import Record, RowChange, SqlRules, Transaction
from tracker.deeds import SUPERSEDING, approvals, involved, note_deed, policy, supersede_approvals
from tracker.errors import DeletedError, InvalidFieldError, IssueDeletedError
from tracker.ids import can_be_typed, is_row_id
from tracker.moves import follow
from tracker.parents import check_parent
from tracker.records import Comment, Deed, Handoff, Issue, Log, Note, Status
from tracker.rules import check_not_deleted, check_points, check_sprint
from tracker.statuses import Wish, check_way, enter_status
from tracker.tracker import Tracker
from tracker.values import check_comment, check_label, check_lines, check_text, check_title, moment_text

_OPEN: Final[tuple[type[Record], ...]] = (Issue, Comment, Log, Handoff, Note)
"""What SQL may write. The others hold rules that span rows: cycles, names, reviews, who did what."""
_OWN: Final = (
    "implementer_session", "review_requested_by", "reviewer_session", "reviewed_at", "closed_by_session", "status_at",
)  # fmt: skip
_MADE: Final = ("created_at", "creator_session", "created_branch")
_SAID: Final = ((Comment, "text"), (Log, "message"))
_DEEDS: Final = {Status.IN_PROGRESS: Deed.STARTED, Status.CLOSED: Deed.CLOSED}


def sql_rules(tracker: Tracker, introduce: Callable[[Transaction], None]) -> SqlRules:
    """The rules of td. introduce: tells who this session is, in its first mutation."""
    rules = _Rules(tracker, introduce)
    return SqlRules(fill=rules.fill, check=rules.check, then=rules.then)


@dataclass(frozen=True, slots=True)
class _Rules:
    tracker: Tracker
    introduce: Callable[[Transaction], None]

    def fill(self, record: type[Record]) -> Mapping[str, str]:
        """Who writes it, when, and where."""
        session = self.tracker.session
        values = {
            "created_at": moment_text(self.tracker.now()),
            "session": session,
            "creator_session": session,
            "created_branch": self.tracker.desk.branch,
        }
        names = {column.name for column in record.replica_columns}
        return {name: value for name, value in values.items() if name in names}

    def check(self, change: RowChange) -> RowChange | None:
        """The change as td makes it. Raises TrackerError where it breaks a rule, NotFoundError for an unknown issue."""
        if change.record not in _OPEN:
            names = ", ".join(sorted(record.replica_table for record in _OPEN))
            hint = f"SQL can write {names}; for the others td has commands, see td --help"
            raise InvalidFieldError(change.record.replica_table, "its rows are written by td alone", hint)
        if change.after is None:
            return self._deleted(change)
        if change.before is None:
            _check_id(change.after)
        cleaned = _cleaned(change, change.after)
        if isinstance(cleaned, Issue):
            _refuse_own(change)
            return self._issue(replace(change, after=cleaned), cleaned)
        if not isinstance(cleaned, Note):
            cleaned = self._said(change, cleaned)
        elif isinstance(change.before, Note) and cleaned.deleted_at is not None:
            _refuse_deleted(change.before)
        return replace(change, after=cleaned)

    def _said(self, change: RowChange, after: Record) -> Record:
        """Something new that is said, about an issue that is there."""
        if change.before is not None:
            hint = "say something else beside it, or DELETE it"
            raise InvalidFieldError(change.record.replica_table, "what was said is not changed", hint)
        issue_id = change.fields()["issue_id"][1]
        if issue_id is None:
            return after
        issue = self.tracker.get(str(issue_id))
        check_not_deleted(issue)
        return after.model_copy(update={"issue_id": issue.id})

    def then(self, tx: Transaction, changes: Sequence[RowChange]) -> None:
        """What td's commands do besides: deeds, reviews that count no more, and what follows for other issues."""
        landed = []
        for change in changes:
            if isinstance(change.after, Issue):
                before = change.before if isinstance(change.before, Issue) else None
                issue = tx.get(Issue, change.after.id)
                self._after(tx, before, issue, frozenset(change.fields()))
                if before is None or (before.status, before.parent_id) != (issue.status, issue.parent_id):
                    landed.append(issue)
        follow(self.tracker, tx, [issue for issue in landed if issue.deleted_at is None])
        self.introduce(tx)

    def _after(self, tx: Transaction, before: Issue | None, issue: Issue, changed: frozenset[str]) -> None:
        was = Status.OPEN if before is None else before.status
        if issue.parent_id is not None and "parent_id" in changed:
            # Rows of one statement may make a circle together.
            check_parent(self.tracker, issue, issue.parent_id)
        if issue.status is not was and issue.status in _DEEDS:
            note_deed(self.tracker, tx, issue.id, _DEEDS[issue.status])
        leaves_review = was in (Status.IN_REVIEW, Status.CLOSED) and issue.status not in (was, Status.CLOSED)
        if before is not None and (leaves_review or changed & SUPERSEDING):
            supersede_approvals(self.tracker, tx, issue.id)

    def _deleted(self, change: RowChange) -> RowChange | None:
        before = change.before
        if not isinstance(before, Issue | Note):
            return change
        if before.deleted_at is not None:
            return None
        return replace(change, after=before.model_copy(update={"deleted_at": self.tracker.now()}))

    def _issue(self, change: RowChange, after: Issue) -> RowChange:
        before = change.before if isinstance(change.before, Issue) else None
        if before is not None and after.deleted_at is not None:
            _refuse_deleted(before)
        if after.parent_id is not None and "parent_id" in change.fields():
            parent = check_parent(self.tracker, before, after.parent_id)
            after = after.model_copy(update={"parent_id": parent.id})
        # A new issue is one that was open a moment ago.
        blank = Issue(id=after.id, title=after.title, created_at=after.created_at, minor=after.minor)
        after = self._on_its_way(blank if before is None else before, after)
        if before is not None and after.defer_until not in (None, before.defer_until):
            after = _said_or(before, after, {"defer_count": before.defer_count + 1})
        return replace(change, after=after)

    def _on_its_way(self, was: Issue, after: Issue) -> Issue:
        """The issue with what goes with its status, where the statement did not say it itself."""
        if after.status is not was.status:
            wish = Wish(
                session=self.tracker.session,
                policy=policy(self.tracker),
                involved=involved(self.tracker, was),
                is_approved=bool(approvals(self.tracker, was)),
            )
            check_way(was, after.status, wish)
            after = _said_or(was, after, enter_status(was, after.status, self.tracker.now(), self.tracker.session))
        if (after.status is Status.CLOSED) != (after.closed_at is not None):
            told = f"{after.id} is {after.status}, and an issue has it exactly while it is closed"
            raise InvalidFieldError("closed_at", told, "set the status; closed_at goes with it")
        return after


def _check_id(made: Record) -> None:
    prefix = made.replica_id_prefix
    if not (can_be_typed(made.id, prefix) if prefix else is_row_id(made.id)):
        raise InvalidFieldError("id", "this is no id of td", "leave it out, so that one is made")


def _refuse_own(change: RowChange) -> None:
    """Raise InvalidFieldError where the statement says who did what."""
    own = _OWN if change.before is None else (*_OWN, *_MADE)
    for name, (before, new) in change.fields().items():
        if name in own and new != before:
            hint = "leave it out; td start, review, approve and close write it"
            raise InvalidFieldError(name, f"{change.row_id}: td writes it itself, so that it can be relied on", hint)


def _refuse_deleted(row: Issue | Note) -> None:
    if row.deleted_at is not None:
        error = IssueDeletedError(row.id) if isinstance(row, Issue) else DeletedError("note", row.id)
        error.hint = f"leave out what is deleted with AND deleted_at IS NULL; {error.hint}"
        raise error


def _said_or(was: Issue, after: Issue, usual: Mapping[str, object]) -> Issue:
    """The issue with what is usual in the fields that the statement left as they were."""
    left = {name: value for name, value in usual.items() if getattr(after, name) == getattr(was, name)}
    return after.model_copy(update=left)


def _cleaned(change: RowChange, after: Record) -> Record:
    """The row with its changed values as td's commands would keep them. Raises InvalidFieldError."""
    said = {name for record, name in _SAID if isinstance(after, record)}
    cleaned: dict[str, object] = {}
    for name in change.fields():
        value = getattr(after, name)
        if name in said:
            cleaned[name] = check_comment(value)
        elif name == "sprint":
            cleaned[name] = check_sprint(value)
        elif name == "points" and value is not None:
            check_points(value)
        elif type(value) is str:
            cleaned[name] = check_title(value) if name == "title" else check_text(name, value)
        elif isinstance(value, frozenset):
            cleaned[name] = frozenset(map(check_label, value))
        elif isinstance(value, tuple):
            cleaned[name] = check_lines(name, value)
    return after.with_changes(cleaned) if cleaned else after
