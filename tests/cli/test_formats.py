"""Rows come back from what td wrote as they went in."""

import csv
import errno
import io
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from typing import Final, Self

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cli.errors import InvalidValueError, OutputError, UsageError
from cli.formats import Format, _exact_float, chosen_format, print_rows
from cli.output import json_value, print_pieces

Values = list[tuple[int | float | str | bytes | None, ...]]

TEXTS: Final = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
STORED: Final = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), TEXTS, st.binary(max_size=20)
)
TABLES: Final = st.integers(1, 4).flatmap(
    lambda width: st.tuples(
        st.lists(st.sampled_from(["a", "b", "a:2", 'q"uote', "count(*)"]), min_size=width, max_size=width),
        st.lists(st.tuples(*[STORED] * width), max_size=5),
    )
)


class Bytes(io.TextIOWrapper):
    """A stdout that keeps what it gets."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self.raw_bytes = io.BytesIO()
        super().__init__(self.raw_bytes, encoding=encoding, errors="backslashreplace", newline="\n")

    def text(self) -> str:
        """All of it."""
        self.flush()
        return self.raw_bytes.getvalue().decode()


def written(columns: list[str], rows: Values, form: Format, encoding: str = "utf-8") -> str:
    """What `print_rows` writes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", out := Bytes(encoding))
        print_rows(columns, iter(rows), form, name='my "table"')
        return out.text()


def as_text(value: object) -> str:
    """A value as csv has it."""
    if isinstance(value, bytes):
        return value.hex()
    return "" if value is None else str(value)


@given(TABLES)
@example((["a"], [(None,), ("",)]))
@example((["a"], [("\r",), ("\n",), ("\r\n",), (",",)]))
def test_csv_reads_back_as_the_texts_of_the_values(table: tuple[list[str], Values]) -> None:
    """By RFC 4180: lines end in CR LF, and NULL is an empty field."""
    columns, rows = table

    text = written(columns, rows, Format.CSV)

    assert list(csv.reader(io.StringIO(text, newline=""), strict=True)) == [
        columns,
        *([as_text(value) for value in row] for row in rows),
    ]
    assert text.endswith("\r\n")


@given(TABLES)
def test_json_and_ndjson_read_back_as_the_same_values(table: tuple[list[str], Values]) -> None:
    """One document with a line for each row, or a document a row; each column has a name of its own."""
    columns, rows = table

    document = json.loads(written(columns, rows, Format.JSON))
    lines = [json.loads(line) for line in written(columns, rows, Format.NDJSON).split("\n")[:-1]]

    assert document == lines
    assert [list(row.values()) for row in document] == [[json_value(value) for value in row] for row in rows]


@given(TABLES)
@example((["a"], [(1.2345678901234567e-300,), (5e-324,), (1.7976931348623157e308,), (-0.1,), (float("inf"),)]))
@example((["a"], [(9007199254740993.0,), (-float("inf"),), (1e22,), (2.2250738585072014e-308,), (-0.0,)]))
def test_sql_reads_back_through_sqlite_to_the_last_bit(table: tuple[list[str], Values]) -> None:
    """Every value of the same type and bits."""
    columns, rows = table
    statements = written(columns, rows, Format.SQL)
    with closing(sqlite3.connect(":memory:")) as database:
        names = [f"c{number}" for number in range(len(columns))]
        database.execute(f'CREATE TABLE "my ""table""" ({", ".join(names)})')
        for old, new in zip(names, distinct(columns, rows), strict=True):
            quoted = '"' + new.replace('"', '""') + '"'
            database.execute(f'ALTER TABLE "my ""table""" RENAME COLUMN {old} TO {quoted}')

        database.executescript(statements)

        read = database.execute('SELECT * FROM "my ""table""" ORDER BY rowid').fetchall()
    assert [tuple(map(repr, row)) for row in read] == [tuple(map(repr, row)) for row in rows]


def distinct(columns: list[str], rows: Values) -> list[str]:
    """The names as JSON has them; without a row there is none."""
    document = json.loads(written(columns, rows, Format.JSON))
    return list(document[0]) if document else [f"n{number}" for number in range(len(columns))]


@pytest.mark.parametrize("value", [6.02e-299, 1.1e-5, 3.3333333333333335e300, 5e-324, 1.7976931348623157e308])
def test_a_float_that_sqlite_would_misread_is_written_as_exact_arithmetic(value: float) -> None:
    """Whole numbers and powers of two: each step of it is exact."""
    with closing(sqlite3.connect(":memory:")) as database:
        for one in (value, -value):
            assert database.execute(f"SELECT {_exact_float(one)}").fetchone() == (one,)


