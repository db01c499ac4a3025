"""Write all that a replica shows to a local file: the base, with what is pending laid over it, and the history of both.

Always true:
- the file has its name only once it is whole, on the disk, and compared with the replica row by row;
- mutations that are pending keep their ids, so that a primary which has them after all takes them for what they are.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

from replica import lost
from replica.drivers.embedded import Embedded, Trust
from replica.errors import DamagedBaseError, InputError, MoveMismatchError
from replica.history import CHANGE_COLUMNS, CONFLICTS, HISTORY
from replica.migrate import check_version, migrate_file
from replica.moving.sides import fingerprint
from replica.mutation import Kind
from replica.overlay import BASE
from replica.pull import base_path
from replica.report import Show, TableMoved
from replica.schema import Schema, Table, quote
from replica.sqlite_file import open_file, storage_errors

_NAMES = ", ".join(CHANGE_COLUMNS)
# A conflict holds all that there is to know of it, as in `history.change_values`.
_PENDING = f"""SELECT m.id, c.position, c.table_name, c.row_id, c.kind, c.seen, c.stamp,
    CASE WHEN c.table_name = '{CONFLICTS}' AND c.kind = '{Kind.INSERT}' THEN '{{}}' ELSE c.fields END,
    m.session, m.machine, m.made_at, m.schema_version, c.yields
    FROM main.mutations m JOIN main.changes c ON c.seq = m.seq"""


def check_whole(store: Embedded) -> None:
    """Raise where what the replica shows is not all that it has, or not to be trusted."""
    if store.trust() is Trust.DAMAGED:
        raise DamagedBaseError
    if store.primary_id() and not base_path(store.directory).exists():
        raise InputError("the copy of what the primary has is not here", "`sync` fetches it")
    with store.looking() as connection:
        waiting = lost.count(connection)
    if waiting:
        them = "it is" if waiting == 1 else "they are"
        message = f"the primary lost {waiting} of the changes it had, and {them} kept here alone"
        raise InputError(message, "send them again, or let them go, before this")


def write_out(
    store: Embedded,
    schema: Schema,
    target: Path,
    *,
    session: str,
    at: str,
    show: Show,
    freeze: Callable[[sqlite3.Connection], None] | None = None,
) -> tuple[TableMoved, ...]:
    """Make the file `target`, and return its tables, each with the count and the hash that both sides have.

    session, at: who makes it, and when. freeze: done to `local.db` once the file is whole, in the transaction in which
    it was read. Raises SchemaTooNewError, MoveMismatchError, StorageError; there is no file then.
    """
    incoming = target.with_name(f"{target.name}-incoming")
    _remove(incoming)
    with storage_errors(incoming), closing(open_file(incoming)) as made:
        migrate_file(made, schema, session=session, at=at)
        # One file, that a rename can move.
        made.execute("PRAGMA journal_mode = DELETE").fetchall()
    connection = store.connection()
    check_version(store.attached().applied, schema)
    with storage_errors(incoming):
        connection.execute("ATTACH ? AS target", (f"{incoming.absolute().as_uri()}?mode=rw",))
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                tables = _copy_all(connection, store, show)
                if freeze is not None:
                    freeze(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        finally:
            connection.execute("DETACH target")
    _put_in_place(incoming, target)
    return tables


def _copy_all(connection: sqlite3.Connection, store: Embedded, show: Show) -> tuple[TableMoved, ...]:
    base = store.attached().base_tables
    total = 2 * (len(store.tables) + 1)
    for done, (name, table) in enumerate(store.tables.items()):
        listing = ", ".join(map(quote, table.columns))
        connection.execute(f"INSERT INTO target.{quote(name)} ({listing}) SELECT {listing} FROM temp.{quote(name)}")
        show("copying", done + 1, total)
    _copy_history(connection, base)
    results: list[tuple[TableMoved, bool]] = []
    for result in _compared(connection, store, base):
        results.append(result)
        show("checking", total // 2 + len(results), total)
    differing = [told.table for told, is_same in results if not is_same]
    if differing:
        raise MoveMismatchError(differing)
    return tuple(told for told, _ in results)


def _copy_history(connection: sqlite3.Connection, base: dict[str, Table]) -> None:
    known = "0"
    if HISTORY in base:
        columns = _base_columns(connection, base)
        connection.execute(
            f"INSERT INTO target.{HISTORY} (seq, {_NAMES}, received_at, salt) "
            f"SELECT seq, {columns}, received_at, salt FROM {BASE}.{HISTORY} ORDER BY seq"
        )
        known = f"EXISTS (SELECT 1 FROM {BASE}.{HISTORY} b WHERE b.mutation = m.id)"
    connection.execute(
        f"INSERT INTO target.{HISTORY} ({_NAMES}) {_PENDING} WHERE NOT {known} ORDER BY m.seq, c.position"
    )


def _base_columns(connection: sqlite3.Connection, base: dict[str, Table]) -> str:
    """The columns of the history of a base, with the default of each that a base of an older make lacks."""
    made = connection.execute(f"PRAGMA target.table_info({HISTORY})").fetchall()
    defaults = {str(row[1]): str(row[4]) for row in made}
    return ", ".join(
        name if name in base[HISTORY].columns else f"{defaults[name]} AS {name}" for name in CHANGE_COLUMNS
    )


def _compared(
    connection: sqlite3.Connection, store: Embedded, base: dict[str, Table]
) -> Iterator[tuple[TableMoved, bool]]:
    for name, table in store.tables.items():
        tail = f"{quote(name)} ORDER BY id"
        listing = ", ".join(map(quote, table.columns))
        here = fingerprint(connection.execute(f"SELECT {listing} FROM temp.{tail}"))
        there = fingerprint(connection.execute(f"SELECT {listing} FROM target.{tail}"))
        yield TableMoved(name, *here), here == there
    columns = _base_columns(connection, base) if HISTORY in base else ""
    history = f"SELECT {columns} FROM {BASE}.{HISTORY}" if HISTORY in base else f"{_PENDING} WHERE 0"
    known = f"WHERE m.id NOT IN (SELECT mutation FROM {BASE}.{HISTORY})" if HISTORY in base else ""
    here = fingerprint(connection.execute(f"{history} UNION ALL {_PENDING} {known} ORDER BY 1, 2"))
    there = fingerprint(connection.execute(f"SELECT {_NAMES} FROM target.{HISTORY} ORDER BY mutation, position"))
    yield TableMoved(HISTORY, *here), here == there


def _remove(path: Path) -> None:
    for end in ("", "-journal", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(f"{path}{end}").unlink()


def _put_in_place(incoming: Path, target: Path) -> None:
    incoming.replace(target)
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
