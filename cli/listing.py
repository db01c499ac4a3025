"""Rows as a command's result: lines for people, or any of the forms of `cli.formats`.

Always true: the same rows come out in every form, in the same order; an empty list is `[]` and has its columns all the
same.
"""

import json
from collections.abc import Callable, Mapping, Sequence

from cli.formats import Format, chosen_format, print_rows
from cli.invocation import Invocation
from cli.output import print_json, print_lines


def emit_rows(
    call: Invocation,
    form: Format | None,
    documents: Sequence[Mapping[str, object]],
    lines: Callable[[], Sequence[str]],
    *,
    name: str,
    columns: Sequence[str],
) -> None:
    """Print rows.

    Args:
        call: how td was called.
        form: as `--format` asks; None: JSON with `--json`, else lines.
        documents: the rows as JSON objects.
        lines: the rows for a person.
        name: what the rows are called where they become SQL.
        columns: the names that the rows have; what is no column of a flat form (a list) is JSON in it.
    """
    chosen = chosen_format(form, as_json=call.as_json)
    if form is None and chosen is Format.TABLE:
        print_lines(lines())
    elif chosen is Format.JSON:
        print_json(list(documents))
    else:
        rows = ([_flat(document.get(column)) for column in columns] for document in documents)
        print_rows(columns, rows, chosen, name=name)


def _flat(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