def test_a_text_with_a_nul_is_refused_as_sql() -> None:
    """SQL would end there; the other forms hold it."""
    with pytest.raises(InvalidValueError) as raised:
        written(["a"], [("x\0y",)], Format.SQL)

    assert "json" in raised.value.hint
    assert json.loads(written(["a"], [("x\0y",)], Format.JSON)) == [{"a": "x\0y"}]


def test_columns_of_one_name_are_numbered_without_taking_a_name_that_is_there() -> None:
    """None of them is lost."""
    assert json.loads(written(["a", "a", "a:2", "a"], [(1, 2, 3, 4)], Format.JSON)) == [
        {"a": 1, "a:3": 2, "a:2": 3, "a:4": 4}
    ]


class Cells(HTMLParser):
    """The texts of the cells of a page, and the tags around them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.cells: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: D102 - of the base
        assert attrs == []
        self.tags.add(tag)
        if tag in ("th", "td"):
            self.cells.append("")
        elif tag == "br":
            self.cells[-1] += "\n"

    def handle_data(self, data: str) -> None:  # noqa: D102 - of the base
        if self.cells and data.strip("\n"):
            self.cells[-1] += data


@given(st.lists(st.text(st.sampled_from("<>&\"'/ab!-\n")), min_size=1, max_size=5))
def test_html_holds_every_text_and_no_tag_of_it(texts: list[str]) -> None:
    """Whatever people wrote is text on the page."""
    page = Cells(written(["<b>"], [(text,) for text in texts], Format.HTML))

    assert page.cells == ["<b>", *texts]
    assert page.tags <= {"table", "thead", "tbody", "tr", "th", "td", "br"}


def test_markdown_keeps_a_row_in_one_line_and_a_value_in_one_cell() -> None:
    """Pipes, line breaks, tags and backslashes of the values do not count as such."""
    text = written(["a|b", "n"], [("x|y\\|z\nnext", None), ("<script>&", b"\x00")], Format.MARKDOWN)

    assert text == ("| a\\|b | n |\n| --- | --- |\n| x\\|y\\\\\\|z<br>next | NULL |\n| &lt;script>&amp; | x'00' |\n")


@pytest.mark.parametrize("form", [form for form in Format if form not in (Format.JSON, Format.NDJSON, Format.SQL)])
def test_without_rows_the_columns_are_told(form: Format) -> None:
    """So that a program finds the header it expects."""
    assert "one" in written(["one"], [], form)


@pytest.mark.parametrize(("form", "expected"), [(Format.JSON, "[]\n"), (Format.NDJSON, ""), (Format.SQL, "")])
def test_without_rows_the_other_forms_hold_none(form: Format, expected: str) -> None:
    """A list is `[]` and never null."""
    assert written(["one"], [], form) == expected


@pytest.mark.parametrize("form", Format)
def test_every_form_holds_every_character_whatever_the_terminal_shows(form: Format) -> None:
    """What programs read is UTF-8, or escaped as JSON escapes."""
    text = written(["a"], [("☕",)], form, encoding="ascii")

    assert ("☕" in text) == (form not in (Format.JSON, Format.NDJSON, Format.TABLE))


def test_rows_are_written_as_they_come() -> None:
    """A million rows are not held in memory."""
    out = Bytes()

    def rows() -> Iterator[tuple[str]]:
        for number in range(1000):
            assert len(out.raw_bytes.getvalue()) >= number * 1000 - 200_000
            yield ("x" * 1000,)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", out)
        print_rows(["a"], rows(), Format.CSV, name="t")

    assert len(out.text().splitlines()) == 1001


class Full(Bytes):
    """A stdout on a full disk."""

    def write(self, text: str) -> int:  # noqa: D102 - of the base
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), len(text))

    def fileno(self) -> int:  # noqa: D102 - of the base
        return self._fd

    def __enter__(self) -> Self:
        self._fd = os.open(os.devnull, os.O_WRONLY)
        return self

    def __exit__(self, *args: object) -> None:
        os.close(self._fd)


def test_an_output_that_takes_nothing_more_is_told() -> None:
    """Also in the middle."""
    with pytest.MonkeyPatch.context() as patch, Full() as full:
        patch.setattr("sys.stdout", full)

        with pytest.raises(OutputError) as raised:
            print_pieces("x" * 1000 for _ in range(1000))

    assert "No space left" in str(raised.value)


def test_json_and_another_form_at_once_are_refused() -> None:
    """Nobody can have both on one stdout."""
    with pytest.raises(UsageError):
        chosen_format(Format.CSV, as_json=True)

    assert chosen_format(Format.JSON, as_json=True) is Format.JSON
    assert chosen_format(None, as_json=True) is Format.JSON
    assert chosen_format(None, as_json=False) is Format.TABLE
    assert chosen_format(Format.SQL, as_json=False) is Format.SQL
