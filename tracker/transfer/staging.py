"""Where the rows of a file wait until all of it was read and checked.

Always true:
- a private file of SQLite's own holds them, gone when it is closed, so that memory does not grow with what is read;
- each row is there once; of two with one id the first counts;
- rows come out with what belongs to one issue together, and what belongs to none at the end.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from replica import Record
from tracker.records import RECORDS, Board, Issue, WorkSession
from tracker.transfer.cleaning import Cleaned
from tracker.transfer.found import Tally

Values = dict[str, int | float | str | bytes | None]

_RECORD_OF: Final[dict[str, type[Record]]] = {record.replica_table: record for record in RECORDS}
_ORDER: Final = {table: number for number, table in enumerate(_RECORD_OF)}
_TARGETS: Final[dict[str, type[Record]]] = {
    "issue_id": Issue,
    "depends_on_id": Issue,
    "parent_id": Issue,
    "board_id": Board,
    "work_session_id": WorkSession,
}
"""The columns that name a row of another table, wherever they are."""
_TARGET_RECORDS: Final[tuple[type[Record], ...]] = (Issue, Board, WorkSession)
_MAY_BE_LEFT_OUT: Final = frozenset({("issues", "parent_id"), ("logs", "issue_id"), ("logs", "work_session_id")})
# What belongs to something else than an issue, though it names one.
_NOT_OF_AN_ISSUE: Final = frozenset({"board_positions", "work_session_issues"})
_PAGE_ROWS: Final = 500
_SCHEMA: Final = """
CREATE TABLE staged (
    number INTEGER PRIMARY KEY, table_name TEXT, row_id TEXT, owner TEXT, rank INTEGER, given INTEGER, document TEXT,
    place TEXT, UNIQUE (table_name, row_id)
);
CREATE TABLE links (number INTEGER, name TEXT, target TEXT, target_id TEXT);
CREATE TABLE missing (target TEXT, target_id TEXT, PRIMARY KEY (target, target_id)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Staged:
    """A row that waits.

    owner: the issue it belongs to, or "". size: about how much it takes in a mutation, in bytes.

    given: the columns that the source states.
    """

    record: type[Record]
    row_id: str
    owner: str
    values: Values
    size: int
    given: frozenset[str]
    place: str


class Staging:
    """The rows of one file; closed with `close`."""

    def __init__(self) -> None:
        # An empty name is a file without one, which SQLite deletes as it opens it.
        self._connection = sqlite3.connect("", isolation_level=None)
        for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -32768"):
            self._connection.execute(f"PRAGMA {setting}")
        self._connection.executescript(_SCHEMA)
        # A source states the same columns of most of its rows.
        self._given: dict[frozenset[str], int] = {}
        self._connection.execute("BEGIN")

    def close(self) -> None:
        """Forget all of it."""
        self._connection.close()

    def put(self, cleaned: Cleaned, given: frozenset[str], place: str) -> bool:
        """Take in a row; False if there is one with this id already."""
        record, table = cleaned.record, cleaned.record.replica_table
        number = self._given.setdefault(given, len(self._given))
        row = (table, record.id, _owner(record), _ORDER[table], number, cleaned.document, place)
        cursor = self._connection.execute(
            """INSERT OR IGNORE INTO staged (table_name, row_id, owner, rank, given, document, place)
            VALUES (?, ?, ?, ?, ?, ?, ?)""",
            row,
        )
        if not cursor.rowcount:
            return False
        links = [
            (cursor.lastrowid, name, target.replica_table, target_id)
            for name, target in _TARGETS.items()
            if (target_id := getattr(record, name, None)) is not None
        ]
        self._connection.executemany("INSERT INTO links VALUES (?,?,?,?)", links)
        return True

    def count(self) -> int:
        """How many rows wait."""
        return int(self._connection.execute("SELECT count(*) FROM staged").fetchone()[0])

    def drop_dangling(self, are_here: Callable[[type[Record], Sequence[str]], set[str]], tally: Tally) -> None:
        """Leave out what names a row that is neither in the file nor here; `are_here` tells which of some ids are."""
        for target in _TARGET_RECORDS:
            sql = """SELECT DISTINCT target_id FROM links WHERE target = ?1 AND target_id NOT IN
                (SELECT row_id FROM staged WHERE table_name = ?1)"""
            cursor = self._connection.execute(sql, (target.replica_table,))
            while rows := cursor.fetchmany(_PAGE_ROWS):
                ids = [row[0] for row in rows]
                gone = set(ids) - are_here(target, ids)
                self._connection.executemany(
                    "INSERT INTO missing VALUES (?, ?)", [(target.replica_table, one) for one in gone]
                )
        sql = """SELECT links.number, name, target, target_id, table_name, row_id, place
            FROM links JOIN missing USING (target, target_id) JOIN staged ON staged.number = links.number
            ORDER BY links.number"""
        for number, name, target, target_id, table, row_id, place in self._connection.execute(sql).fetchall():
            where = f"{place}: {target_id}"
            if (table, name) in _MAY_BE_LEFT_OUT and not self._says_nothing_without(number, table, name):
                tally.repaired.add(
                    table, f"{name} names one of the {_told(target)} that is not there, and is left out", where
                )
                self._connection.execute(
                    "UPDATE staged SET document = json_set(document, '$.' || ?, NULL) WHERE number = ?", (name, number)
                )
            elif self._connection.execute("DELETE FROM staged WHERE number = ?", (number,)).rowcount:
                tally.skipped.add(table, f"its {name} is not there", f"{place}: {row_id} names {target_id}")

    def _says_nothing_without(self, number: int, table: str, name: str) -> bool:
        """Whether a row would be about nothing at all: a log that is of no issue and no work session."""
        if table != "logs":
            return False
        other = "work_session_id" if name == "issue_id" else "issue_id"
        sql = "SELECT document ->> ? FROM staged WHERE number = ?"
        found = self._connection.execute(sql, (f"$.{other}", number)).fetchone()
        return found is None or found[0] is None

    def rows(self) -> Iterator[Staged]:
        """All that waits, issue by issue, each with what belongs to it."""
        sql = """SELECT table_name, row_id, owner, document, given, place FROM staged
            ORDER BY owner = '', owner, rank, number"""
        cursor = self._connection.execute(sql)
        given = list(self._given)
        while rows := cursor.fetchmany(_PAGE_ROWS):
            for table, row_id, owner, document, number, place in rows:
                values = json.loads(document)
                yield Staged(_RECORD_OF[table], row_id, owner, values, _size(document), given[number], place)


def _owner(record: Record) -> str:
    """The issue that a row belongs to, or ""."""
    if isinstance(record, Issue):
        return record.id
    if record.replica_table in _NOT_OF_AN_ISSUE:
        return ""
    return str(getattr(record, "issue_id", None) or "")


def _size(document: str) -> int:
    """About how many bytes a row takes as JSON within JSON: each character that was escaped is escaped once more."""
    length = len(document) + document.count('"') + document.count("\\")
    return length if document.isascii() else 4 * length


def _told(table: str) -> str:
    return table.replace("_", " ")
