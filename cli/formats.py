"""Rows of values in any of the forms that td writes: for people, for programs, for pages, for SQLite.

Always true:
- every row is written as soon as it comes, but for a table, whose columns are as wide as their widest value;
- csv, ndjson, json and sql read back as the values they were written from: csv as their texts, json as JSON can
  hold them, sql to the last bit;
- every column is kept, also where two have one name: in json, ndjson and sql the second `a` is called `a:2`.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from enum import StrEnum
from itertools import count
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.errors import InvalidValueError, UsageError
from cli.output import json_value, print_lines, print_pieces, use_utf8, writes_ascii_json
from cli.tables import cell, table_lines

if TYPE_CHECKING:
    from sqlite3 import Connection

Row = Sequence[object]
"""Stored values, one a column: None, int, float, str or bytes."""


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    NDJSON = "ndjson"
    MARKDOWN = "markdown"
    HTML = "html"
    SQL = "sql"


FormatOption = Annotated[
    Format | None,
    typer.Option(
        "--format",
        "-f",
        help="How to write the rows: table, json, csv, ndjson, markdown, html or sql.",
        show_default=False,
        metavar="FORMAT",
    ),
]


def chosen_format(form: Format | None, *, as_json: bool) -> Format:
    """The form that `--format` and `--json` ask for together. Raises UsageError where they contradict each other."""
    if as_json and form not in (None, Format.JSON):
        raise UsageError(f"--json and --format {form} are two forms", "ask for one of them")
    return form or (Format.JSON if as_json else Format.TABLE)


def print_rows(columns: Sequence[str], rows: Iterable[Row], form: Format, *, name: str) -> None:
    """Write rows to stdout.

    Args:
        columns: the names of the columns.
        rows: stored values; taken one by one.
        form: how they are written.
        name: the table that the INSERT statements of `sql` name.

    Raises:
        InvalidValueError: SQL cannot hold a value; the rows before it are written.
        OutputError: stdout takes nothing more.
    """
    if form is Format.TABLE:
        # It is whole before it can be shown, and may be long.
        print_lines(table_lines(columns, list(rows)))
        return
    if form in _IN_UTF8:
        use_utf8()
    print_pieces(_WRITERS[form](columns, rows, name))


def row_documents(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[dict[str, object]]:
    """A JSON object for each row."""
    names = _distinct(columns)
    for row in rows:
        yield {name: json_value(value) for name, value in zip(names, row, strict=True)}


def _distinct(columns: Sequence[str]) -> list[str]:
    """The names of the columns; one that comes again gets a number."""
    names: list[str] = []
    for name in columns:
        taken = {*names, *columns[len(names) + 1 :]} if name in names else set()
        numbered = (f"{name}:{number}" for number in count(2))
        names.append(next(one for one in numbered if one not in taken) if taken else name)
    return names


def _json(columns: Sequence[str], rows: Iterable[Row], _name: str) -> Iterator[str]:
    before = "[\n"
    for line in _json_lines(columns, rows):
        yield before + line
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _ndjson(columns: Sequence[str], rows: Iterable[Row], _name: str) -> Iterator[str]:
    for line in _json_lines(columns, rows):
        yield line + "\n"


def _json_lines(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    is_plain = writes_ascii_json()
    for document in row_documents(columns, rows):
        yield json.dumps(document, ensure_ascii=is_plain, allow_nan=False)


class _Line:
    """Where the csv writer of Python writes: it keeps the line until that is taken."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text = text


def _csv(columns: Sequence[str], rows: Iterable[Row], _name: str) -> Iterator[str]:
    """As RFC 4180 has it: lines end in CR LF, NULL is an empty field."""
    # Only who asks for it pays for it.
    import csv  # noqa: PLC0415 - see above

    line = _Line()
    writer = csv.writer(line)
    writer.writerow(columns)
    yield line.text
    for row in rows:
        writer.writerow([value.hex() if isinstance(value, bytes) else value for value in row])
        yield line.text


_IN_MARKDOWN: Final = str.maketrans({"\\": "\\\\", "|": "\\|", "<": "&lt;", "&": "&amp;"})


