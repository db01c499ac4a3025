"""Both sides of a move to a primary: the file that is moved, and the base that came from the primary.

Always true:
- neither of them is written to;
- memory does not grow with the tables, but for the rows that are in two versions.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from replica.history import CHANGE_COLUMNS, HISTORY, SELECT_CHANGE, mutations_from
from replica.moving.judge import Judgement, Link, Verdict, author_of, judge
from replica.mutation import Row, StoredValue
from replica.report import Show, TableMoved
from replica.schema import Table, quote
from replica.sqlite_file import storage_errors

Values = Sequence[StoredValue]

_UNJUDGED: Final = "NOT EXISTS (SELECT 1 FROM temp.judged j WHERE j.name = '{table}' AND j.id = {side}.id)"
_CHANGES: Final = ", ".join(f"c.{name}" for name in CHANGE_COLUMNS)
# What was changed here of a row that is apart goes to the primary as one change, so its steps do not.
_NOT_APART: Final = f"""NOT EXISTS (SELECT 1 FROM temp.judged j
    WHERE j.name = s.table_name AND j.id = s.row_id AND j.verdict = '{Verdict.APART}')"""


class Sides:
    """A file and a base, attached to one connection that only reads them."""

    def __init__(self, connection: sqlite3.Connection, tables: Mapping[str, Table]) -> None:
        """`tables`: those to compare, without the history."""
        self._connection = connection
        self.tables = self._parents_first(tables)

    def _parents_first(self, tables: Mapping[str, Table]) -> dict[str, Table]:
        """The tables, each after those that it refers to, as far as they do not refer to each other."""
        ordered: dict[str, Table] = {}

        def add(name: str, below: tuple[str, ...]) -> None:
            if name in ordered or name in below or name not in tables:
                return
            for row in self._connection.execute(f"PRAGMA main.foreign_key_list({quote(name)})").fetchall():
                add(str(row[2]), (*below, name))
            ordered[name] = tables[name]

        for name in tables:
            add(name, ())
        return ordered

    def total(self) -> int:
        """How many rows are to be looked at, history included."""
        counts = (self._one(f"SELECT count(*) FROM main.{quote(name)}") for name in (*self.tables, HISTORY))
        return sum(int(str(count)) for count in counts)

    def _one(self, sql: str, params: Values = ()) -> StoredValue:
        found: tuple[StoredValue] = self._connection.execute(sql, params).fetchone()
        return found[0]

    def judged(
        self, table: Table, author: tuple[str, str, int]
    ) -> Iterator[tuple[str, Row | None, Row | None, Judgement]]:
        """The rows of a table that are in two versions: id, mine, theirs, and how mine stands to theirs.

        author: session, machine and schema version for a row without a history.
        """
        session, machine, version = author
        for row_id in self._in_two_versions(table):
            mine, theirs = self._row("main", table, row_id), self._row("base", table, row_id)
            judgement = judge(
                (table.name, row_id), mine, theirs, self._links("main", table.name, row_id),
                self._links("base", table.name, row_id),
                author_of(mine or {}, session=session, machine=machine, version=version),
            )  # fmt: skip
            self._connection.execute(
                "INSERT OR REPLACE INTO temp.judged VALUES (?, ?, ?)", (table.name, row_id, judgement.verdict.value)
            )
            yield row_id, mine, theirs, judgement

    def _in_two_versions(self, table: Table) -> list[str]:
        name = quote(table.name)
        # Of two equal numbers one may be an integer; and a column may take two texts for one that are not the same.
        differs = " OR ".join(
            f"s.{quote(column)} IS NOT b.{quote(column)} COLLATE BINARY "
            f"OR typeof(s.{quote(column)}) <> typeof(b.{quote(column)})"
            for column in table.columns
        )
        changed = f"SELECT s.id FROM main.{name} s JOIN base.{name} b ON b.id = s.id WHERE {differs}"
        gone_there = f"""SELECT s.id FROM main.{name} s WHERE NOT EXISTS (SELECT 1 FROM base.{name} b WHERE b.id = s.id)
            AND EXISTS (SELECT 1 FROM base.{HISTORY} c WHERE c.row_id = s.id AND c.table_name = ?1)"""
        gone_here = f"""SELECT DISTINCT c.row_id FROM main.{HISTORY} c WHERE c.table_name = ?1 AND c.kind = 'delete'
            AND EXISTS (SELECT 1 FROM base.{name} b WHERE b.id = c.row_id)
            AND NOT EXISTS (SELECT 1 FROM main.{name} s WHERE s.id = c.row_id)"""
        sql = f"{changed} UNION {gone_there} UNION {gone_here}"
        return [str(row[0]) for row in self._connection.execute(sql, (table.name,))]

    def _row(self, side: str, table: Table, row_id: str) -> Row | None:
        listing = ", ".join(map(quote, table.columns))
        sql = f"SELECT {listing} FROM {side}.{quote(table.name)} WHERE id = ?"
        found = self._connection.execute(sql, (row_id,)).fetchone()
        return None if found is None else dict(zip(table.columns, found, strict=True))

    def _links(self, side: str, table: str, row_id: str) -> list[Link]:
        sql = f"{SELECT_CHANGE.replace(HISTORY, f'{side}.{HISTORY}')} WHERE table_name = ? AND row_id = ? ORDER BY seq"
        rows = self._connection.execute(sql, (table, row_id)).fetchall()
        return [Link(mutations_from([row])[0]) for row in rows]

    def missing(self, table: Table) -> Iterator[Row]:
        """The rows of a table that were never on the primary; to be asked after `judged`."""
        name = quote(table.name)
        listing = ", ".join(f"s.{quote(column)}" for column in table.columns)
        sql = f"""SELECT {listing} FROM main.{name} s WHERE NOT EXISTS (SELECT 1 FROM base.{name} b WHERE b.id = s.id)
            AND {_UNJUDGED.format(table=table.name, side="s")} ORDER BY s.id"""
        for row in self._connection.execute(sql):
            yield dict(zip(table.columns, row, strict=True))

    def missing_history(self) -> Iterator[str]:
        """What the history of the primary lacks, in order, each as JSON; to be asked after `judged` of every table."""
        listing = _CHANGES.replace("c.", "s.")
        # History holds text and integers alone, of which SQLite's JSON loses nothing.
        found = self._connection.execute(
            f"""SELECT json_array({listing}) FROM main.{HISTORY} s WHERE {_NOT_APART} AND NOT EXISTS (
            SELECT 1 FROM base.{HISTORY} b WHERE b.mutation = s.mutation AND b.position = s.position) ORDER BY s.seq"""
        )
        for (text,) in found:
            yield str(text)

    def has_mutation(self, mutation_id: str) -> bool:
        """Whether the primary has a mutation."""
        return bool(self._one(f"SELECT EXISTS (SELECT 1 FROM base.{HISTORY} WHERE mutation = ?)", (mutation_id,)))

    def verify(self, show: Show) -> Iterator[tuple[TableMoved, bool]]:
        """Count and hash each table on both sides; with each, whether they are the same."""
        done, total = 0, self.total()
        for name, table in self.tables.items():
            listing = ", ".join(f"s.{quote(column)}" for column in table.columns)
            unjudged = _UNJUDGED.format(table=name, side="s")
            here = f"SELECT {listing} FROM main.{quote(name)} s WHERE {unjudged} ORDER BY s.id"
            there = f"""SELECT {listing} FROM base.{quote(name)} s WHERE {unjudged}
                AND EXISTS (SELECT 1 FROM main.{quote(name)} m WHERE m.id = s.id) ORDER BY s.id"""
            yield self._compared(name, here, there)
            done += int(str(self._one(f"SELECT count(*) FROM main.{quote(name)}")))
            show("checking", done, total)
        listing = _CHANGES.replace("c.", "s.")
        here = f"SELECT {listing} FROM main.{HISTORY} s WHERE {_NOT_APART} ORDER BY s.mutation, s.position"
        there = f"""SELECT {listing} FROM base.{HISTORY} s WHERE EXISTS (SELECT 1 FROM main.{HISTORY} m
            WHERE m.mutation = s.mutation AND m.position = s.position) AND {_NOT_APART}
            ORDER BY s.mutation, s.position"""
        yield self._compared(HISTORY, here, there)
        show("checking", total, total)

    def _compared(self, name: str, here: str, there: str) -> tuple[TableMoved, bool]:
        ours, theirs = fingerprint(self._connection.execute(here)), fingerprint(self._connection.execute(there))
        others = int(str(self._one("SELECT count(*) FROM temp.judged WHERE name = ?", (name,))))
        return TableMoved(name, *ours, others), ours == theirs


def fingerprint(rows: Iterable[Values]) -> tuple[int, str]:
    """How many rows, and the SHA-256 of their contents in their order."""
    digest, count = hashlib.sha256(), 0
    for row in rows:
        # A tuple of None, int, float, str and bytes as Python writes it is another for every other value and type.
        digest.update(repr(row).encode())
        count += 1
    return count, digest.hexdigest()


@contextmanager
def both_sides(source: Path, base: Path, tables: Mapping[str, Table]) -> Iterator[Sides]:
    """The two sides as they are now."""
    with storage_errors(source):
        connection = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        with storage_errors(source):
            connection.execute("ATTACH ? AS base", (f"{base.absolute().as_uri()}?mode=ro",))
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute(
                "CREATE TEMP TABLE judged (name TEXT, id TEXT, verdict TEXT, PRIMARY KEY (name, id)) WITHOUT ROWID"
            )
            connection.execute("BEGIN")
            yield Sides(connection, tables)
    finally:
        connection.close()
