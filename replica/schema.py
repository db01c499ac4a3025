"""The schema of an application: numbered migrations, and the tables that they make.

Always true:
- migrations are numbered 1, 2, 3 … without a gap, and each has a checksum of its text;
- the tables are read from a database the migrations were really run on, never guessed from their text.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

from replica.errors import SchemaMismatchError
from replica.records import Record

_FILE_NAME = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the schema. `statements` are its SQL statements, in order."""

    version: int
    name: str
    checksum: str
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as SQLite describes it: its columns, and for each the SQL text of its default."""

    name: str
    columns: tuple[str, ...]
    defaults: tuple[str, ...]


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
        return next(record for record in self.records if record.replica_table == table)


def load_migrations(folder: Path | Traversable) -> tuple[Migration, ...]:
    """Read `0001_name.sql`, `0002_name.sql` … from a folder, in order.

    Raises SchemaMismatchError for a gap, a number twice or an unfinished statement.
    """
    found = []
    for entry in folder.iterdir():
        match = _FILE_NAME.match(entry.name)
        if match:
            found.append((int(match[1]), match[2], entry.read_text(encoding="utf-8")))
    found.sort()
    migrations = tuple(make_migration(*item) for item in found)
    for position, migration in enumerate(migrations, 1):
        if migration.version != position:
            raise SchemaMismatchError(
                f"migration {position:04d} is missing or there twice: "
                f"found {migration.version:04d}_{migration.name}.sql"
            )
    return migrations


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
        tables = read_tables(scratch)
    finally:
        scratch.close()
    for record in records:
        _check_record(record, tables)
    return Schema(tuple(migrations), tuple(records), tables)


def _run_migration(scratch: sqlite3.Connection, migration: Migration) -> None:
    try:
        for statement in migration.statements:
            scratch.execute(statement)
    except sqlite3.Error as error:
        raise SchemaMismatchError(
            f"migration {migration.version:04d}_{migration.name}.sql does not run: {error}"
        ) from error


def read_tables(connection: sqlite3.Connection, schema: str = "main") -> dict[str, Table]:
    """The tables of one attached database, without SQLite's own."""
    listing = connection.execute(
        f"SELECT name FROM {schema}.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    )
    return {name: _read_table(connection, schema, name) for (name,) in listing.fetchall()}


def _read_table(connection: sqlite3.Connection, schema: str, name: str) -> Table:
    rows = connection.execute(f"PRAGMA {schema}.table_info({quote(name)})").fetchall()
    return Table(name, tuple(row[1] for row in rows), tuple(row[4] or "NULL" for row in rows))


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


def quote(name: str) -> str:
    """An SQL identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'
