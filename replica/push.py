"""The SQL of a push: mutations as statements for the primary. Pure; `primary.py` sends what is planned here.

Always true:
- one transaction holds the history of the mutations and their effect, so that they are applied once or not at all;
- each row is compared by its stamp before it is changed, and a row that does not match fails the transaction;
- the number of statements grows with the number of tables and sets of fields, not with the number of rows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from replica.history import CHANGE_COLUMNS, CONFLICTS, change_values
from replica.hrana import Statement, Step
from replica.mutation import Change, Kind, Mutation, StoredValue
from replica.schema import quote

BATCH_MUTATIONS_MAX: Final = 10_000
BATCH_BYTES_MAX: Final = 4_000_000
ARRAY_LENGTH_MAX: Final = 1_000_000  # in characters, of at most 4 bytes

INSERT_HISTORY: Final = f"""INSERT INTO _replica_changes ({", ".join(CHANGE_COLUMNS)})
SELECT {", ".join(f"value->>{position}" for position in range(len(CHANGE_COLUMNS)))} FROM json_each(?)"""

# One for all: `json.dumps` makes another for each row.
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)

# json() fails on a text that is no JSON: the one way to make a statement of a batch fail on a row count (FACTS 8).
_GUARD: Final = "SELECT json(CASE WHEN changes() = ? THEN '1' ELSE 'a row has moved on' END)"


@dataclass(frozen=True, slots=True)
class NetChange:
    """What several changes of one row come to: kind, the stamp to compare, the stamp to leave, the new values."""

    kind: Kind
    seen: str
    stamp: str
    values: dict[str, StoredValue]


class StaleChainError(Exception):
    """Two changes of one row do not follow each other, so at least one compare-and-swap must fail."""


def cut_batches(mutations: Sequence[Mutation]) -> list[list[Mutation]]:
    """Mutations in order, in batches bounded in number and in bytes (roughly: as JSON)."""
    batches: list[list[Mutation]] = [[]]
    size, has_deleted = 0, False
    for mutation in mutations:
        weight = sum(_weight(change) for change in mutation.changes)
        is_full = len(batches[-1]) >= BATCH_MUTATIONS_MAX or size + weight > BATCH_BYTES_MAX
        # A batch deletes last: what was written after a delete, perhaps of a row it refers to, must not come before it.
        is_after = has_deleted and any(change.kind is not Kind.DELETE for change in mutation.changes)
        if batches[-1] and (is_full or is_after):
            batches.append([])
            size, has_deleted = 0, False
        batches[-1].append(mutation)
        size += weight
        has_deleted = has_deleted or any(change.kind is Kind.DELETE for change in mutation.changes)
    return [batch for batch in batches if batch]


def _weight(change: Change) -> int:
    values = (value for pair in change.fields.values() for value in pair)
    return 200 + sum(
        len(value) if isinstance(value, str) else 2 * len(value) if isinstance(value, bytes) else 16 for value in values
    )


def push_steps(mutations: Sequence[Mutation], *, in_order: bool = False) -> list[Step]:
    """One transaction that applies all the mutations, or nothing. The last step but one is the COMMIT.

    in_order: row by row, as their author did, where constraints of the primary want it so; else by sets of rows.
    Raises StaleChainError if the mutations contradict each other.
    """
    return transaction_steps(history_statements(mutations), _effects(mutations, in_order=in_order))


def transaction_steps(records: Sequence[Statement], effects: Iterable[tuple[Statement, int]]) -> list[Step]:
    """One transaction of `records` and of `effects`, each with the number of rows it must change, or nothing."""
    statements = [Statement("BEGIN IMMEDIATE"), *records]
    for statement, rows in effects:
        statements += [statement, Statement(_GUARD, (rows,))]
    statements.append(Statement("COMMIT"))
    steps = [Step(statement, after=position - 1 if position else None) for position, statement in enumerate(statements)]
    return [*steps, Step(Statement("ROLLBACK"), unless=len(steps) - 1)]


def plan_push(mutations: Sequence[Mutation], *, in_order: bool = False) -> list[Step] | None:
    """The steps of a push; None if the mutations contradict each other, so that the primary could only refuse them."""
    try:
        return push_steps(mutations, in_order=in_order)
    except StaleChainError:
        return None


def history_statements(mutations: Sequence[Mutation]) -> list[Statement]:
    """The inserts into `_replica_changes`; they fail if any of the mutations is there already."""
    rows = (values for mutation in mutations for values in change_values(mutation))
    return [Statement(INSERT_HISTORY, (text,)) for text, _ in _arrays(rows)]


def _arrays(rows: Iterable[object]) -> Iterator[tuple[str, int]]:
    return arrays(map(_ENCODER.encode, rows))


def arrays(rows: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Rows, each as JSON, in arrays of bounded length with the number of rows; sqld refuses values beyond 5 MB."""
    texts: list[str] = []
    length = 0
    for text in rows:
        if texts and length + len(text) > ARRAY_LENGTH_MAX:
            yield f"[{','.join(texts)}]", len(texts)
            texts, length = [], 0
        texts.append(text)
        length += len(text)
    if texts:
        yield f"[{','.join(texts)}]", len(texts)


