"""The overlay: the rows with pending changes, as their author sees them, and the views that lay them over the base.

Owns the tables `overlay_<table>` of `local.db`. Always true:
- `overlay = apply(outbox, base)`: it can be rebuilt at any time from what it is derived from;
- a row is in the overlay exactly while a mutation of the outbox changes it;
- SQL on a view reads `local.db` before it reads the base, so that a mutation that a sync settles meanwhile is in
  at least one of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Final

from replica.history import CHANGE_COLUMNS, HISTORY
from replica.mutation import Change, Kind, Row, StoredValue, decode_fields, decode_row, legible
from replica.schema import Table, default_row_sql, quote
from replica.stamps import aside

BASE: Final = "base"


def overlay_name(table: str) -> str:
    """The name of a table's overlay."""
    return f"overlay_{table}"


def prepare(connection: sqlite3.Connection, tables: Iterable[Table]) -> None:
    """Make the overlay tables, and add the columns that the schema gained since."""
    tables = list(tables)
    if not _lacking(connection, tables):
        return
    # Looked at again with the file to ourselves: another process may be about the same.
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _lacking(connection, tables):
            connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        # SQLite itself has rolled back where the disk was full.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _lacking(connection: sqlite3.Connection, tables: Iterable[Table]) -> list[str]:
    """The statements that make what is not there yet."""
    there = {name for (name,) in connection.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'")}
    statements = []
    for table in tables:
        name = overlay_name(table.name)
        if name not in there:
            others = "".join(f", {text}" for column, text in _declarations(table).items() if column != "id")
            statements.append(
                f"CREATE TABLE main.{quote(name)} (id TEXT PRIMARY KEY{others}, deleted INTEGER NOT NULL) WITHOUT ROWID"
            )
            continue
        known = {row[1] for row in connection.execute(f"PRAGMA main.table_info({quote(name)})")}
        statements += [
            f"ALTER TABLE main.{quote(name)} ADD COLUMN {text} DEFAULT {default}"
            for (column, text), default in zip(_declarations(table).items(), table.defaults, strict=True)
            if column not in known
        ]
    return statements


def _declarations(table: Table) -> dict[str, str]:
    """Each column with its type and collation, so that SQL compares a pending value as it compares a settled one."""
    collations = table.collations or ("BINARY",) * len(table.columns)
    return {
        column: " ".join(filter(None, (quote(column), declared and quote(declared), f"COLLATE {quote(collation)}")))
        for column, declared, collation in zip(table.columns, table.types, collations, strict=True)
    }


def make_views(connection: sqlite3.Connection, tables: Iterable[Table], base: Mapping[str, Table]) -> None:
    """Make one TEMP VIEW a table, named as the table. A column that the base lacks shows its default."""
    for table in tables:
        connection.execute(f"DROP VIEW IF EXISTS temp.{quote(table.name)}")
        connection.execute(f"CREATE TEMP VIEW {quote(table.name)} AS {_view(table, base.get(table.name))}")
    # History is of the primary alone; what is pending of it is read from the outbox.
    names = ("seq", *CHANGE_COLUMNS)
    known = base[HISTORY].columns if HISTORY in base else ()
    source = f"FROM {BASE}.{HISTORY}" if HISTORY in base else "WHERE 0"
    # What a base of an older make lacks says of no change anything.
    columns = ", ".join(name if name in known else f"NULL AS {name}" for name in names)
    connection.execute(f"DROP VIEW IF EXISTS temp.{HISTORY}")
    connection.execute(f"CREATE TEMP VIEW {HISTORY} AS SELECT {columns} {source}")


def _view(table: Table, base: Table | None) -> str:
    columns = ", ".join(map(quote, table.columns))
    own = quote(overlay_name(table.name))
    pending = f"SELECT {columns} FROM main.{own} WHERE NOT deleted"
    if base is None:
        return pending
    shown = _shown(table, base)
    untouched = f"NOT EXISTS (SELECT 1 FROM main.{own} o WHERE o.id = b.id)"
    return f"SELECT {shown} FROM {BASE}.{quote(table.name)} b WHERE {untouched} UNION ALL {pending}"


def _shown(table: Table, base: Table) -> str:
    """The columns of a table, each as the base `b` has it, or else by its default."""
    return ", ".join(
        f"b.{quote(column)}" if column in base.columns else f"{default} AS {quote(column)}"
        for column, default in zip(table.columns, table.defaults, strict=True)
    )


def default_row(connection: sqlite3.Connection, table: Table) -> Row:
    """What a row of a table holds that nobody gave a value."""
    found = connection.execute(default_row_sql(table)).fetchone()
    return dict(zip(table.columns, found, strict=True))


def put(connection: sqlite3.Connection, table: Table, row_id: str, row: Row | None) -> None:
    """Lay one row over the base; None hides it."""
    sql, others = _put_sql(table)
    values: list[StoredValue] = [None if row is None else row[column] for column in others]
    connection.execute(sql, (row_id, *values, int(row is None)))


@lru_cache(maxsize=256)
def _put_sql(table: Table) -> tuple[str, tuple[str, ...]]:
    others = tuple(column for column in table.columns if column != "id")
    names = ", ".join(["id", *map(quote, others), "deleted"])
    marks = ", ".join("?" * (len(others) + 2))
    return f"INSERT OR REPLACE INTO main.{quote(overlay_name(table.name))} ({names}) VALUES ({marks})", others


def lift_settled(connection: sqlite3.Connection, table: str) -> None:
    """Take away the rows of a table that no mutation of the outbox changes any more."""
    connection.execute(
        f"DELETE FROM main.{quote(overlay_name(table))} "
        "WHERE id NOT IN (SELECT row_id FROM changes WHERE table_name = ?)",
        (table,),
    )


_PENDING: Final = "SELECT row_id, kind, seen, stamp, fields, ground FROM changes WHERE table_name = ?"


def rebuild(
    connection: sqlite3.Connection,
    tables: Mapping[str, Table],
    base: Mapping[str, Table],
    only: Iterable[tuple[str, str]] | None = None,
) -> None:
    """Apply the outbox to the base again, for every row that it changes, or for those of `only` (table, row id)."""
    if only is not None:
        for name, row_id in only:
            if name in tables:
                found = connection.execute(f"{_PENDING} AND row_id = ? ORDER BY seq, position", (name, row_id))
                _rebuild_row(connection, tables[name], base.get(name), row_id, _changes(name, found))
        return
    for name, table in tables.items():
        lift_settled(connection, name)
        found = connection.execute(f"{_PENDING} ORDER BY row_id, seq, position", (name,))
        for row_id, changes in groupby(_changes(name, found), key=lambda change: change.row_id):
            _rebuild_row(connection, table, base.get(name), row_id, list(changes))


def _changes(table: str, found: Iterable[tuple[str, str, str, str, str, str | None]]) -> list[Change]:
    with legible():
        return [_change(table, *row) for row in found]


def _change(table: str, row_id: str, kind: str, seen: str, stamp: str, fields: str, ground: str | None) -> Change:
    return Change(
        table,
        row_id,
        Kind(kind),
        seen,
        stamp,
        decode_fields(fields),
        fields,
        decode_row(ground) if ground else None,
    )


def _rebuild_row(
    connection: sqlite3.Connection, table: Table, base: Table | None, row_id: str, changes: Sequence[Change]
) -> None:
    if not changes:
        connection.execute(f"DELETE FROM main.{quote(overlay_name(table.name))} WHERE id = ?", (row_id,))
        return
    start = _base_row(connection, table, base, row_id)
    if start is None and (shown := _overlay_row(connection, table, row_id)) is not None:
        # Gone from the base: its author goes on seeing it, under no stamp that it ever had.
        start = {**shown, "updated_at": ""}
    # An older program gave no value to the columns that came after it.
    put(connection, table, row_id, apply_changes(start, changes, default_row(connection, table)))


def apply_changes(row: Row | None, changes: Iterable[Change], blank: Row) -> Row | None:
    """The row after some changes of it; None once it is deleted. `blank`: what a row starts from (`default_row`)."""
    for change in changes:
        # What a rebase found on the primary is shown as soon as it is known, until the change is settled: a row with
        # the stamp of a rebased change, and other content than what that was laid over, would let its author overwrite
        # what they never saw. Stamps do not tell whether ground or base is newer: a deleted row comes back with any.
        if change.ground is not None:
            row = {column: change.ground.get(column, default) for column, default in blank.items()}
        if change.kind is Kind.DELETE:
            row = None
            continue
        if change.kind is Kind.UPDATE and not change.fields:
            continue
        stamp = change.stamp
        if change.kind is Kind.UPDATE and (row is None or row["updated_at"] != change.seen):
            # The primary will not hold this row under the stamp of this change: what it holds under that, if anything,
            # is what the change was made on. So it is shown under one that nobody else has.
            stamp = aside(change.stamp, "" if row is None else str(row["updated_at"]))
        if row is None or change.kind is Kind.INSERT:
            row = blank
        row = {**row, "id": change.row_id, "updated_at": stamp, **change.new_values()}
    return row


def _base_row(connection: sqlite3.Connection, table: Table, base: Table | None, row_id: str) -> Row | None:
    if base is None:
        return None
    sql = f"SELECT {_shown(table, base)} FROM {BASE}.{quote(table.name)} b WHERE b.id = ?"
    found = connection.execute(sql, (row_id,)).fetchone()
    return None if found is None else dict(zip(table.columns, found, strict=True))


def _overlay_row(connection: sqlite3.Connection, table: Table, row_id: str) -> Row | None:
    listing = ", ".join(map(quote, table.columns))
    found = connection.execute(
        f"SELECT {listing} FROM main.{quote(overlay_name(table.name))} WHERE id = ? AND NOT deleted", (row_id,)
    ).fetchone()
    return None if found is None else dict(zip(table.columns, found, strict=True))
