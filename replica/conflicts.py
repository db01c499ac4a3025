"""Conflicts: mutations that were parked for a person to decide.

A conflict is a row of `_replica_conflicts`, and it is inserted by an ordinary mutation: the parked mutation itself,
its changes replaced by that insert, under the same id. So it travels, survives and is settled as any other write, and
the primary's rule that a mutation is applied once makes sure that it is either applied or parked, never both.

Which of its changes yield is kept beside them, in `yielding`, so that a program that knows of none still reads it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Final

from replica.conflict_row import ConflictRow
from replica.mutation import (
    Change,
    Kind,
    Mutation,
    Row,
    StoredValue,
    decode_changes,
    decode_row,
    encode_changes,
    encode_row,
    legible,
)

if TYPE_CHECKING:
    from replica.merge import Clash

# A primary takes no row of 5 MB; what is left over is for ids, names and the reason.
_CONFLICT_BYTES_MAX: Final = 4_800_000


@dataclass(frozen=True, slots=True)
class Author:
    """Who made a change, on which machine, and when."""

    session: str
    machine: str
    at: str


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """One field that was changed to two different values; `theirs_by`: who gave it the other one, if it is known."""

    before: StoredValue
    mine: StoredValue
    theirs: StoredValue
    theirs_by: Author | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A parked mutation, as a person needs to see it. `table` and `row_id` name the first row that clashed."""

    id: str
    table: str
    row_id: str
    reason: str
    fields: Mapping[str, FieldConflict]
    mutation_id: str
    clashing: frozenset[tuple[str, str]]
    mine_by: Author
    theirs_by: Author | None
    changes: tuple[Change, ...]
    mine_rows: Mapping[str, Row]
    schema_version: int


def field_name(table: str, row_id: str, name: str, *, first: tuple[str, str]) -> str:
    """How a field is named in a conflict: alone in the first row that clashed, with its row in any other."""
    return name if (table, row_id) == first else f"{table}/{row_id}.{name}"


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why a mutation is parked.

    at_row: the first row that clashed. clashing: all of them; every row where the mutation as a whole was refused.
    fields: those that clash. mine_rows: rows that are gone on the primary, as their author saw them.
    """

    reason: str
    clashing: Sequence[tuple[str, str]]
    at_row: tuple[str, str]
    fields: Mapping[str, FieldConflict]
    mine_rows: Mapping[tuple[str, str], Row]
    theirs_by: Author | None


def parked(mutation: Mutation, conflict_id: str, stamp: str, grounds: Grounds) -> Mutation:
    """The parked form of a mutation: the insert of its conflict, under the same mutation id."""
    theirs = grounds.theirs_by or Author("", "", "")
    clashing = json.dumps([f"{table}/{row_id}" for table, row_id in grounds.clashing])
    changes = encode_changes([replace(change, yields=False) for change in mutation.changes])
    yielding = json.dumps([f"{change.table}/{change.row_id}" for change in mutation.changes if change.yields])
    values = encode_row({name: clash.theirs for name, clash in grounds.fields.items()})
    room = _CONFLICT_BYTES_MAX - sum(len(text.encode()) for text in (changes, values, clashing, yielding))
    # What a person can do without is left out if it does not fit: who gave which value, rows that are gone.
    authors = encode_authors({name: clash.theirs_by for name, clash in grounds.fields.items()})
    authors = authors if len(authors) <= room else encode_authors({})
    rows = _rows_that_fit(mutation, grounds.mine_rows, room - len(authors))
    conflict = ConflictRow(
        id=conflict_id, mutation_id=mutation.id, table_name=grounds.at_row[0], row_id=grounds.at_row[1],
        reason=grounds.reason, clashing=clashing,
        theirs=values, changes=changes,
        mine_rows=rows, mine_session=mutation.session, mine_machine=mutation.machine,
        mine_at=mutation.made_at, schema_version=mutation.schema_version,
        theirs_session=theirs.session, theirs_machine=theirs.machine, theirs_at=theirs.at,
        theirs_by=authors, yielding=yielding,
    )  # fmt: skip
    insert = Change(
        ConflictRow.replica_table,
        conflict_id,
        Kind.INSERT,
        "",
        stamp,
        {name: (None, value) for name, value in conflict.to_row().items()},
    )
    return Mutation(
        mutation.id, mutation.session, mutation.machine, mutation.made_at, mutation.schema_version, (insert,)
    )


def _rows_that_fit(mutation: Mutation, rows: Mapping[tuple[str, str], Row], room: int) -> str:
    """The fields that a mutation left alone, of the rows that fit into so many bytes, as JSON text."""
    changed = {(change.table, change.row_id): change.fields for change in mutation.changes}
    kept: list[str] = []
    for key, row in rows.items():
        # What changed is among the changes; what does not fit is said to be gone, not kept in half.
        text = encode_row({name: value for name, value in row.items() if name not in changed[key]})
        # Characters stay as they are: escaped, some take three times their bytes.
        entry = json.dumps({"/".join(key): text}, ensure_ascii=False)[1:-1]
        size = len(entry.encode())
        if size <= room:
            kept.append(entry)
            room -= size
    return f"{{{','.join(kept)}}}"


def encode_authors(authors: Mapping[str, Author | None]) -> str:
    """Who gave which field its other value, as JSON text."""
    return json.dumps({name: asdict(author) for name, author in authors.items() if author is not None})


def field_conflict(clash: Clash, before: StoredValue) -> FieldConflict:
    """A clash of the merge as it is shown to a person."""
    return FieldConflict(before, clash.mine.value, clash.theirs.value)


def conflict_from(row: ConflictRow) -> Conflict:
    """A stored conflict as a person needs to see it. Raises DamagedError for one that is not as we write them."""
    with legible():
        return _conflict_from(row)


def _conflict_from(row: ConflictRow) -> Conflict:
    changes = _with_marks(decode_changes(row.changes), frozenset(json.loads(row.yielding)))
    first = (row.table_name, row.row_id)
    pairs = {field_name(c.table, c.row_id, name, first=first): pair for c in changes for name, pair in c.fields.items()}
    by = {name: Author(**author) for name, author in json.loads(row.theirs_by).items()}
    fields = {name: FieldConflict(*pairs[name], value, by.get(name)) for name, value in decode_row(row.theirs).items()}
    theirs = Author(row.theirs_session, row.theirs_machine, row.theirs_at) if row.theirs_at else None
    rows: dict[str, Row] = {name: decode_row(text) for name, text in json.loads(row.mine_rows).items()}
    return Conflict(
        row.id, row.table_name, row.row_id, row.reason, fields, row.mutation_id,
        frozenset((key.split("/", 1)[0], key.split("/", 1)[1]) for key in json.loads(row.clashing)),
        Author(row.mine_session, row.mine_machine, row.mine_at), theirs,
        changes, rows, row.schema_version,
    )  # fmt: skip


def _with_marks(changes: Sequence[Change], yielding: Collection[str]) -> tuple[Change, ...]:
    marked = (replace(change, yields=f"{change.table}/{change.row_id}" in yielding) for change in changes)
    return tuple(marked) if yielding else tuple(changes)


def is_parked(mutation: Mutation) -> bool:
    """Whether a mutation is the parked form of one."""
    return bool(mutation.changes) and all(
        change.table == ConflictRow.replica_table and change.kind is Kind.INSERT for change in mutation.changes
    )


def undecided(conflict: Conflict, named: Sequence[str]) -> list[str]:
    """The clashing fields that a choice of values leaves open."""
    return [name for name in conflict.fields if name not in named]
