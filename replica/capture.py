"""Run a user's statement that writes, and note what it would do to which rows.

The tables are TEMP views, and INSTEAD OF triggers on them note each row in a TEMP table. Always true:
- a statement can write to nothing but those notes: an authorizer refuses all else when SQLite reads the statement;
- whatever it did is rolled back once the notes are read, so that only a `Transaction` ever changes a row;
- it sees the rows as the transaction that it runs in does, and nobody else can change them before that ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from replica.errors import InputError, QueryError, WriteRefusedError
from replica.mutation import Kind, Row, StoredValue
from replica.schema import Table, default_row_sql, quote
from replica.sql_text import OF_THE_SCHEMA, first_word, has_where, insert_columns, on_clash
from replica.sqlite_file import interruptible, is_no_text, may_read, meet_json, storage_errors, translate
from replica.transaction import MUTATION_BYTES_MAX

_SAVEPOINT: Final = "replica_capture"
_WRITING: Final = ("INSERT", "UPDATE", "DELETE", "REPLACE", "WITH")
_READING: Final = ("SELECT", "VALUES", "EXPLAIN")
_TOO_MANY: Final = "replica: too many rows"
_ACTIONS: Final = {
    sqlite3.SQLITE_INSERT: Kind.INSERT,
    sqlite3.SQLITE_UPDATE: Kind.UPDATE,
    sqlite3.SQLITE_DELETE: Kind.DELETE,
}
_Sides = tuple[Row | None, Row | None]
_FIXED: Final = ("id", "updated_at", "rowid")
# No change takes less than 100 bytes, so that these are more than a transaction can hold.
CHANGES_MAX: Final = MUTATION_BYTES_MAX // 100


@dataclass(frozen=True, slots=True)
class Noted:
    """What a statement would do. rows: each before and after it, in the order in which it came to them.

    given: the columns of new rows that it gives a value to. defaults: what the table gives to the others. has_where:
    whether it says which rows it means. is_whole_table: whether it meant each row there is.
    """

    table: str
    kind: Kind
    rows: tuple[_Sides, ...]
    given: frozenset[str]
    defaults: Row
    has_where: bool
    is_whole_table: bool


def note_statement(
    connection: sqlite3.Connection,
    tables: Mapping[str, Table],
    sql: str,
    params: Sequence[StoredValue],
    *,
    path: Path,
    views: Callable[[Table], str] | None = None,
) -> Noted:
    """Run one INSERT, UPDATE or DELETE in the caller's transaction, note what it would do, and take it back.

    Args:
        connection: in a transaction.
        tables: those that may be written, by name.
        sql: the statement.
        params: a value for each `?` of it.
        path: the file, for errors that are about it.
        views: makes the SQL of the view of a table, where the connection does not have one.

    Raises:
        WriteRefusedError: it is no such statement, or would write to anything else.
        QueryError: it does not run.
        InputError: it changes too many rows, or what is not to be changed.
    """
    _check_words(sql)
    with _taken_back(connection):
        with storage_errors(path):
            _prepare(connection, tables.values(), views)
        gate = _Gate(tables)
        _run(connection, sql, params, gate, path)
        if gate.target is None:
            raise QueryError("there is no SQL statement to run", "for example UPDATE … SET … WHERE …")
        with storage_errors(path):
            return _noted(connection, tables[gate.target[1]], gate.target[0], sql)


def _check_words(sql: str) -> None:
    """Say of a statement that cannot be captured, in its own words, why. What it may do, the gate decides."""
    word = first_word(sql)
    if word in OF_THE_SCHEMA:
        raise WriteRefusedError(
            f"{word} would change the schema, which is the same for everybody", "the schema changes by migrations alone"
        )
    if word in _READING:
        raise WriteRefusedError("this SQL only reads", "run it as a query")
    if word and word not in _WRITING:
        raise WriteRefusedError(f"{word} changes no row", "use INSERT, UPDATE or DELETE")
    clash = on_clash(sql)
    if clash and clash != "ABORT":
        raise WriteRefusedError(
            f"a row that is there already cannot be treated with {clash}", "write INSERT or UPDATE without OR"
        )


@contextmanager
def _taken_back(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute(f"SAVEPOINT {_SAVEPOINT}")
    try:
        yield
    finally:
        # Some errors, and Ctrl-C, end the whole transaction.
        if connection.in_transaction:
            connection.execute(f"ROLLBACK TO {_SAVEPOINT}")
            connection.execute(f"RELEASE {_SAVEPOINT}")


def _prepare(connection: sqlite3.Connection, tables: Iterable[Table], views: Callable[[Table], str] | None) -> None:
    for table in tables:
        if views is not None:
            connection.execute(f"CREATE TEMP VIEW {quote(table.name)} AS {views(table)}")
        pairs = list(enumerate(zip(table.columns, table.types, strict=True)))
        # Declared as in the table, so that a value becomes what it would become there.
        columns = "".join(f", {side}_{place} {quote(kind) if kind else ''}" for side in ("old", "new")
                          for place, (_, kind) in pairs)  # fmt: skip
        notes = quote(_notes_of(table.name))
        connection.execute(f"CREATE TEMP TABLE {notes} (seq INTEGER PRIMARY KEY{columns})")
        for kind in Kind:
            sides = {"old": kind is not Kind.INSERT, "new": kind is not Kind.DELETE}
            names = [f"{side}_{place}" for side, there in sides.items() if there for place, _ in pairs]
            values = [f"{side}.{quote(name)}" for side, there in sides.items() if there for _, (name, _) in pairs]
            connection.execute(
                f"CREATE TEMP TRIGGER {quote(_trigger_of(table.name, kind))} "
                f"INSTEAD OF {kind.value} ON {quote(table.name)} BEGIN "
                f"SELECT RAISE(ABORT, '{_TOO_MANY}') WHERE (SELECT max(seq) FROM {notes}) >= {CHANGES_MAX}; "
                f"INSERT INTO {notes} ({', '.join(names)}) VALUES ({', '.join(values)}); END"
            )


def _notes_of(table: str) -> str:
    return f"_replica_capture_{table}"


def _trigger_of(table: str, kind: Kind) -> str:
    return f"{_notes_of(table)}_{kind.value}"


class _Gate:
    """What a statement may do, asked by SQLite while it reads the statement. target: what it does to which table."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self.target: tuple[Kind, str] | None = None
        self.refusal: WriteRefusedError | InputError | None = None
        self._tables = {name.lower(): name for name in tables}
        self._notes = {_trigger_of(name, kind): _notes_of(name) for name in tables for kind in Kind}

    def __call__(
        self, action: int, first: str | None, second: str | None, database: str | None, source: str | None
    ) -> int:
        if action not in _ACTIONS:
            return sqlite3.SQLITE_OK if may_read(action, second) else self._refuse(action, first, database)
        if action == sqlite3.SQLITE_INSERT and database == "temp" and self._notes.get(source or "", "") == first:
            return sqlite3.SQLITE_OK
        table = self._tables.get((first or "").lower())
        if source is not None or database != "temp" or table is None:
            return self._refuse(action, first, database)
        if action == sqlite3.SQLITE_UPDATE and (second or "").lower() in _FIXED:
            self.refusal = InputError(
                f"{table}: {second} cannot be changed", "it is made with the row and kept with each change of it"
            )
            return sqlite3.SQLITE_DENY
        self.target = _ACTIONS[action], table
        return sqlite3.SQLITE_OK

    def _refuse(self, action: int, first: str | None, database: str | None) -> int:
        if action in _ACTIONS:
            where = first if database in (None, "temp") else f"{database}.{first}"
            told = f"SQL cannot write to {where}"
        else:
            told = "this SQL would do more than change rows"
        self.refusal = self.refusal or self.refuse(told)
        return sqlite3.SQLITE_DENY

    def refuse(self, told: str) -> WriteRefusedError:
        """What is said of a statement that would do more than it may."""
        names = ", ".join(sorted(self._tables.values()))
        return WriteRefusedError(told, f"what SQL can write to: {names}, named without a schema")