def _effects(mutations: Sequence[Mutation], *, in_order: bool) -> list[tuple[Statement, int]]:
    """Statements that change rows, each with the number of rows it must change, as `effects_of`."""
    found = _follow_all(mutations)
    fleeting = [key for key, change in found.items() if change is None]
    # A delete that a merge found nothing to do for leans on that, too.
    gone = {
        (change.table, change.row_id)
        for mutation in mutations
        for change in mutation.changes
        if change.kind is Kind.DELETE and not change.seen
    }
    fleeting += [key for key in gone if key not in found]
    net = {key: change for key, change in found.items() if change is not None}
    return [*_absences(fleeting), *effects_of(net, in_order=in_order)]


def effects_of(net: dict[tuple[str, str], NetChange], *, in_order: bool = False) -> list[tuple[Statement, int]]:
    """Statements that make net changes of rows, each with the number of rows it must change; takes `net` apart.

    Inserts first and deletes last, tables in the order they were first touched, so that references hold; or `in_order`.
    """
    parked = [key for key, change in net.items() if (key[0], change.kind) == (CONFLICTS, Kind.INSERT)]
    conflicts = [_insert_conflict(net.pop(key), key[1]) for key in parked]
    groups: dict[tuple[Kind, str, tuple[tuple[str, str], ...], int], list[list[object]]] = {}
    for position, ((table, row_id), change) in enumerate(net.items()):
        shape = tuple((name, _form(value)) for name, value in change.values.items())
        head: list[object] = (
            [row_id, change.stamp] if change.kind is Kind.INSERT else [row_id, change.seen, change.stamp]
        )
        groups.setdefault((change.kind, table, shape, position if in_order else 0), []).append(
            head + [_wire(value) for value in change.values.values()]
        )
    order = {Kind.INSERT: 0, Kind.UPDATE: 1, Kind.DELETE: 2}
    ranked = sorted(groups.items(), key=lambda item: order[item[0][0]])
    inserts_and_updates = [item for item in ranked if item[0][0] is not Kind.DELETE]
    deletes = [item for item in ranked if item[0][0] is Kind.DELETE]
    ordered = list(groups.items()) if in_order else [*inserts_and_updates, *reversed(deletes)]
    return [
        *conflicts,
        *((Statement(_effect_sql(*key[:3]), (text,)), count) for key, rows in ordered for text, count in _arrays(rows)),
    ]


def _absences(keys: Sequence[tuple[str, str]]) -> Iterator[tuple[Statement, int]]:
    """Compare the rows that were inserted and deleted again: if one is there by now, the insert would have met it."""
    for table in dict.fromkeys(table for table, _ in keys):
        sql = f"UPDATE {quote(table)} SET id = id WHERE id IN (SELECT value FROM json_each(?))"
        for text, _ in _arrays(row_id for name, row_id in keys if name == table):
            yield Statement(sql, (text,)), 0


def _insert_conflict(change: NetChange, row_id: str) -> tuple[Statement, int]:
    """The insert of a conflict, value by value: it holds texts of JSON, which would swell if put into JSON again."""
    names = ", ".join(["id", "updated_at", *map(quote, change.values)])
    marks = ", ".join("?" * (len(change.values) + 2))
    sql = f"INSERT INTO {CONFLICTS} ({names}) VALUES ({marks})"
    return Statement(sql, (row_id, change.stamp, *change.values.values())), 1


def net_changes(mutations: Iterable[Mutation]) -> dict[tuple[str, str], NetChange]:
    """What the mutations come to, row by row. Raises StaleChainError."""
    return {key: change for key, change in _follow_all(mutations).items() if change is not None}


