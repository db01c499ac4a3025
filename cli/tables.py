"""Rows as a table for a person.

Always true: every column is kept, also where two have one name, and NULL is told from an empty text; values are cut
only on a terminal, to what fits it.
"""

import os
import sys
from collections.abc import Sequence

from cli.text import aligned, printable


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """A table: the names of the columns, a rule, the rows; a box on a terminal."""
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        return _box(columns, rows)
    names = [printable(name) for name in columns]
    cells = [[cell(value) for value in row] for row in rows]
    head, *body = aligned([names, *cells])
    rule = aligned([["-" * len(text) for text in _widest(names, cells)]])
    return [head, *rule, *body]


def cell(value: object) -> str:
    """A stored value as a person reads it, in one line."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return printable(str(value))


def _widest(names: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    return [max(column, key=len) for column in zip(names, *cells, strict=True)]


def _box(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    # Only a terminal pays for it.
    from rich.console import Console  # noqa: PLC0415 - see above
    from rich.table import Table  # noqa: PLC0415 - see above
    from rich.text import Text  # noqa: PLC0415 - see above

    table = Table()
    for name in columns:
        table.add_column(Text(printable(name)), no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*(Text(cell(value), style="dim" if value is None else "") for value in row))
    console = Console()
    with console.capture() as captured:
        console.print(table)
    return captured.get().splitlines()