def _run(connection: sqlite3.Connection, sql: str, params: Sequence[StoredValue], gate: _Gate, path: Path) -> None:
    meet_json(connection)
    connection.set_authorizer(gate)
    try:
        with interruptible(connection):
            cursor = connection.execute(sql, params)
            if cursor.description is not None:
                cursor.close()
                raise WriteRefusedError("RETURNING cannot be captured", "leave it out: every changed row is told")
    except sqlite3.Warning as error:
        raise QueryError(f"one statement at a time: {error}", "run them one after the other") from error
    except sqlite3.ProgrammingError as error:
        raise QueryError(f"SQL does not run: {error}", "one statement at a time, with a value for each `?`") from error
    except sqlite3.DatabaseError as error:
        raise _told(error, gate, path) from error
    finally:
        connection.set_authorizer(None)


# What SQLite itself says of writing to what is not a table of the application, before it asks the gate.
_REFUSALS: Final = ("because it is a view", "may not be modified")


def _told(error: sqlite3.DatabaseError, gate: _Gate, path: Path) -> BaseException:
    code = getattr(error, "sqlite_errorcode", 0)
    if code == sqlite3.SQLITE_INTERRUPT:
        # Nothing of ours interrupts a statement: the progress handler was itself interrupted.
        return KeyboardInterrupt()
    if gate.refusal is not None:
        return gate.refusal
    if code == sqlite3.SQLITE_AUTH or any(text in str(error) for text in _REFUSALS):
        return gate.refuse("SQL cannot write to that")
    if "UPSERT a view" in str(error):
        return WriteRefusedError("ON CONFLICT cannot be captured", "write INSERT for new rows and UPDATE for others")
    if _TOO_MANY in str(error):
        return InputError(
            f"this SQL changes more than {CHANGES_MAX:,} rows, too many for one transaction",
            "narrow it with WHERE, and run it several times",
        )
    return translate(error, path)


