"""The issues of one directory: read them, change them.

Always true:
- what a caller names is checked before anything is written;
- one call is one mutation: all of it is done, or none of it;
- nothing here waits for the network, except in mode `remote`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from replica import (
    AmbiguousIdError,
    Conflict,
    HistoryEntry,
    InputError,
    Mutation,
    NotFoundError,
    Replica,
    Transaction,
    open_replica,
)
from tracker.conflicts import rows_of
from tracker.ids import full_prefix
from tracker.listing import IssueFilter
from tracker.records import RECORDS, Comment, Issue, IssueType, Priority, Status
from tracker.rules import MOVES, IssueEdit, check_not_deleted, edit_issue
from tracker.undo import Undone, undo
from tracker.values import check_comment, check_text, check_title

_MIGRATIONS: Final = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class IssueView:
    """An issue with all that is shown of it: its comments, oldest first, and the conflicts open on it."""

    issue: Issue
    comments: list[Comment]
    conflicts: list[Conflict]


class Tracker:
    """The issues of one replica; closed when its `with` block ends. `clock`: seconds since 1970."""

    def __init__(self, replica: Replica, *, clock: Callable[[], float] = time.time) -> None:
        self.replica = replica
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.replica.close()

    def now(self) -> datetime:
        """The moment, as the clock of the tracker tells it."""
        return datetime.fromtimestamp(self._clock(), UTC)

    @property
    def session(self) -> str:
        """Under which session changes are made."""
        return self.replica.session

    @property
    def reader(self) -> tuple[str, str]:
        """Who reads and writes here: the session and the machine."""
        return self.replica.session, self.replica.machine

    def create(
        self,
        title: str,
        *,
        type: IssueType = IssueType.TASK,  # noqa: A002 - the field is called so
        priority: Priority = Priority.P2,
        description: str = "",
        labels: frozenset[str] = frozenset(),
    ) -> Issue:
        """Write a new, open issue. Raises InvalidFieldError."""
        issue = Issue(
            title=check_title(title),
            description=check_text("description", description),
            type=type,
            priority=priority,
            labels=labels,
            created_at=self.now(),
            creator_session=self.replica.session,
        )
        with self.replica.transaction() as tx:
            return tx.insert(issue)

    def find(self, wanted: IssueFilter) -> list[Issue]:
        """The issues that `wanted` describes, the most urgent first."""
        fragment, params = wanted.sql()
        return self.replica.select(Issue, fragment, params)

    def get(self, typed: str) -> Issue:
        """The issue whose id starts with `typed`. Raises NotFoundError, AmbiguousIdError or InvalidFieldError."""
        return self.replica.get(Issue, full_prefix(typed))

    def show(self, typed: str) -> IssueView:
        """An issue with its comments and conflicts. Raises as `get` does."""
        issue = self.get(typed)
        comments = self.replica.select(Comment, "WHERE issue_id = ? ORDER BY created_at, id", (issue.id,))
        of_issue = {issue.id, *(comment.id for comment in comments)}
        return IssueView(issue, comments, [found for found in self.replica.conflicts() if rows_of(found) & of_issue])

    def update(self, typed: str, edit: IssueEdit, *, if_updated_at: str | None = None) -> Issue:
        """Change the fields that `edit` names.

        Args:
            typed: the beginning of the id.
            edit: what to change.
            if_updated_at: the stamp under which the caller read the issue; None changes it whatever it is now.

        Raises:
            ConflictError: the issue was changed since `if_updated_at`.
            TrackerError: a value is not valid, or the issue is deleted.
            ReplicaError: as `get` does.
        """
        checked = replace(
            edit,
            title=None if edit.title is None else check_title(edit.title),
            description=None if edit.description is None else check_text("description", edit.description),
        )
        issue_id = self.get(typed).id
        with self.replica.transaction() as tx:
            issue = tx.get(Issue, issue_id)
            changes = edit_issue(issue, checked, self.now())
            seen = issue if if_updated_at is None else issue.model_copy(update={"updated_at": if_updated_at})
            return tx.update(seen, **changes)

    def move(self, name: str, typed: Sequence[str]) -> list[Issue]:
        """Close, reopen, delete or restore issues, all of them or none. Raises as `get` does, and IssueDeletedError."""
        ids = dict.fromkeys(self.get(one).id for one in typed)
        with self.replica.transaction() as tx:
            moved = []
            for issue_id in ids:
                issue = tx.get(Issue, issue_id)
                moved.append(tx.update(issue, **MOVES[name](issue, self.now())))
            return moved

    def comment(self, typed: str, text: str) -> Comment:
        """Say something about an issue that is not deleted. Raises as `get` does, and TrackerError."""
        checked = check_comment(text)
        issue_id = self.get(typed).id
        with self.replica.transaction() as tx:
            check_not_deleted(tx.get(Issue, issue_id))
            said = Comment(issue_id=issue_id, text=checked, session=self.replica.session, created_at=self.now())
            return tx.insert(said)

    def history(self, typed: str) -> tuple[Issue, list[HistoryEntry]]:
        """An issue and what was done to it, oldest first. Raises as `get` does."""
        issue = self.get(typed)
        return issue, self.replica.history(Issue, issue.id)

    def undo(self, typed: str | None = None) -> Undone:
        """Take back a mutation, or the last of this session. Raises as `tracker.undo` does."""
        return undo(self.replica, typed, self.now())

    def pending_ids(self) -> set[str]:
        """The ids of the issues that have changes which are not on the primary yet."""
        return self.replica.pending_rows(Issue.replica_table)

    def is_pending(self, mutation: Mutation) -> bool:
        """Whether the primary does not have a mutation yet."""
        return any(change.row_id in self.replica.pending_rows(change.table) for change in mutation.changes)

    def find_conflict(self, typed: str) -> Conflict:
        """The open conflict whose id starts with `typed`, or the only one on the issue that `typed` stands for.

        Raises:
            NotFoundError: there is no such conflict.
            AmbiguousIdError: there are several.
        """
        try:
            return self.replica.conflict(typed)
        except NotFoundError:
            prefix = full_prefix(typed)
            on_issue = [
                found for found in self.replica.conflicts() if any(row.startswith(prefix) for row in rows_of(found))
            ]
            if not on_issue:
                raise
        if len(on_issue) > 1:
            raise AmbiguousIdError("conflict", typed, [found.id for found in on_issue])
        return on_issue[0]

    def is_open(self, conflict: Conflict) -> bool:
        """Whether the conflict still waits for a decision."""
        return any(found.id == conflict.id for found in self.replica.conflicts())

    def resolve(self, conflict: Conflict, choice: Literal["mine", "theirs"] | Mapping[str, object]) -> Mutation:
        """Settle a conflict with `"mine"`, `"theirs"` or values, and keep `closed_at` in step with the status."""
        try:
            return self.replica.resolve(conflict.id, choice, then=lambda tx: self._keep_in_step(tx, conflict))
        except InputError as error:
            if not self.is_open(conflict):
                error.hint = f"nothing is left to decide; td history {conflict.row_id} shows what came of it"
            raise

    def _keep_in_step(self, tx: Transaction, conflict: Conflict) -> None:
        # The two fields are merged each for itself, so the status of one side may meet the moment of the other.
        for issue_id in {change.row_id for change in conflict.changes if change.table == Issue.replica_table}:
            try:
                issue = tx.get(Issue, issue_id)
            except NotFoundError:
                continue
            if (issue.status is Status.CLOSED) != (issue.closed_at is not None):
                tx.update(issue, closed_at=self.now() if issue.closed_at is None else None)


def open_tracker(
    directory: Path,
    *,
    mode: str = "local",
    url: str | None = None,
    token: Callable[[], str | None] | None = None,
    session: str | None = None,
    machine: str | None = None,
    clock: Callable[[], float] = time.time,
) -> Tracker:
    """Open the issues in `directory`.

    Args:
        directory: where the files of the replica are.
        mode: local, libsql, turso or remote.
        url: the primary's address, in every mode but local.
        token: asked for the token when the primary is to be spoken to.
        session: who the caller is, for history and undo; None makes a new one.
        machine: this machine's id; None finds it out.
        clock: seconds since 1970.

    Raises:
        ReplicaError: the directory or its files cannot be used; in mode `remote` also if the primary cannot.
    """
    replica = open_replica(
        directory,
        records=RECORDS,
        migrations=_MIGRATIONS,
        mode=mode,
        url=url,
        token=token,
        session=session,
        machine=machine,
        clock=clock,
    )
    return Tracker(replica, clock=clock)
