"""Compare the base with the primary, value by value, and say which rows differ.

Always true:
- rows are read in stretches of ids, the same on both sides, so memory does not grow with the tables;
- a row that is only on one side differs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from replica.errors import AnswerTooLargeError
from replica.history import HISTORY
from replica.mutation import StoredValue, encode_row
from replica.schema import Table, quote

_STRETCH_ROWS: Final = 500
_SAMPLES: Final = 4
_SAMPLE_ROWS: Final = 50
_DIFFERING_MAX: Final = 1_000

Values = Sequence[StoredValue]
Ask = Callable[[str, Values], Sequence[Values]]
"""Run SQL that reads, and return its rows."""


@dataclass(slots=True)
class Comparison:
    """What came of comparing one table. rows: how many were held against each other, of `total` on the primary.

    here, there: a hash of the contents of these rows. differing: the ids of those that differ, at most a thousand.
    surplus: how many rows more there are here than on the primary.
    """

    table: str
    rows: int = 0
    total: int = 0
    here: str = ""
    there: str = ""
    differing: list[str] = field(default_factory=list)
    surplus: int = 0

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return not self.differing and not self.surplus


def compare_table(table: Table, here: Ask, there: Ask, *, full: bool, stretch_rows: int = _STRETCH_ROWS) -> Comparison:
    """Compare all rows of a table, or of a large one a few stretches and the number of its rows.

    here, there: run SQL on the base and on the primary; `{table}` in it is the name of the table. stretch_rows: how
    many rows are read at once.
    """
    result = Comparison(table.name)
    ours, result.total = count_rows(here), count_rows(there)
    result.surplus = ours - result.total
    ours_hash, theirs_hash = hashlib.sha256(), hashlib.sha256()
    for one, other in _stretches(table, here, there, stretch_rows if full or result.total <= stretch_rows else None):
        for rows, digest in ((one, ours_hash), (other, theirs_hash)):
            for row in rows.values():
                digest.update(row.encode())
        result.rows += len(other)
        differing = sorted(str(key) for key in one.keys() | other.keys() if one.get(key) != other.get(key))
        result.differing += differing[: _DIFFERING_MAX - len(result.differing)]
    result.here, result.there = ours_hash.hexdigest(), theirs_hash.hexdigest()
    return result


def rows_by_id(table: Table, ids: Sequence[str], ask: Ask) -> dict[StoredValue, str]:
    """Some rows of a table as texts to compare, by their ids."""
    found: dict[StoredValue, str] = {}
    for each in ids:
        found.update(_rows(table, ask, f"WHERE CAST({_key(table)} AS TEXT) = ?", (each,)))
    return found


def count_rows(ask: Ask) -> int:
    """How many rows a table has."""
    return int(str(ask("SELECT count(*) FROM {table}", ())[0][0]))


def _key(table: Table) -> str:
    return "seq" if table.name == HISTORY else "id"


Stretch = tuple[dict[StoredValue, str], dict[StoredValue, str]]


def _stretches(table: Table, here: Ask, there: Ask, stretch_rows: int | None) -> Iterator[Stretch]:
    """All rows in stretches, or, without a length for them, a few short ones that begin anywhere."""
    if stretch_rows is not None:
        after: StoredValue = None
        while True:
            one, other, after = _stretch(table, here, there, after, stretch_rows)
            yield one, other
            if after is None:
                return
    key = _key(table)
    for (start,) in here(f"SELECT {key} FROM {{table}} ORDER BY random() LIMIT {_SAMPLES}", ()):
        one, other, _ = _stretch(table, here, there, start, _SAMPLE_ROWS)
        yield one, other


def _stretch(
    table: Table, here: Ask, there: Ask, after: StoredValue, limit: int
) -> tuple[dict[StoredValue, str], dict[StoredValue, str], StoredValue]:
    """The rows of both sides after an id, as far as both were read, and the last id; None at the end of the table."""
    key = _key(table)
    where, params = ("", ()) if after is None else (f"WHERE {key} > ?", (after,))
    tail = f"{where} ORDER BY {key} LIMIT {limit}"
    try:
        one, other = _rows(table, here, tail, params), _rows(table, there, tail, params)
    except AnswerTooLargeError:
        if limit == 1:
            raise
        return _stretch(table, here, there, after, limit // 2)
    ends = [next(reversed(rows)) for rows in (one, other) if len(rows) == limit]
    if not ends:
        return one, other, None
    # Keys of one table are of one type: texts, or the numbers of the history.
    end = ends[0] if len(ends) == 1 or _is_until(ends[0], ends[1]) else ends[1]
    kept = [{each: row for each, row in rows.items() if _is_until(each, end)} for rows in (one, other)]
    return kept[0], kept[1], end


def _is_until(key: StoredValue, end: StoredValue) -> bool:
    if isinstance(key, int) and isinstance(end, int):
        return key <= end
    return str(key).encode() <= str(end).encode()


def _rows(table: Table, ask: Ask, tail: str, params: Values) -> dict[StoredValue, str]:
    listing = ", ".join(map(quote, table.columns))
    key = table.columns.index(_key(table))
    rows = ask(f"SELECT {listing} FROM {{table}} {tail}", params)
    return {row[key]: encode_row(dict(zip(table.columns, row, strict=True))) for row in rows}