def _markdown(columns: Sequence[str], rows: Iterable[Row], _name: str) -> Iterator[str]:
    """A table as GitHub Flavored Markdown has it; a line break in a value is `<br>`."""
    yield _markdown_line(columns)
    yield "|" + " --- |" * len(columns) + "\n"
    for row in rows:
        yield _markdown_line(row)


def _markdown_line(values: Row) -> str:
    cells = ("<br>".join(part.translate(_IN_MARKDOWN) for part in _lines_of(value)) for value in values)
    return "".join(f"| {text} " for text in cells) + "|\n"


def _html(columns: Sequence[str], rows: Iterable[Row], _name: str) -> Iterator[str]:
    yield "<table>\n<thead>\n" + _html_line("th", columns) + "</thead>\n<tbody>\n"
    for row in rows:
        yield _html_line("td", row)
    yield "</tbody>\n</table>\n"


def _html_line(tag: str, values: Row) -> str:
    # Only who asks for it pays for it.
    from html import escape  # noqa: PLC0415 - see above

    cells = ("<br>".join(escape(part) for part in _lines_of(value)) for value in values)
    return "<tr>" + "".join(f"<{tag}>{text}</{tag}>" for text in cells) + "</tr>\n"


def _lines_of(value: object) -> list[str]:
    """A value as the lines that a page shows."""
    if not isinstance(value, str):
        return [cell(value)]
    return [cell(line) for line in value.replace("\r\n", "\n").split("\n")]


def _sql(columns: Sequence[str], rows: Iterable[Row], name: str) -> Iterator[str]:
    # Only who asks for it pays for it.
    import sqlite3  # noqa: PLC0415 - see above

    head = f"INSERT INTO {_quoted(name)} ({', '.join(map(_quoted, _distinct(columns)))})"
    with closing(sqlite3.connect(":memory:")) as scratch:
        for row in rows:
            yield f"{head} VALUES ({', '.join(_literal(value, scratch) for value in row)});\n"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: object, scratch: "Connection") -> str:
    """A value as SQL that gives the same value again, to the last bit."""
    if isinstance(value, float):
        text = repr(value).replace("inf", "9e999")
        (read_back,) = scratch.execute("SELECT CAST(? AS REAL)", (text,)).fetchone()
        # SQLite reads some decimals as a neighbour of the float that they were written from (measured).
        return text if read_back == value else _exact_float(value)
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    if isinstance(value, str):
        return _text_literal(value)
    return "NULL" if value is None else str(value)


def _text_literal(value: str) -> str:
    if "\0" in value:
        raise InvalidValueError("SQL cannot hold a text with a NUL character", "choose another --format, as json")
    return "'" + value.replace("'", "''") + "'"


_BITS_A_STEP: Final = 30


def _exact_float(value: float) -> str:
    """A float as whole numbers and powers of two, with which every step of the arithmetic is exact."""
    numerator, denominator = abs(value).as_integer_ratio()
    zeros = (numerator & -numerator).bit_length() - 1
    sign, whole = "-" if value < 0 else "", numerator >> zeros
    steps = [*_powers(" * ", zeros), *_powers(" / ", denominator.bit_length() - 1)]
    return f"({sign}{whole}.0{''.join(steps)})"


def _powers(operator: str, exponent: int) -> Iterator[str]:
    """Two to the power of `exponent`, as factors that any reader of decimals reads exactly."""
    for start in range(0, exponent, _BITS_A_STEP):
        yield f"{operator}{2 ** min(_BITS_A_STEP, exponent - start)}.0"


_Writer = Callable[[Sequence[str], Iterable[Row], str], Iterator[str]]
_WRITERS: Final[Mapping[Format, _Writer]] = {
    Format.JSON: _json,
    Format.CSV: _csv,
    Format.NDJSON: _ndjson,
    Format.MARKDOWN: _markdown,
    Format.HTML: _html,
    Format.SQL: _sql,
}
# Files for other programs; json and ndjson escape what stdout cannot show.
_IN_UTF8: Final = (Format.CSV, Format.MARKDOWN, Format.HTML, Format.SQL)
