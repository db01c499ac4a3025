"""The outbox: mutations not yet acknowledged by the primary, in the order they were made.

Owns the tables `mutations`, `changes`, `originals` and `facts` of `local.db`. Always true:
- a mutation is in the outbox from its commit until the base holds it, or a parked form of it under the same id;
- `seq` grows with every mutation, below zero too; a rebased or parked mutation keeps its `seq` and its id;
- a mutation that is `acknowledged` is not sent again, unless a base turns out not to hold it;
- a mutation that was rebased or parked can be put back as its author made it, for as long as it is here.

Every function works inside the transaction of its caller.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Final

from replica.history import CONFLICTS, HistoryEntry, entry_from
from replica.mutation import (
    Change,
    Kind,
    Mutation,
    decode_changes,
    decode_fields,
    decode_row,
    encode_changes,
    encode_row,
    legible,
)

BEFORE_ALL: Final = -(2**63)

TABLES: Final = """
CREATE TABLE IF NOT EXISTS mutations (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    session TEXT NOT NULL,
    machine TEXT NOT NULL,
    made_at TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued'
);
CREATE TABLE IF NOT EXISTS changes (
    seq INTEGER NOT NULL REFERENCES mutations (seq) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    table_name TEXT NOT NULL,
    row_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    seen TEXT NOT NULL,
    stamp TEXT NOT NULL,
    fields TEXT NOT NULL,
    ground TEXT,
    yields INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (seq, position)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS changes_row ON changes (table_name, row_id, seq);
CREATE TABLE IF NOT EXISTS originals (seq INTEGER PRIMARY KEY, changes TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class State(StrEnum):
    """How far a mutation of the outbox has come."""

    QUEUED = "queued"
    ACKNOWLEDGED = "acknowledged"


_INSERT: Final = """INSERT INTO mutations (seq, id, session, machine, made_at, schema_version, state)
VALUES (?, ?, ?, ?, ?, ?, ?)"""


def _header(mutation: Mutation) -> tuple[str, str, str, str, int]:
    return mutation.id, mutation.session, mutation.machine, mutation.made_at, mutation.schema_version


def append(connection: sqlite3.Connection, mutation: Mutation, state: State = State.QUEUED) -> None:
    """Put a mutation at the end."""
    seq = connection.execute(_INSERT, (None, *_header(mutation), state.value)).lastrowid
    _insert_changes(connection, seq or 0, mutation.changes)


def _insert_changes(connection: sqlite3.Connection, seq: int, changes: Sequence[Change]) -> None:
    connection.executemany(
        """INSERT INTO changes (seq, position, table_name, row_id, kind, seen, stamp, fields, ground, yields)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            (
                seq,
                position,
                c.table,
                c.row_id,
                c.kind.value,
                c.seen,
                c.stamp,
                c.fields_text(),
                None if c.ground is None else encode_row(c.ground),
                int(c.yields),
            )
            for position, c in enumerate(changes)
        ],
    )


def put_first(connection: sqlite3.Connection, mutations: Sequence[Mutation]) -> None:
    """Put mutations, in order, before all others: the primary had them before these were made."""
    first = connection.execute("SELECT coalesce(min(seq), 1) FROM mutations").fetchone()[0]
    for seq, mutation in enumerate(mutations, first - len(mutations)):
        connection.execute(_INSERT, (seq, *_header(mutation), State.QUEUED.value))
        _insert_changes(connection, seq, mutation.changes)


def replace(connection: sqlite3.Connection, mutation: Mutation) -> None:
    """Put rebased or parked changes in the place of those that the mutation with this id had."""
    (seq,) = connection.execute("SELECT seq FROM mutations WHERE id = ?", (mutation.id,)).fetchone()
    (before,) = _mutations(connection.execute(f"{_SELECT} WHERE m.seq = ? ORDER BY c.position", (seq,)))
    connection.execute("INSERT OR IGNORE INTO originals VALUES (?, ?)", (seq, encode_changes(before.changes)))
    connection.execute("DELETE FROM changes WHERE seq = ?", (seq,))
    _insert_changes(connection, seq, mutation.changes)


NOT_PARKED: Final = f"""NOT EXISTS (SELECT 1 FROM changes c
    WHERE c.seq = o.seq AND c.table_name = '{CONFLICTS}' AND c.kind = '{Kind.INSERT}')"""


def put_back(connection: sqlite3.Connection, state: State | None = None) -> None:
    """Queue mutations, as their author made them; those in one state, or all.

    For a primary that has lost something: perhaps that which they were merged with, and gave way to. What is parked
    stays parked: a conflict holds all of it, and its rows are not shown here any more.
    """
    chosen, of = ("1", ()) if state is None else ("m.state = ?", (state.value,))
    originals = connection.execute(
        f"""SELECT o.seq, o.changes FROM originals o JOIN mutations m ON m.seq = o.seq
        WHERE {chosen} AND {NOT_PARKED}""",
        of,
    ).fetchall()
    _put_back(connection, originals)
    connection.execute(f"UPDATE mutations AS m SET state = ? WHERE {chosen}", (State.QUEUED.value, *of))


def put_back_parked(connection: sqlite3.Connection, ids: Iterable[str]) -> None:
    """Put mutations back as their author made them, parked or not: the primary applied them, after all."""
    originals = connection.execute(
        """SELECT o.seq, o.changes FROM originals o JOIN mutations m ON m.seq = o.seq
        WHERE m.id IN (SELECT value FROM json_each(?))""",
        (json.dumps(list(ids)),),
    ).fetchall()
    _put_back(connection, originals)


def _put_back(connection: sqlite3.Connection, originals: Iterable[tuple[int, str]]) -> None:
    for seq, text in originals:
        with legible():
            changes = decode_changes(text)
        connection.execute("DELETE FROM changes WHERE seq = ?", (seq,))
        _insert_changes(connection, seq, changes)
        connection.execute("DELETE FROM originals WHERE seq = ?", (seq,))


_SELECT: Final = """SELECT m.seq, m.id, m.session, m.machine, m.made_at, m.schema_version,
    c.table_name, c.row_id, c.kind, c.seen, c.stamp, c.fields, c.ground, c.yields
    FROM mutations m LEFT JOIN changes c ON c.seq = m.seq"""


def load(connection: sqlite3.Connection, *, only_queued: bool = False) -> list[Mutation]:
    """All mutations, or those that the primary does not have yet, in order."""
    states = [State.QUEUED.value] if only_queued else [state.value for state in State]
    marks = ", ".join("?" * len(states))
    return _mutations(connection.execute(f"{_SELECT} WHERE m.state IN ({marks}) ORDER BY m.seq, c.position", states))


def load_queued(connection: sqlite3.Connection, *, after: int, limit: int) -> tuple[list[Mutation], int]:
    """The next `limit` mutations to be sent, made after the one with the number `after`, and the last one's number.

    One that an earlier sync merged and could not send is as its author made it: what it was merged with may be gone.
    """
    found = connection.execute(
        "SELECT seq FROM mutations WHERE state = ? AND seq > ? ORDER BY seq LIMIT ?", (State.QUEUED.value, after, limit)
    ).fetchall()
    if not found:
        return [], after
    first, last = found[0][0], found[-1][0]
    rows = connection.execute(
        f"{_SELECT} WHERE m.seq BETWEEN ? AND ? AND m.state = ? ORDER BY m.seq, c.position",
        (first, last, State.QUEUED.value),
    )
    return as_made(connection, _mutations(rows)), last


def as_made(connection: sqlite3.Connection, mutations: list[Mutation]) -> list[Mutation]:
    """Mutations of the outbox as their author made them, also those that were merged; what is parked stays parked."""
    found = connection.execute(
        f"""SELECT m.id, o.changes FROM originals o CROSS JOIN mutations m ON m.seq = o.seq
        WHERE m.id IN (SELECT value FROM json_each(?)) AND {NOT_PARKED}""",
        (json.dumps([mutation.id for mutation in mutations]),),
    )
    originals = {mutation_id: decode_changes(text) for mutation_id, text in found}
    return [
        dataclasses.replace(mutation, changes=originals[mutation.id]) if mutation.id in originals else mutation
        for mutation in mutations
    ]


def _mutations(rows: Iterable[tuple[object, ...]]) -> list[Mutation]:
    with legible():
        return list(_grouped(rows))


def _grouped(rows: Iterable[tuple[object, ...]]) -> Iterator[Mutation]:
    changes: list[Change] = []
    header: tuple[object, ...] = ()
    for row in rows:
        if header and row[0] != header[0]:
            yield _mutation(header, changes)
            changes = []
        header = row[:6]
        if row[6] is not None:
            changes.append(_change(row[6:]))
    if header:
        yield _mutation(header, changes)


def _change(values: tuple[object, ...]) -> Change:
    table, row_id, kind, seen, stamp, text = map(str, values[:6])
    ground = None if values[6] is None else decode_row(str(values[6]))
    return Change(table, row_id, Kind(kind), seen, stamp, decode_fields(text), text, ground, bool(values[7]))


def _mutation(header: tuple[object, ...], changes: list[Change]) -> Mutation:
    _, mutation_id, session, machine, made_at, version = header
    return Mutation(str(mutation_id), str(session), str(machine), str(made_at), int(str(version)), tuple(changes))


def count(connection: sqlite3.Connection) -> int:
    """How many mutations the base does not hold yet."""
    return int(connection.execute("SELECT count(*) FROM mutations").fetchone()[0])


def count_queued(connection: sqlite3.Connection) -> int:
    """How many mutations the primary does not have yet, as far as is known here."""
    found = connection.execute("SELECT count(*) FROM mutations WHERE state = ?", (State.QUEUED.value,))
    return int(found.fetchone()[0])


def acknowledged(connection: sqlite3.Connection) -> list[str]:
    """The ids of the mutations that the primary has said it has."""
    found = connection.execute("SELECT id FROM mutations WHERE state = ? ORDER BY seq", (State.ACKNOWLEDGED.value,))
    return [mutation_id for (mutation_id,) in found]


def rows_with_changes(connection: sqlite3.Connection, table: str) -> set[str]:
    """The ids of the rows of a table that have changes which the primary does not have yet."""
    sql = "SELECT c.row_id FROM changes c JOIN mutations m ON m.seq = c.seq WHERE c.table_name = ? AND m.state = ?"
    return {row_id for (row_id,) in connection.execute(sql, (table, State.QUEUED.value))}


def entries(connection: sqlite3.Connection, table: str, row_id: str) -> list[HistoryEntry]:
    """The pending part of one row's history, oldest first."""
    rows = connection.execute(
        """SELECT m.id, c.position, c.table_name, c.row_id, c.kind, c.seen, c.stamp, c.fields,
            m.session, m.machine, m.made_at, m.schema_version
        FROM changes c JOIN mutations m ON m.seq = c.seq
        WHERE c.table_name = ? AND c.row_id = ? ORDER BY c.seq, c.position""",
        (table, row_id),
    )
    with legible():
        return [entry_from(row, pending=True) for row in rows]


def set_state(connection: sqlite3.Connection, ids: Iterable[str], state: State) -> None:
    """Move mutations to a state."""
    connection.executemany(
        "UPDATE mutations SET state = ? WHERE id = ?", [(state.value, mutation_id) for mutation_id in ids]
    )


def drop(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Take mutations out, by their numbers, because the base holds them."""
    if len(numbers) == count(connection):
        # Without a condition SQLite frees whole tables at once.
        connection.execute("DELETE FROM changes")
        connection.execute("DELETE FROM originals")
        connection.execute("DELETE FROM mutations")
        return
    for table in ("changes", "originals", "mutations"):
        connection.executemany(f"DELETE FROM {table} WHERE seq = ?", [(number,) for number in numbers])


def read_fact(connection: sqlite3.Connection, name: str) -> str:
    """One remembered fact of the sync, "" if it is not known."""
    row = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return str(row[0]) if row else ""


def write_fact(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Remember a fact of the sync."""
    connection.execute(
        "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )
