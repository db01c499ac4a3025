"""The database of the td that is written in Go, `.todos/issues.db`, in any schema it had.

Always true:
- a schema is told by the tables and columns that are there, not by the number it gives itself;
- a table, column or row that has no place here is counted.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tracker.records import Involvement
from tracker.transfer.errors import SourceError
from tracker.transfer.foreign_file import damage_told, opened_copy
from tracker.transfer.found import Found, Tally
from tracker.transfer.go_tables import DERIVED, GO_TABLES, GoTable, Row

_PAGE_ROWS: Final = 500
_ABOUT_ITSELF: Final = "schema_info"


def read(path: Path, tally: Tally) -> Iterator[Found]:
    """The rows of such a database. Raises SourceError."""
    with opened_copy(path) as connection, damage_told(path):
        sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        names = [row[0] for row in connection.execute(sql)]
        _check_ours(connection, path, names)
        for name, table in GO_TABLES.items():
            if name in names:
                yield from _rows(connection, name, table, tally)
        for name in names:
            if name not in GO_TABLES and name != _ABOUT_ITSELF:
                count = connection.execute(f"SELECT count(*) FROM {_quoted(name)}").fetchone()[0]
                if count:
                    tally.homeless.add("go-td", f"table {name[:40]}", f"{count} rows", count)


def _check_ours(connection: sqlite3.Connection, path: Path, names: list[str]) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] == 0x72706C63:
        raise SourceError(
            path, "it is a database of this td", "run td export -o FILE where it belongs, and take that in"
        )
    if "issues" not in names or not {"id", "title", "status"} <= _columns(connection, "issues").keys():
        raise SourceError(path, "it is an SQLite file, and not one of the Go td", "give its .todos/issues.db")


def _columns(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """The columns of a table with their declared types; those that are computed are not among them."""
    return {row[1]: row[2] for row in connection.execute(f'PRAGMA table_info("{table}")')}


def _quoted(name: str) -> str:
    """A name of a foreign schema, which may hold anything, for SQL."""
    return '"' + name.replace('"', '""') + '"'


def _rows(connection: sqlite3.Connection, name: str, table: GoTable, tally: Tally) -> Iterator[Found]:
    columns = list(_columns(connection, name))
    order = f" ORDER BY {table.order}" if table.order in columns else ""
    listing = ", ".join(map(_quoted, columns))
    if table.created_at:
        listing, columns = f"{listing}, {table.created_at}", [*columns, "created_at"]
    cursor = connection.execute(f'SELECT {listing} FROM "{name}"{order}')
    number = 0
    while rows := cursor.fetchmany(_PAGE_ROWS):
        for values in rows:
            number += 1
            where = f"{name}, row {number}"
            theirs = dict(zip(columns, values, strict=True))
            ours: Row = {table.columns[column]: value for column, value in theirs.items() if column in table.columns}
            if table.convert(ours, where, tally):
                derived = DERIVED.get(table.record, frozenset())
                # What a session did to an issue twice is one deed here, of the first time.
                yield Found(table.record, ours, where, derived, may_repeat=table.record is Involvement)
                for column, value in theirs.items():
                    if column not in table.columns and value not in (None, "", 0):
                        tally.homeless.add(name, f"column {column[:40]}", where)
