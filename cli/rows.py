"""How rows come out, of whatever table: listed in any form, and told when they are changed.

Always true: what is told of a row beside its columns stands after them, and is left out of SQL, which the table of that
name must take.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from cli.documents import Document, record_document
from cli.formats import Format, chosen_format, print_rows
from cli.invocation import Invocation
from cli.output import print_json, print_lines
from cli.render import change_line
from tracker import Record

Extras = Mapping[str, bool | int | str | None]
"""What is told of a row beside its columns, by name; the same names for each row of a list."""


def row_document(record: Record, *, pending: bool, extras: Extras | None = None) -> Document:
    """A row: its columns, what is told beside them, and whether it has changes that are not on the primary."""
    return {**record_document(record), **(extras or {}), "pending": pending}


def emit_rows(
    call: Invocation,
    form: Format | None,
    record: type[Record],
    rows: Sequence[tuple[Record, Extras]],
    pending: AbstractSet[str],
    lines: Callable[[], Sequence[str]],
) -> None:
    """Print rows in the form that is asked for; `lines`: as a person reads them where no form is named.

    Raises:
        UsageError: `--json` and `--format` contradict each other.
    """
    chosen = chosen_format(form, as_json=call.as_json)
    if chosen is Format.JSON:
        print_json([row_document(row, pending=row.id in pending, extras=extras) for row, extras in rows])
    elif form is None:
        print_lines(lines())
    else:
        print_stored(record, rows, chosen)


def emit_documents(
    call: Invocation,
    form: Format | None,
    documents: Sequence[Mapping[str, object]],
    lines: Callable[[], Sequence[str]],
    *,
    name: str,
    columns: Sequence[str],
) -> None:
    """Print rows that are no records, or that hold more than one.

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


def print_stored(record: type[Record], rows: Sequence[tuple[Record, Extras]], form: Format) -> None:
    """Print rows as they are stored, with what is told beside their columns."""
    names = ["id", *(column.name for column in record.replica_columns), "updated_at"]
    beside = list(rows[0][1]) if rows and form is not Format.SQL else []
    values = ([*_stored(row), *(_plain(extras[name]) for name in beside)] for row, extras in rows)
    print_rows([*names, *beside], values, form, name=record.replica_table)


def _flat(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _stored(row: Record) -> Iterable[object]:
    return (row.id, *row.to_row().values(), row.updated_at)


def _plain(value: bool | int | str | None) -> object:
    return int(value) if isinstance(value, bool) else value


def emit_row_changes(
    call: Invocation,
    kind: str,
    rows: Sequence[tuple[str, Record]],
    pending: AbstractSet[str],
    *,
    many: bool = False,
) -> None:
    """Print what was done to rows. kind: what they are called. many: as a list, though it may have one member."""
    if call.as_json:
        documents = [
            {"action": action, "id": row.id, kind: row_document(row, pending=row.id in pending)} for action, row in rows
        ]
        print_json(documents if many else documents[0])
    else:
        print_lines(change_line(action, row.id, pending=row.id in pending) for action, row in rows)
