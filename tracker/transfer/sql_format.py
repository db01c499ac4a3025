"""The export in SQL: a script that sqlite3 reads into the same tables.

Always true:
- it holds all that a row holds;
- what is read is run in a private database, which lets through what such a script does and nothing else.
"""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from replica import Record
from tracker.records import RECORDS
from tracker.transfer.dump import TABLES, Dump, Row, columns_of
from tracker.transfer.errors import SourceError
from tracker.transfer.found import Found
from tracker.transfer.json_format import FORMAT, VERSION
from tracker.transfer.opened import open_text
from tracker.values import plain_line

_MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"
_NAMES: Final = frozenset(record.replica_table for record in RECORDS)
_STATEMENT_CHARACTERS_MAX: Final = 16 << 20
_SCHEMA_TABLES: Final = frozenset({"sqlite_master", "sqlite_schema"})
_PLAIN_DEFAULT: Final = re.compile(r"None|NULL|-?\d+|'[^']*'")
_FOREIGN: Final = "it does what no export does"
_PAGE_ROWS: Final = 500
_MADE_BY: Final = "td export --format sql writes such files, and only those are run"


def write_sql(dump: Dump) -> Iterator[str]:
    """The script in pieces."""
    tables = _create_statements()
    yield f"-- {FORMAT} {VERSION}: for sqlite3 NEW.db < FILE, or td import FILE\nBEGIN TRANSACTION;\n"
    for record in TABLES:
        yield f"{tables[record.replica_table]};\n"
    for record in TABLES:
        start = f"INSERT INTO {record.replica_table} ({', '.join(columns_of(record))}) VALUES ("
        for row in dump.rows(record):
            yield f"{start}{', '.join(map(_literal, row.values()))});\n"
    yield "COMMIT;\n"


def _create_statements() -> dict[str, str]:
    """What makes the tables as they are now, by their names."""
    with closing(sqlite3.connect(":memory:")) as scratch:
        for path in sorted(_MIGRATIONS.glob("*.sql")):
            scratch.executescript(path.read_text(encoding="utf-8"))
        return dict(scratch.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'"))


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


def read_sql(path: Path) -> Iterator[Found]:
    """The rows of such a script. Raises SourceError."""
    with closing(sqlite3.connect("", isolation_level=None)) as scratch:
        for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -32768", "trusted_schema = OFF"):
            scratch.execute(f"PRAGMA {setting}")
        scratch.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _STATEMENT_CHARACTERS_MAX)
        scratch.set_authorizer(_allow)
        _run(scratch, path)
        scratch.set_authorizer(None)
        for record in RECORDS:
            yield from _rows(scratch, record, path)


def _allow(action: int, first: str | None, _second: str | None, _database: str | None, _source: str | None) -> int:
    """Let through what an export does: make tables that td has, and put rows into them."""
    is_ours = {
        sqlite3.SQLITE_TRANSACTION: first in ("BEGIN", "COMMIT"),
        sqlite3.SQLITE_CREATE_TABLE: first in _NAMES,
        # How SQLite makes a new table, and keeps what it is.
        sqlite3.SQLITE_CREATE_INDEX: str(first).startswith("sqlite_autoindex_"),
        sqlite3.SQLITE_INSERT: first in _NAMES or first in _SCHEMA_TABLES,
        sqlite3.SQLITE_UPDATE: first in _SCHEMA_TABLES,
        sqlite3.SQLITE_READ: first in _NAMES or first in _SCHEMA_TABLES,
    }.get(action, False)
    return sqlite3.SQLITE_OK if is_ours else sqlite3.SQLITE_DENY


def _run(scratch: sqlite3.Connection, path: Path) -> None:
    number, is_begun = 0, False
    for line, statement in _statements(path):
        number += 1
        if is_begun and not scratch.in_transaction:
            raise SourceError(path, "something comes after its COMMIT", _MADE_BY, f"line {line}")
        try:
            scratch.execute(statement)
        except (sqlite3.Error, sqlite3.Warning) as error:
            told = plain_line(f"SQL does not run: {error}")
            told = _FOREIGN if "not authorized" in told else told
            raise SourceError(path, told, _MADE_BY, f"line {line}") from error
        if not statement.startswith("INSERT"):
            _check_columns(scratch, path, line)
        is_begun = True
    if not number or scratch.in_transaction:
        raise SourceError(
            path, "it ends before its COMMIT: something of it is missing", "make it anew; nothing was written"
        )


def _check_columns(scratch: sqlite3.Connection, path: Path, line: int) -> None:
    """Refuse columns that are computed: SQLite asks the authorizer nothing about what a default does."""
    scratch.set_authorizer(None)
    for record in RECORDS:
        for column in scratch.execute(f"PRAGMA table_xinfo({record.replica_table})").fetchall():
            if column[6] or not _PLAIN_DEFAULT.fullmatch(str(column[4])):
                raise SourceError(path, _FOREIGN, _MADE_BY, f"line {line}")
    scratch.set_authorizer(_allow)


def _statements(path: Path) -> Iterator[tuple[int, str]]:
    """Each statement with the line it begins on: it ends with a semicolon at the end of a line, outside of quotes."""
    parts: list[str] = []
    start, is_quoted, size = 1, False, 0
    with open_text(path) as file:
        try:
            for number, line in enumerate(iter(lambda: file.readline(_STATEMENT_CHARACTERS_MAX), ""), 1):
                if not parts:
                    start = number
                    if not line.strip() or line.startswith("--"):
                        continue
                is_quoted ^= line.count("'") % 2 == 1
                parts.append(line)
                size += len(line)
                if size > _STATEMENT_CHARACTERS_MAX:
                    raise SourceError(path, "a statement of it is too long", _MADE_BY, f"line {start}")
                if not is_quoted and line.rstrip().endswith(";"):
                    yield start, "".join(parts)
                    parts, size = [], 0
        except UnicodeDecodeError as error:
            raise SourceError(
                path, "it is not text in UTF-8", "nothing was written; make it anew", f"line {start}"
            ) from error
    if parts:
        yield start, "".join(parts)


def _rows(scratch: sqlite3.Connection, record: type[Record], path: Path) -> Iterator[Found]:
    table = record.replica_table
    try:
        cursor = scratch.execute(f"SELECT * FROM {table}")
    except sqlite3.OperationalError:
        # An older td had no such table.
        return
    names = [item[0] for item in cursor.description]
    nested = {column.name for column in record.replica_columns if column.form.value in ("set", "json")}
    number = 0
    while rows := _fetched(cursor, path):
        for values in rows:
            number += 1
            row: Row = dict(zip(names, values, strict=True))
            found = {name: _parsed(value) if name in nested else value for name, value in row.items()}
            yield Found(record, found, f"{table}, row {number}")


def _fetched(cursor: sqlite3.Cursor, path: Path) -> list[tuple[object, ...]]:
    try:
        return cursor.fetchmany(_PAGE_ROWS)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise SourceError(path, f"its rows cannot be read: {error}", _MADE_BY) from error


def _parsed(stored: object) -> object:
    try:
        return json.loads(stored) if isinstance(stored, str) else stored
    except (ValueError, RecursionError):
        return stored
