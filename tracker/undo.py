"""Take back a change: as the toolkit does, but for what must not be lost with it.

Always true:
- an issue whose creation is taken back is deleted as `td delete` deletes: with its comments and its history, and it can
  be restored;
- taking back is one mutation, and nothing is taken back over a later change of the same field; who made that is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from replica import Author, ConflictError, HistoryEntry, Kind, Mutation, NotFoundError, Record, Replica
from tracker.errors import NothingToUndoError, UndoRefusedError
from tracker.records import Comment, Issue
from tracker.rules import delete_issue

_RECORDS: Final[Mapping[str, type[Record]]] = {record.replica_table: record for record in (Issue, Comment)}
_LAST: Final = """SELECT mutation, table_name, row_id FROM _replica_changes
WHERE mutation = (SELECT mutation FROM _replica_changes WHERE session = ? ORDER BY seq DESC LIMIT 1)"""
_NAMED: Final = "SELECT mutation, table_name, row_id FROM _replica_changes WHERE mutation >= ? AND mutation < ?"
_Row = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Undone:
    """mutation: what took the change back. deleted: the issues that are deleted by it, and can be restored."""

    mutation: Mutation
    deleted: tuple[str, ...] = ()


def undo(replica: Replica, typed: str | None, now: datetime) -> Undone:
    """Take back the mutation whose id starts with `typed`; None: the last of this session.

    Raises:
        NothingToUndoError: nothing was changed in this session.
        UndoRefusedError: its fields were changed again; names them and who did.
        ReplicaError: there is no such mutation, or several.
    """
    found = _find(replica, typed)
    if found is not None:
        mutation_id, rows = found
        created = [row_id for table, row_id in rows if table == Issue.replica_table]
        entries = {row: _entry(replica, row, mutation_id) for row in rows}
        if created and all(entry is not None and entry.kind is Kind.INSERT for entry in entries.values()):
            return _delete(replica, mutation_id, created, now)
    try:
        return Undone(replica.undo(typed))
    except NotFoundError as error:
        if typed is None:
            raise NothingToUndoError(replica.session) from error
        raise
    except ConflictError as error:
        for row in found[1] if found is not None else ():
            _refuse_moved(replica, row, found[0] if found else "", error)
        raise


def _find(replica: Replica, typed: str | None) -> tuple[str, list[_Row]] | None:
    """The id of the only mutation that `typed` stands for, and its rows; None leaves it to the toolkit to say why."""
    waiting = [
        mutation
        for mutation in replica.pending()
        if (mutation.session == replica.session if typed is None else mutation.id.startswith(typed))
    ]
    if typed is None and waiting:
        return waiting[-1].id, [(change.table, change.row_id) for change in waiting[-1].changes]
    stored = replica.query(_LAST, (replica.session,)) if typed is None else replica.query(_NAMED, (typed, f"{typed}~"))
    rows: dict[str, list[_Row]] = {}
    for mutation_id, table, row_id in stored.rows:
        rows.setdefault(str(mutation_id), []).append((str(table), str(row_id)))
    rows |= {mutation.id: [(change.table, change.row_id) for change in mutation.changes] for mutation in waiting}
    return next(iter(rows.items())) if len(rows) == 1 else None


def _delete(replica: Replica, mutation_id: str, issue_ids: list[str], now: datetime) -> Undone:
    with replica.transaction() as tx:
        for issue_id in issue_ids:
            issue = tx.get(Issue, issue_id)
            entry = _entry(replica, (Issue.replica_table, issue_id), mutation_id)
            row = issue.to_row()
            if entry is None or any(row.get(name) != new for name, (_, new) in entry.fields.items()):
                seen = "" if entry is None else entry.at
                error = ConflictError(Issue.replica_table, issue_id, seen=seen, found=issue.updated_at, current=issue)
                _refuse_moved(replica, (Issue.replica_table, issue_id), mutation_id, error)
                raise error
            tx.update(issue, **delete_issue(issue, now))
        made_id, changes = tx.mutation_id, tx.changes()
    made_at = replica.history(Issue, issue_ids[0])[-1].at
    version = replica.status().schema_version
    made = Mutation(made_id, replica.session, replica.machine, made_at, version, changes)
    return Undone(made, tuple(issue_ids))


def _entries(replica: Replica, row: _Row) -> list[HistoryEntry]:
    table, row_id = row
    try:
        return replica.history(_RECORDS[table], row_id) if table in _RECORDS else []
    except NotFoundError:
        return []


def _entry(replica: Replica, row: _Row, mutation_id: str) -> HistoryEntry | None:
    """What the mutation did to the row."""
    return next((entry for entry in _entries(replica, row) if entry.mutation_id == mutation_id), None)


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