def _noted(connection: sqlite3.Connection, table: Table, kind: Kind, sql: str) -> Noted:
    count = len(table.columns)
    found = _noted_rows(connection, table)
    rows: list[_Sides] = []
    for _, *values in found:
        old = None if kind is Kind.INSERT else dict(zip(table.columns, values[:count], strict=True))
        new = None if kind is Kind.DELETE else dict(zip(table.columns, values[count:], strict=True))
        rows.append((old, new))
    if kind is Kind.UPDATE:
        rows = _once_each(table, rows)
    default_row = connection.execute(default_row_sql(table)).fetchone()
    return Noted(
        table.name,
        kind,
        tuple(rows),
        _given(table, sql),
        dict(zip(table.columns, default_row, strict=True)),
        has_where(sql),
        kind is Kind.UPDATE and _row_count(connection, table) == len(rows),
    )


def _noted_rows(connection: sqlite3.Connection, table: Table) -> list[tuple[StoredValue, ...]]:
    notes = f"temp.{quote(_notes_of(table.name))}"
    try:
        return connection.execute(f"SELECT * FROM {notes} ORDER BY seq").fetchall()
    except sqlite3.OperationalError as error:
        if not is_no_text(error):
            raise
        # Where the rows as they were can be read, the statement made it: the file is whole.
        before = ", ".join(f"old_{place}" for place in range(len(table.columns)))
        connection.execute(f"SELECT {before} FROM {notes}").fetchall()
        raise InputError("this SQL makes text that is not UTF-8", "nothing was written; mend the text") from error


def _given(table: Table, sql: str) -> frozenset[str]:
    named = insert_columns(sql)
    if named is None:
        return frozenset(table.columns)
    lower = {name.lower() for name in named}
    return frozenset(column for column in table.columns if column.lower() in lower)


def _once_each(table: Table, rows: Iterable[_Sides]) -> list[_Sides]:
    """Each updated row once. Raises InputError where a join gives one row several values."""
    seen: dict[StoredValue, _Sides] = {}
    for old, new in rows:
        row_id = None if old is None else old["id"]
        if seen.setdefault(row_id, (old, new))[1] != new:
            raise InputError(f"{table.name} {row_id!s}: the join gives it several values", "join it with one row only")
    return list(seen.values())


def _row_count(connection: sqlite3.Connection, table: Table) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {quote(table.name)}").fetchone()[0])
