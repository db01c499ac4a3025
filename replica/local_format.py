"""The format of `local.db`: which tables of ours are in it, and since when.

Always true: a format only ever adds tables, and columns with a default, so that a file of an older make becomes one of
this make as it is opened, with all that waits in it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from replica import lost, outbox
from replica.errors import ForeignFileError

FORMAT: Final = 5


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables and columns that are not there yet. Raises ForeignFileError for a file of a newer make."""
    if _format(connection, path) == FORMAT:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _format(connection, path) != FORMAT:
            for statement in f"{outbox.TABLES}{lost.TABLES}".split(";\n"):
                if statement.strip():
                    connection.execute(statement)
            _add_columns(connection)
            connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.execute("COMMIT")
    except BaseException:
        # SQLite itself has rolled back where the disk was full.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _add_columns(connection: sqlite3.Connection) -> None:
    """Give the tables of an older make the columns that came since; in the transaction of the caller."""
    known = {row[1] for row in connection.execute("PRAGMA table_info(changes)")}
    if "yields" not in known:
        connection.execute("ALTER TABLE changes ADD COLUMN yields INTEGER NOT NULL DEFAULT 0")


def _format(connection: sqlite3.Connection, path: Path) -> int:
    made: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if made > FORMAT:
        raise ForeignFileError(
            f"{path} was made by a newer program (format {made}, this one knows {FORMAT})",
            "upgrade this program; nothing was touched",
        )
    return made
