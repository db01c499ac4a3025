"""The answer to a query, as a table and as JSON.

Always true: every column is kept, also where two have one name, and NULL is told from an empty text.
"""

from collections.abc import Sequence

from cli.output import json_value
from cli.text import aligned, printable, wants_colour
from tracker import Rows


def table_lines(rows: Rows) -> list[str]:
    """A table: the names of the columns, a rule, the rows; a box on a terminal."""
    if wants_colour():
        return _box(rows)
    names = [printable(name) for name in rows.columns]
    cells = [[_cell(value) for value in row] for row in rows.rows]
    head, *body = aligned([names, *cells])
    rule = aligned([["-" * len(cell) for cell in _widest(names, cells)]])
    return [head, *rule, *body]


def row_documents(rows: Rows) -> list[dict[str, object]]:
    """A JSON object for each row; a name that comes again gets a number."""
    names: list[str] = []
    for name in rows.columns:
        count = sum(1 for taken in rows.columns[: len(names)] if taken == name)
        names.append(name if not count else f"{name}:{count + 1}")
    return [{name: json_value(value) for name, value in zip(names, row, strict=True)} for row in rows.rows]


def _widest(names: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    return [max(column, key=len) for column in zip(names, *cells, strict=True)]


def _cell(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return printable(str(value))


def _box(rows: Rows) -> list[str]:
    # Only a terminal pays for it.
    from rich.console import Console  # noqa: PLC0415 - see above
    from rich.table import Table  # noqa: PLC0415 - see above
    from rich.text import Text  # noqa: PLC0415 - see above

    table = Table()
    for name in rows.columns:
        table.add_column(Text(printable(name)))
    for row in rows.rows:
        table.add_row(*(Text(_cell(value), style="dim" if value is None else "") for value in row))
    console = Console()
    with console.capture() as captured:
        console.print(table)
    return captured.get().splitlines()
