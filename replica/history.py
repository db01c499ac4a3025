"""History: who changed what, when, from which machine.

`_replica_changes` is one row for each change, on the primary and in every copy of it; pending changes are read
from the outbox. Always true: the fields kept are enough to tell what a change did and to take it back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from replica.mutation import Change, Fields, Kind, Mutation, Row, StoredValue, decode_fields, legible

CHANGE_COLUMNS = (
    "mutation",
    "position",
    "table_name",
    "row_id",
    "kind",
    "seen",
    "stamp",
    "fields",
    "session",
    "machine",
    "made_at",
    "schema_version",
    "yields",
)
HISTORY = "_replica_changes"
CONFLICTS = "_replica_conflicts"
INSERT_CHANGE = f"INSERT INTO {HISTORY} ({', '.join(CHANGE_COLUMNS)}) VALUES ({', '.join('?' * len(CHANGE_COLUMNS))})"
SELECT_CHANGE = f"SELECT {', '.join(CHANGE_COLUMNS)} FROM {HISTORY}"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One change of one row: fields is name → (before, new); `at` is when its author made it."""

    mutation_id: str
    kind: Kind
    at: str
    session: str
    machine: str
    fields: Fields
    pending: bool


def change_values(mutation: Mutation) -> Iterator[tuple[StoredValue, ...]]:
    """The values of `INSERT_CHANGE` for each change of a mutation, in order."""
    for position, change in enumerate(mutation.changes):
        # A conflict holds all that there is to know of it; in its history it would stand a second time.
        fields = "{}" if (change.table, change.kind) == (CONFLICTS, Kind.INSERT) else change.fields_text()
        yield (
            mutation.id, position, change.table, change.row_id, change.kind.value, change.seen, change.stamp,
            fields, mutation.session, mutation.machine, mutation.made_at, mutation.schema_version, int(change.yields),
        )  # fmt: skip


def mutations_from(rows: Sequence[Sequence[StoredValue]]) -> list[Mutation]:
    """Mutations of rows in the columns of `SELECT_CHANGE`, sorted so that each one's changes stand together."""
    mutations: list[Mutation] = []
    changes: list[Change] = []
    for position, row in enumerate(rows):
        changes.append(change_from(row))
        if position + 1 == len(rows) or rows[position + 1][0] != row[0]:
            mutations.append(
                Mutation(str(row[0]), str(row[8]), str(row[9]), str(row[10]), int(str(row[11])), tuple(changes))
            )
            changes = []
    return mutations


def change_from(row: Sequence[StoredValue]) -> Change:
    """The change of one row in the columns of `SELECT_CHANGE`."""
    with legible():
        fields, yields = decode_fields(str(row[7])), bool(row[12])
        return Change(str(row[2]), str(row[3]), Kind(str(row[4])), str(row[5]), str(row[6]), fields, yields=yields)


def entry_from(row: Sequence[StoredValue], *, pending: bool) -> HistoryEntry:
    """The history entry of one row in the columns of `SELECT_CHANGE`."""
    with legible():
        kind, fields = Kind(str(row[4])), decode_fields(str(row[7]))
    return HistoryEntry(str(row[0]), kind, str(row[10]), str(row[8]), str(row[9]), fields, pending)


def deleted_row(entries: Sequence[HistoryEntry]) -> Row | None:
    """A row as it was when it was deleted, by its history, oldest first; None if that does not end with its delete."""
    row: Row | None = None
    for entry in entries:
        if entry.kind is not Kind.DELETE:
            # An update that came to nothing brought nothing back.
            row = None if entry.fields else row
        elif row is None:
            # Of two who deleted it at once, the first had it as it was.
            row = {name: before for name, (before, _) in entry.fields.items()}
    return row
