"""Rows as a transaction sees them: those that are there, with what it has changed itself.

Always true: it comes to the same in every mode. A queued transaction writes where reads look; one that goes to the
primary first, as all do in mode `remote`, holds what it has written back until it ends, and a query does not find that.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from replica import Kind, NotFoundError, Record, Transaction
from tracker.tracker import Tracker

R = TypeVar("R", bound=Record)


def select_seen(
    tracker: Tracker,
    tx: Transaction,
    record: type[R],
    where: str,
    params: Sequence[str],
    *,
    columns: frozenset[str],
    fits: Callable[[R], bool],
) -> list[R]:
    """The rows that `where` finds, in no order, as the transaction sees them.

    columns: those that `where` looks at. fits: whether it would find a row.
    """
    found = {row.id: row for row in tracker.replica.select(record, where, params)}
    for change in tx.changes():
        row = found.get(change.row_id)
        if change.table != record.replica_table or (row is not None and row.updated_at == change.stamp):
            continue
        if row is None and change.kind is Kind.UPDATE and not columns & change.fields.keys():
            continue
        found.pop(change.row_id, None)
        with suppress(NotFoundError):
            now = tx.get(record, change.row_id)
            if fits(now):
                found[now.id] = now
    return list(found.values())
