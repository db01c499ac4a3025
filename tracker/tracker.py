"""The issues of one directory: read them, change them.

Always true:
- what a caller names is checked before anything is written;
- one call is one mutation: all of it is done, or none of it;
- nothing here waits for the network, except in mode `remote`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from replica import (
    HistoryEntry,
    Mutation,
    NotFoundError,
    Replica,
    Transaction,
    open_replica,
)
from tracker.here import Desk, Here
from tracker.ids import full_prefix
from tracker.listing import IssueFilter, find_issues
from tracker.records import RECORDS, Comment, Issue, IssueType, Priority, Session
from tracker.rules import IssueEdit, check_not_deleted, delete_issue, restore_issue
from tracker.values import check_comment

if TYPE_CHECKING:
    from replica import SqlRules
    from tracker.undo import Undone

_MIGRATIONS: Final = Path(__file__).parent / "migrations"


class Tracker:
    """The issues of one replica; closed when its `with` block ends.

    here: what is of this machine alone. desk: of whom these are. clock: seconds since 1970.
    """

    def __init__(self, replica: Replica, here: Here, desk: Desk, *, clock: Callable[[], float] = time.time) -> None:
        self.replica, self.here, self.desk = replica, here, desk
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

    @contextmanager
    def transaction(self, *, online: bool = False) -> Iterator[Transaction]:
        """One mutation; the first of a session tells who that is. online: the primary has it before this ends."""
        with self.replica.transaction("online" if online else "queued") as tx:
            yield tx
            if tx.changes():
                self._introduce(tx)

    @contextmanager
    def repeatable(self, mutation_id: str) -> Iterator[Transaction]:
        """One mutation of the caller's own id, by which it can be known afterwards whether it is done."""
        with self.replica.transaction(mutation_id=mutation_id) as tx:
            yield tx

    def _introduce(self, tx: Transaction) -> None:
        # Not by a query: that is another connection, which takes as long to open as all the rest of a short command.
        with suppress(NotFoundError):
            tx.get(Session, self.session)
            return
        tx.insert(self.introduction())

    def introduction(self) -> Session:
        """The row that tells others who this session is."""
        desk = self.desk
        return Session(
            id=self.session,
            machine=self.replica.machine,
            branch=desk.branch,
            agent=desk.agent,
            previous_session=desk.previous,
            started_at=self.now(),
        )

    def set_focus(self, issue_id: str | None) -> None:
        """Have an issue before oneself where none is named."""
        if issue_id != self.desk.focus:
            self.keep_desk(replace(self.desk, focus=issue_id))

    def keep_desk(self, desk: Desk) -> None:
        """Have something else before oneself, from now on."""
        self.desk = desk
        self.here.keep(desk)

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
        from tracker.editing import create  # noqa: PLC0415 - it is made of this class

        edit = IssueEdit(title=title, type=type, priority=priority, description=description, add_labels=labels)
        return create(self, edit)

    def find(self, wanted: IssueFilter) -> list[Issue]:
        """The issues that `wanted` describes, in its order. Raises FilterError."""
        return find_issues(self, wanted)

    def get(self, typed: str) -> Issue:
        """The issue whose id starts with `typed`. Raises NotFoundError, AmbiguousIdError or InvalidFieldError."""
        return self.replica.get(Issue, full_prefix(typed))

    def update(self, typed: str, edit: IssueEdit, *, if_updated_at: str | None = None) -> Issue:
        """Change the fields that `edit` names, as `tracker.editing.change` does for several. Raises as it does."""
        from tracker.editing import change  # noqa: PLC0415 - it is made of this class

        return change(self, [typed], edit, if_updated_at=if_updated_at).issues[0]

    def delete(self, typed: Sequence[str]) -> list[Issue]:
        """Hide issues; `restore` brings them back. All of them or none. Raises as `get`."""
        return self._mark(typed, lambda issue: delete_issue(issue, self.now()))

    def restore(self, typed: Sequence[str]) -> list[Issue]:
        """Bring deleted issues back. All of them or none. Raises as `get`."""
        return self._mark(typed, restore_issue)

    def _mark(self, typed: Sequence[str], change: Callable[[Issue], Mapping[str, object]]) -> list[Issue]:
        ids = dict.fromkeys(self.get(one).id for one in typed)
        with self.transaction() as tx:
            return [tx.update(issue, **change(issue)) for issue in (tx.get(Issue, issue_id) for issue_id in ids)]

    def comment(self, typed: str, text: str) -> Comment:
        """Say something about an issue that is not deleted. Raises as `get` does, and TrackerError."""
        checked = check_comment(text)
        issue_id = self.get(typed).id
        with self.transaction() as tx:
            check_not_deleted(tx.get(Issue, issue_id))
            said = Comment(issue_id=issue_id, text=checked, session=self.replica.session, created_at=self.now())
            return tx.insert(said)

    def history(self, typed: str) -> tuple[Issue, list[HistoryEntry]]:
        """An issue and what was done to it, oldest first. Raises as `get` does."""
        issue = self.get(typed)
        return issue, self.replica.history(Issue, issue.id)

    def undo(self, typed: str | None = None) -> Undone:
        """Take back a mutation, or the last of this session. Raises as `tracker.undo` does."""
        from tracker.undo import undo  # noqa: PLC0415 - only this pays for it

        return undo(self.replica, self.here, typed, self.now())

    @property
    def sql_rules(self) -> SqlRules:
        """What td has to say about rows that SQL writes, as `Replica.sql` takes it."""
        from tracker.sql_rules import sql_rules  # noqa: PLC0415 - only SQL that writes pays for it

        return sql_rules(self, self._introduce)

    def pending_ids(self) -> set[str]:
        """The ids of the issues that have changes which are not on the primary yet."""
        return self.replica.pending_rows(Issue.replica_table)

    def is_pending(self, mutation: Mutation) -> bool:
        """Whether the primary does not have a mutation yet."""
        return any(change.row_id in self.replica.pending_rows(change.table) for change in mutation.changes)


def open_tracker(  # noqa: PLR0913 - each is a choice of its own
    directory: Path,
    *,
    mode: str = "local",
    url: str | None = None,
    token: Callable[[], str | None] | None = None,
    renew: Callable[[str], str | None] | None = None,
    session: str | None = None,
    machine: str | None = None,
    clock: Callable[[], float] = time.time,
    desk: Desk | None = None,
    ca_file: Path | None = None,
    namespace: str | None = None,
) -> Tracker:
    """Open the issues in `directory`.

    Args:
        directory: where the files of the replica are.
        mode: local, libsql, turso or remote.
        url: the primary's address, in every mode but local.
        token: asked for the token when the primary is to be spoken to.
        renew: asked for another one, with the one that the primary has just refused.
        session: who the caller is, for history and undo; None makes a new one.
        machine: this machine's id; None finds it out.
        clock: seconds since 1970.
        desk: what the caller has before them, session included.
        ca_file: with the certificates of the only authorities that are believed about who the primary is.
        namespace: which database of an sqld that serves several; mode remote only.

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
        renew=renew,
        session=session if desk is None else desk.session,
        machine=machine,
        clock=clock,
        ca_file=ca_file,
        namespace=namespace,
    )
    own = desk or Desk(replica.session, f"session {replica.session}")
    return Tracker(replica, Here(directory), own, clock=clock)
