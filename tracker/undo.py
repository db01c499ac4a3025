"""Take back a change: as the toolkit does, but for what must not be lost with it.

Always true:
- who the session is stays told, whatever of its work is taken back;
- an issue whose creation is taken back is deleted as `td delete` deletes: with its comments and its history, and it can
  be restored;
- taking back is one mutation, and nothing is taken back over a later change of the same field; who made that is told;
- who takes back twice, without saying what, goes two steps back; what took something back is taken back by its id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from replica import (
    Author,
    Change,
    ConflictError,
    HistoryEntry,
    Kind,
    Mutation,
    NotFoundError,
    Record,
    Replica,
    Transaction,
)
from tracker.errors import NothingToUndoError, UndoRefusedError
from tracker.here import Here
from tracker.records import RECORDS, Issue, Session
from tracker.rules import delete_issue

_RECORDS: Final[Mapping[str, type[Record]]] = {record.replica_table: record for record in RECORDS}
_Row = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Undone:
    """mutation: what took the change back. deleted: the issues that are deleted by it, and can be restored."""

    mutation: Mutation
    deleted: tuple[str, ...] = ()


def undo(replica: Replica, here: Here, typed: str | None, now: datetime) -> Undone:
    """Take back the mutation whose id starts with `typed`; None: the last of this session that still stands.

    here: remembers what was taken back by what. Raises:
        NothingToUndoError: nothing was changed in this session, or all of it is taken back.
        UndoRefusedError: its fields were changed again; names them and who did.
        ReplicaError: there is no such mutation, or several.
    """
    taken_back = here.taken_back()
    try:
        mutation = replica.mutation(typed, besides={*taken_back, *taken_back.values()})
    except NotFoundError as error:
        if typed is None:
            raise NothingToUndoError(replica.session) from error
        raise
    undone = _undo(replica, mutation, now)
    # What was taken back by it stands again.
    taken_back.pop(mutation.id, None)
    here.set_taken_back({**taken_back, undone.mutation.id: mutation.id})
    return undone


def _undo(replica: Replica, mutation: Mutation, now: datetime) -> Undone:
    created = [change for change in mutation.changes if change.table == Issue.replica_table and _is_insert(change)]
    try:
        if created:
            return _undo_creation(replica, mutation, created, now)
        return Undone(replica.undo(mutation.id, keep=_is_introduction))
    except ConflictError as error:
        # What followed from the rest gives way, so it is never the reason.
        for change in (one for one in mutation.changes if not one.yields):
            _refuse_moved(replica, (change.table, change.row_id), mutation.id, error)
        raise


def _is_insert(change: Change) -> bool:
    return change.kind is Kind.INSERT


def _is_introduction(change: Change) -> bool:
    """Whether it only tells who a session is, which stays true."""
    return change.table == Session.replica_table and _is_insert(change)


def _undo_creation(replica: Replica, mutation: Mutation, created: list[Change], now: datetime) -> Undone:
    """Delete the issues with all that was written beside them, and take back what was changed besides."""

    def delete(tx: Transaction) -> None:
        for change in created:
            issue = tx.get(Issue, change.row_id)
            row = issue.to_row()
            if any(row.get(name) != new for name, new in change.new_values().items()):
                raise ConflictError(
                    change.table, change.row_id, seen=change.stamp, found=issue.updated_at, current=issue
                )
            tx.update(issue, **delete_issue(issue, now))

    ids = tuple(change.row_id for change in created)
    if not all(map(_is_insert, mutation.changes)):
        return Undone(replica.undo(mutation.id, keep=_is_insert, then=delete), ids)
    with replica.transaction() as tx:
        delete(tx)
        taken_back_by = tx.mutation_id
    return Undone(replica.mutation(taken_back_by), ids)


def _entries(replica: Replica, row: _Row) -> list[HistoryEntry]:
    table, row_id = row
    try:
        return replica.history(_RECORDS[table], row_id) if table in _RECORDS else []
    except NotFoundError:
        return []


def _refuse_moved(replica: Replica, row: _Row, mutation_id: str, cause: ConflictError) -> None:
    """Raise UndoRefusedError if fields that the mutation gave the row have other values now."""
    entries = _entries(replica, row)
    ours = next((number for number, entry in enumerate(entries) if entry.mutation_id == mutation_id), None)
    if ours is None:
        return
    moved: dict[str, Author] = {}
    for name, (_, new) in entries[ours].fields.items():
        later = [entry for entry in entries[ours + 1 :] if name in entry.fields]
        if later and later[-1].fields[name][1] != new:
            moved[name] = Author(later[-1].session, later[-1].machine, later[-1].at)
    if moved:
        raise UndoRefusedError(row[1], moved) from cause
