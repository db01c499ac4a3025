"""Comparing two copies of a table finds every row that differs, and no other."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager

from hypothesis import given
from hypothesis import strategies as st

from replica.compare import Ask, compare_table, rows_by_id
from replica.mutation import StoredValue
from replica.schema import Table

ITEMS = Table("items", ("id", "title"), ("TEXT", ""), ("NULL", "NULL"), ("id",))
IDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=3)
VALUES = st.one_of(st.none(), st.integers(0, 3), st.just(1.0), st.just("1"), st.just(b"1"))
ROWS = st.dictionaries(IDS, VALUES, max_size=40)


@contextmanager
def _table(rows: Mapping[str, StoredValue]) -> Iterator[Ask]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE items (id TEXT PRIMARY KEY, title)")
        connection.executemany("INSERT INTO items VALUES (?, ?)", rows.items())

        def ask(sql: str, params: Sequence[StoredValue]) -> Sequence[Sequence[StoredValue]]:
            return connection.execute(sql.replace("{table}", "items"), params).fetchall()

        yield ask


@given(ROWS, ROWS, st.integers(1, 5))
def test_every_row_that_differs_is_found_and_no_other(
    here: dict[str, StoredValue], there: dict[str, StoredValue], stretch: int
) -> None:
    """Changed, missing or too many; by value and type; whatever the length of a stretch."""
    expected = {
        key
        for key in here.keys() | there.keys()
        if key not in here or key not in there or (type(here[key]), here[key]) != (type(there[key]), there[key])
    }
    with _table(here) as one, _table(there) as other:
        result = compare_table(ITEMS, one, other, full=True, stretch_rows=stretch)

    assert set(result.differing) == expected
    assert result.surplus == len(here) - len(there)
    assert (result.here == result.there) is (not expected)
    assert result.is_same is (not expected)
    assert result.rows == result.total == len(there)


def test_a_sample_reads_little_and_sees_a_row_that_is_missing() -> None:
    """By the number of rows, which is always compared."""
    rows: dict[str, StoredValue] = {f"{number:05d}": number for number in range(5_000)}
    with _table(rows) as one, _table({**rows, "more": 1}) as other:
        result = compare_table(ITEMS, one, other, full=False)

    assert not result.is_same
    assert result.surplus == -1
    assert 0 < result.rows < 1_000


def test_a_single_row_is_read_for_a_second_look() -> None:
    """As the text that is compared."""
    with _table({"a": 1, "b": 2}) as ask:
        assert rows_by_id(ITEMS, ["b", "c"], ask) == {"b": '{"id":"b","title":2}'}
