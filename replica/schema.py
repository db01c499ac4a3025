"""The schema of an application: numbered migrations, and the tables that they make.

Always true:
- migrations are numbered 1, 2, 3 … without a gap, and each has a checksum of its text;
- the tables are read from a database the migrations were really run on, never guessed from their text.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from replica.columns import Form
from replica.errors import SchemaMismatchError
from replica.records import Record

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_FILE_NAME = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")
# What somebody meant to be a migration.
_MEANT = re.compile(r"^\d.*\.sql$")


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the schema. `statements` are its SQL statements, in order."""

    version: int
    name: str
    checksum: str
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as SQLite describes it: its columns, and for each its declared type and the SQL text of its default.

    key: the columns of its primary key. collations: of each column, where they could be asked for.
    """

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    defaults: tuple[str, ...]
    key: tuple[str, ...]
    collations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """Migrations, records and the tables behind them."""

    migrations: tuple[Migration, ...]
    records: tuple[type[Record], ...]
    tables: dict[str, Table]

    @property
    def version(self) -> int:
        """The newest version this program knows; 0 with no migrations."""
        return len(self.migrations)

    def record_of(self, table: str) -> type[Record]:
        """The record class of a table. Raises KeyError for a table without one."""
        return {record.replica_table: record for record in self.records}[table]


def load_migrations(folder: Path | Traversable) -> tuple[Migration, ...]:
    """Read `0001_name.sql`, `0002_name.sql` … from a folder, in order.

    Raises SchemaMismatchError for a gap, a number twice, a mistyped name or an unfinished statement.
    """
    found = []
    if not folder.is_dir():
        raise SchemaMismatchError(f"there is no folder of migrations at {folder}", "check the path")
    for entry in folder.iterdir():
        match = _FILE_NAME.match(entry.name)
        if match:
            found.append((int(match[1]), match[2], _read(entry)))
        elif _MEANT.match(entry.name):
            raise SchemaMismatchError(f"{entry.name} is not named as a migration", "for example 0001_notes.sql")
    found.sort()
    migrations = tuple(make_migration(*item) for item in found)
    for position, migration in enumerate(migrations, 1):
        if migration.version != position:
            raise SchemaMismatchError(
                f"migration {position:04d} is missing or there twice: "
                f"found {migration.version:04d}_{migration.name}.sql"
            )
    return migrations


def _read(entry: Path | Traversable) -> str:
    try:
        text = entry.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise SchemaMismatchError(f"the migration {entry.name} cannot be read: {told}", "mend the file") from error
    if "\0" in text:
        raise SchemaMismatchError(f"the migration {entry.name} holds a NUL character", "mend the file")
    return text


def make_migration(version: int, name: str, text: str) -> Migration:
    """A migration from its SQL text."""
    checksum = hashlib.sha256(text.encode()).hexdigest()
    return Migration(version, name, checksum, split_statements(text, f"{version:04d}_{name}.sql"))


def split_statements(text: str, source: str) -> tuple[str, ...]:
    """SQL text as single statements; SQLite itself says where one ends, so triggers and quoted text stay whole."""
    statements, start = [], 0
    for match in re.finditer(";", text):
        piece = text[start : match.end()]
        if sqlite3.complete_statement(piece):
            if _has_code(piece.rstrip().removesuffix(";")):
                statements.append(piece.strip())
            start = match.end()
    if _has_code(text[start:]):
        raise SchemaMismatchError(f"{source} ends inside a statement", "end every statement with a semicolon")
    return tuple(statements)


def _has_code(piece: str) -> bool:
    without_comments = re.sub(r"--[^\n]*|/\*.*?\*/", "", piece, flags=re.DOTALL)
    return bool(without_comments.strip())


def build_schema(migrations: Sequence[Migration], records: Sequence[type[Record]]) -> Schema:
    """Run the migrations on an empty database in memory and hold every record against its table.

    Raises SchemaMismatchError that names the table and the column that do not fit.
    """
    scratch = sqlite3.connect(":memory:", isolation_level=None)
    try:
        for migration in migrations:
            _run_migration(scratch, migration)
        tables = {name: _with_collations(scratch, table) for name, table in read_tables(scratch).items()}
        for name in tables:
            _check_references(scratch, name)
    finally:
        scratch.close()
    for record in records:
        _check_record(record, tables)
    return Schema(tuple(migrations), tuple(records), tables)


def _run_migration(scratch: sqlite3.Connection, migration: Migration) -> None:
    name = f"{migration.version:04d}_{migration.name}.sql"
    try:
        scratch.execute("BEGIN")
        for statement in migration.statements:
            scratch.execute(statement)
            if not scratch.in_transaction:
                raise SchemaMismatchError(
                    f"migration {name} ends the transaction it runs in", "leave BEGIN, COMMIT and ROLLBACK out of it"
                )
        scratch.execute("COMMIT")
    except sqlite3.Error as error:
        raise SchemaMismatchError(f"migration {name} does not run: {error}") from error


def _check_references(scratch: sqlite3.Connection, table: str) -> None:
    """Refuse references that change rows by themselves: such a change has no stamp, no history and no author."""
    for row in scratch.execute(f"PRAGMA foreign_key_list({quote(table)})").fetchall():
        for event, action in (("UPDATE", row[5]), ("DELETE", row[6])):
            if action not in ("NO ACTION", "RESTRICT"):
                message = f"the table {table} has ON {event} {action}, which changes rows without history"
                raise SchemaMismatchError(message, "take it out, and change those rows in the same transaction")


def read_tables(connection: sqlite3.Connection, schema: str = "main") -> dict[str, Table]:
    """The tables of one attached database, without SQLite's own."""
    listing = connection.execute(
        f"SELECT name FROM {schema}.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    )
    return {name: _read_table(connection, schema, name) for (name,) in listing.fetchall()}


def _read_table(connection: sqlite3.Connection, schema: str, name: str) -> Table:
    rows = connection.execute(f"PRAGMA {schema}.table_info({quote(name)})").fetchall()
    return Table(
        name,
        columns=tuple(row[1] for row in rows),
        types=tuple(row[2] for row in rows),
        defaults=tuple(row[4] or "NULL" for row in rows),
        key=tuple(row[1] for row in rows if row[5]),
    )


def _with_collations(scratch: sqlite3.Connection, table: Table) -> Table:
    """SQLite tells the collation of a column only as part of an index; making one is most of the work here."""
    declared = scratch.execute("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", (table.name,))
    if "COLLATE" not in str(declared.fetchone()[0]).upper():
        return replace(table, collations=("BINARY",) * len(table.columns))
    listing = ", ".join(map(quote, table.columns))
    scratch.execute(f"CREATE INDEX _replica_collations ON {quote(table.name)} ({listing})")
    rows = scratch.execute("PRAGMA index_xinfo(_replica_collations)").fetchall()
    scratch.execute("DROP INDEX _replica_collations")
    by_name = {row[2]: str(row[4]) for row in rows if row[5]}
    return replace(table, collations=tuple(by_name[column] for column in table.columns))


def _check_record(record: type[Record], tables: dict[str, Table]) -> None:
    table = tables.get(record.replica_table)
    if table is None:
        raise SchemaMismatchError(f"{record.__name__}: no migration makes the table {record.replica_table!r}")
    for name in record.model_fields:
        if name not in table.columns:
            raise SchemaMismatchError(f"{record.__name__}.{name}: the table {table.name} has no column {name}")
    for column in table.columns:
        if column not in record.model_fields:
            raise SchemaMismatchError(
                f"{record.__name__}: the table {table.name} has a column {column} that the record lacks"
            )
    if table.key != ("id",):
        raise SchemaMismatchError(f"{record.__name__}: the table {table.name} must have `id TEXT PRIMARY KEY`")
    forms = {column.name: column.form for column in record.replica_columns}
    for name, declared in zip(table.columns, table.types, strict=True):
        _check_type(record, name, declared, forms.get(name, Form.TEXT))


# What a column must turn values into, if anything, so that none of a form comes back as another.
_AFFINITIES: Final = {
    Form.TEXT: ("TEXT", ""),
    Form.SET: ("TEXT", ""),
    Form.JSON: ("TEXT", ""),
    Form.INTEGER: ("INTEGER", "NUMERIC", ""),
    Form.REAL: ("REAL", ""),
}


def _check_type(record: type[Record], name: str, declared: str, form: Form) -> None:
    fitting = _AFFINITIES.get(form)
    if fitting is not None and affinity(declared) not in fitting:
        raise SchemaMismatchError(
            f"{record.__name__}.{name}: a column of type {declared} would turn some of its values into others",
            f"declare it {fitting[0]} in {record.replica_table}",
        )


def affinity(declared: str) -> str:
    """What a column of a declared type turns values into: TEXT, INTEGER, REAL, NUMERIC or "" (nothing).

    Source: SQLite, "Determination Of Column Affinity".
    """
    upper = declared.upper()
    if "INT" in upper:
        return "INTEGER"
    if any(word in upper for word in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if not upper or "BLOB" in upper:
        return ""
    return "REAL" if any(word in upper for word in ("REAL", "FLOA", "DOUB")) else "NUMERIC"


def default_row_sql(table: Table) -> str:
    """SQL for what a row of a table holds that nobody gave a value."""
    columns = zip(table.columns, table.defaults, strict=True)
    return "SELECT " + ", ".join(f"{default} AS {quote(column)}" for column, default in columns)


def writable(tables: Mapping[str, Table]) -> dict[str, Table]:
    """The tables that are the application's own to write, without those of the toolkit."""
    return {name: table for name, table in tables.items() if not name.startswith("_replica_")}


def quote(name: str) -> str:
    """An SQL identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'