def _follow_all(mutations: Iterable[Mutation]) -> dict[tuple[str, str], NetChange | None]:
    """What the mutations come to, row by row; None for a row that was inserted and deleted again."""
    net: dict[tuple[str, str], NetChange | None] = {}
    for mutation in mutations:
        for change in mutation.changes:
            if has_effect(change):
                key = (change.table, change.row_id)
                net[key] = _follow(net.get(key), change, is_known=key in net)
    return net


def has_effect(change: Change) -> bool:
    """Whether a change touches its row; a merge can leave nothing to do but to be recorded."""
    if change.kind is Kind.DELETE:
        return bool(change.seen)
    return change.kind is Kind.INSERT or bool(change.fields)


def _follow(earlier: NetChange | None, change: Change, *, is_known: bool) -> NetChange | None:
    values = {} if change.kind is Kind.DELETE else change.new_values()
    if earlier is None:
        if is_known and change.kind is not Kind.INSERT:
            raise StaleChainError
        return NetChange(change.kind, change.seen, change.stamp, values)
    if change.kind is Kind.INSERT:
        if earlier.kind is not Kind.DELETE:
            raise StaleChainError
        return NetChange(Kind.UPDATE, earlier.seen, change.stamp, values)
    if change.seen != earlier.stamp or earlier.kind is Kind.DELETE:
        raise StaleChainError
    if change.kind is Kind.UPDATE:
        return NetChange(earlier.kind, earlier.seen, change.stamp, {**earlier.values, **values})
    return None if earlier.kind is Kind.INSERT else NetChange(Kind.DELETE, earlier.seen, change.stamp, {})


def _form(value: StoredValue) -> str:
    if isinstance(value, float):
        return "float"
    return "bytes" if isinstance(value, bytes) else "plain"


def _wire(value: StoredValue) -> object:
    """A value as JSON that SQLite reads without loss.

    A float goes as mantissa and exponent of two: the JSON readers of sqld and of SQLite round one decimal in a few
    to the neighbouring float (measured), and a product with a power of two is exact.
    """
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float):
        if math.isinf(value):
            return [1 if value > 0 else -1, 2000]
        mantissa, exponent = value.as_integer_ratio()
        return [mantissa, 1 - exponent.bit_length()] if mantissa.bit_length() <= 53 else _shifted(mantissa)
    return value


def _shifted(mantissa: int) -> list[int]:
    """An integer beyond 53 bits, of a float, as one of 53 bits and a power of two."""
    extra = mantissa.bit_length() - 53
    return [mantissa >> extra if mantissa > 0 else -(-mantissa >> extra), extra]


def _read(path: str, form: str) -> str:
    if form == "float":
        return f"(value->>'$[{path}][0]') * pow(2.0, value->>'$[{path}][1]')"
    return f"unhex(value->>{path})" if form == "bytes" else f"value->>{path}"


def _effect_sql(kind: Kind, table: str, shape: tuple[tuple[str, str], ...]) -> str:
    target = quote(table)
    if kind is Kind.INSERT:
        names = ", ".join(["id", "updated_at", *(quote(name) for name, _ in shape)])
        read = (_read(str(position), form) for position, (_, form) in enumerate(shape, 2))
        return f"INSERT INTO {target} ({names}) SELECT {', '.join(['value->>0', 'value->>1', *read])} FROM json_each(?)"
    if kind is Kind.DELETE:
        # By key, so that the cost grows with what is deleted and not with what is stored.
        matching = (
            f"SELECT t.id FROM json_each(?) AS j CROSS JOIN {target} AS t ON t.id = j.value->>0 "
            "WHERE t.updated_at = j.value->>1"
        )
        return f"DELETE FROM {target} WHERE id IN ({matching})"
    sources = "".join(f", {_read(str(position), form)} AS v{position}" for position, (_, form) in enumerate(shape, 3))
    assignments = "".join(f", {quote(name)} = j.v{position}" for position, (name, _) in enumerate(shape, 3))
    return (
        f"UPDATE {target} SET updated_at = j.stamp{assignments} "
        f"FROM (SELECT value->>0 AS id, value->>1 AS seen, value->>2 AS stamp{sources} FROM json_each(?)) AS j "
        f"WHERE {target}.id = j.id AND {target}.updated_at = j.seen"
    )
