"""The index of one database: the words of every issue, ranked by FTS5 (https://sqlite.org/fts5.html).

`unicode61` without diacritics, so that Cafe finds café. Words are found by how they begin, for which the order in which
FTS5 keeps its words is enough: measured on 100,000 issues, prefix indexes made a search no faster and the index take
three times as long to make, and trigrams, which find what is in a word, nine times.

Always true:
- an issue keeps its number in an index for good, and its text is there exactly once, or not at all when it is deleted;
- every function works inside the transaction of its caller.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from tracker.search.documents import FIELDS, Document, Where
from tracker.search.query import MARK_END, MARK_START, Query

_TEXT: Final = f"CREATE VIRTUAL TABLE text USING fts5 ({', '.join(FIELDS)}, tokenize = 'unicode61 remove_diacritics 2')"
_TABLES: Final = (
    """CREATE TABLE issues (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, priority TEXT NOT NULL,
        updated_at TEXT NOT NULL, is_there INTEGER NOT NULL)""",
    # Which issue a comment or the like was a part of, for when it is gone.
    "CREATE TABLE parts (id TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    _TEXT,
    # As much as is gathered in memory before it is written: with the default of 1 MB an index takes half as long again.
    "INSERT INTO text (text, rank) VALUES ('hashsize', 4000000)",
)
_WEIGHTS: Final = {
    Where.TITLE: 10.0,
    Where.LABEL: 6.0,
    Where.DESCRIPTION: 4.0,
    Where.ACCEPTANCE: 4.0,
    Where.COMMENT: 1.0,
    Where.LOG: 1.0,
    Where.HANDOFF: 1.0,
}
_SCORE: Final = f"bm25(text, {', '.join(str(_WEIGHTS[field]) for field in FIELDS)})"
_INSERT: Final = f"INSERT INTO text (rowid, {', '.join(FIELDS)}) VALUES (?{', ?' * len(FIELDS)})"
_ADDED_AT_ONCE: Final = 5000
RANKED_AT_ONCE: Final = 10_000
_SNIPPET_WORDS: Final = 16


@dataclass(frozen=True, slots=True)
class Ranked:
    """An issue that was found, and how well it fits: more is better."""

    issue_id: str
    score: float


def make_tables(connection: sqlite3.Connection) -> None:
    """Make an empty index in an empty database."""
    for statement in _TABLES:
        connection.execute(statement)


def read_marker(connection: sqlite3.Connection) -> str:
    """How far the index has come, "" for nowhere."""
    row = connection.execute("SELECT value FROM facts WHERE name = 'marker'").fetchone()
    return str(row[0]) if row else ""


def write_marker(connection: sqlite3.Connection, marker: str) -> None:
    """Remember how far the index has come."""
    connection.execute("INSERT OR REPLACE INTO facts VALUES ('marker', ?)", (marker,))


def count(connection: sqlite3.Connection) -> int:
    """How many issues are in the index."""
    return int(connection.execute("SELECT count(*) FROM issues WHERE is_there").fetchone()[0])


def add(connection: sqlite3.Connection, documents: Iterable[Document]) -> None:
    """Put in documents of issues that are not there."""
    waiting = iter(documents)
    # Many at a time: what is written to another table between two texts makes FTS5 write what it has gathered.
    while some := list(islice(waiting, _ADDED_AT_ONCE)):
        connection.executemany(
            """INSERT INTO issues (id, priority, updated_at, is_there) VALUES (?, ?, ?, 1) ON CONFLICT (id)
            DO UPDATE SET (priority, updated_at, is_there) = (excluded.priority, excluded.updated_at, 1)""",
            ((document.issue_id, document.priority, document.updated_at) for document in some),
        )
        ids = json.dumps([document.issue_id for document in some])
        numbers = dict(
            connection.execute("SELECT id, number FROM issues WHERE id IN (SELECT value FROM json_each(?))", (ids,))
        )
        connection.executemany(
            "INSERT OR REPLACE INTO parts VALUES (?, ?)",
            ((row, numbers[document.issue_id]) for document in some for row in document.rows),
        )
        connection.executemany(_INSERT, ((numbers[document.issue_id], *document.fields) for document in some))


def remove(connection: sqlite3.Connection, issue_ids: Iterable[str]) -> None:
    """Take out the text of issues, of which some may not be there."""
    for issue_id in issue_ids:
        connection.execute("DELETE FROM text WHERE rowid = (SELECT number FROM issues WHERE id = ?)", (issue_id,))
        connection.execute("UPDATE issues SET is_there = 0 WHERE id = ?", (issue_id,))


def issues_of_parts(connection: sqlite3.Connection, part_ids: Iterable[str]) -> set[str]:
    """The issues that these rows were a part of when they were put in; then forget it."""
    listed = (json.dumps(list(part_ids)),)
    found = connection.execute(
        "SELECT DISTINCT i.id FROM json_each(?) j JOIN parts p ON p.id = j.value JOIN issues i USING (number)", listed
    ).fetchall()
    connection.execute("DELETE FROM parts WHERE id IN (SELECT value FROM json_each(?))", listed)
    return {str(issue_id) for (issue_id,) in found}


def ranked(connection: sqlite3.Connection, query: Query, *, at_once: int = RANKED_AT_ONCE) -> Iterator[Ranked]:
    """The issues that fit a query, best first; of those that fit alike the more urgent first, then the last changed.

    Of more than `at_once` that fit, the newest so many come first, ranked, then the next: to rank all those with a word
    that is everywhere would take longer, and say nothing.
    """
    if not query.wanted:
        yield from _all_but(connection, query)
        return
    below = 2**63 - 1
    while True:
        rows = connection.execute(
            f"""SELECT i.id, f.score, f.number
            FROM (SELECT rowid AS number, {_SCORE} AS score FROM text
                WHERE text MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?) f
            JOIN issues i ON i.number = f.number
            ORDER BY f.score, i.priority, i.updated_at DESC, i.id""",
            (query.expression(), below, at_once),
        )
        found = 0
        for issue_id, score, number in rows:
            found, below = found + 1, min(below, number)
            yield Ranked(issue_id, -score)
        if found < at_once:
            return


def _all_but(connection: sqlite3.Connection, query: Query) -> Iterator[Ranked]:
    """What fits a query that only says what is not wanted."""
    if not query.unwanted:
        return
    rows = connection.execute(
        """SELECT id FROM issues WHERE is_there AND number NOT IN (SELECT rowid FROM text WHERE text MATCH ?)
        ORDER BY priority, updated_at DESC, id""",
        (query.unwanted_expression(),),
    )
    yield from (Ranked(issue_id, 0.0) for (issue_id,) in rows)


def marked(connection: sqlite3.Connection, query: Query, issue_ids: Sequence[str]) -> dict[str, list[str]]:
    """For each of these issues a few words around the match in each field, with our marks around what matches.

    They are matched once more among themselves: to look up a few issues in all that begins alike would take longer.
    """
    columns = ", ".join(f"t.{field}" for field in FIELDS)
    rows = connection.execute(
        f"""SELECT t.rowid, {columns} FROM issues i JOIN text t ON t.rowid = i.number
        WHERE i.id IN (SELECT value FROM json_each(?))""",
        (json.dumps(list(issue_ids)),),
    ).fetchall()
    few = sqlite3.connect(":memory:")
    try:
        few.execute(_TEXT)
        few.executemany(_INSERT, rows)
        snippets = ", ".join(
            f"snippet(text, {place}, '{MARK_START}', '{MARK_END}', '…', {_SNIPPET_WORDS})"
            for place in range(len(FIELDS))
        )
        found = few.execute(f"SELECT rowid, {snippets} FROM text WHERE text MATCH ?", (query.expression(),)).fetchall()
    finally:
        few.close()
    numbers = {int(row[0]): list(map(str, row[1:])) for row in found}
    ids = connection.execute(
        "SELECT number, id FROM issues WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(issue_ids)),)
    )
    return {str(issue_id): numbers[number] for number, issue_id in ids if number in numbers}
