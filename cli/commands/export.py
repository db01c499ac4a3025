"""`td export`: everything in the tracker as one file."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.config import write_private_pieces
from cli.errors import InterruptedByPersonError, UsageError
from cli.invocation import Invocation, command
from cli.output import print_json, print_lines, print_pieces, use_utf8
from tracker import transfer

app = typer.Typer()

_STDOUT: Final = Path("-")


class ExportFormat(StrEnum):
    """What the file is written in."""

    JSON = "json"
    SQL = "sql"
    MD = "md"


_WRITERS: Final[dict[ExportFormat, Callable[[transfer.Dump], Iterator[str]]]] = {
    ExportFormat.JSON: transfer.write_json,
    ExportFormat.SQL: transfer.write_sql,
    ExportFormat.MD: transfer.write_markdown,
}


@command(app, "export")
def export(
    call: Invocation,
    *,
    format_: Annotated[
        ExportFormat | None,
        typer.Option("--format", "-f", help="json, sql (for sqlite3), or md (to read). Default: json."),
    ] = None,
    with_deleted: Annotated[bool, typer.Option("--all", help="What is deleted too.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file to write, in place of one that is there.", metavar="FILE"),
    ] = None,
) -> None:
    """Write all issues, with all that belongs to them, to a file.

    json and sql hold everything, and td import takes them; md is to be read.
    """
    if call.as_json and format_ not in (None, ExportFormat.JSON) and output in (None, _STDOUT):
        raise UsageError(f"--json and --format {format_} are two formats", "leave out one of them")
    chosen = format_ or ExportFormat.JSON
    with call.reading() as tracker:
        pieces = _WRITERS[chosen](transfer.Dump(tracker, with_deleted=with_deleted))
        if output is None or output == _STDOUT:
            use_utf8()
            print_pieces(pieces)
            return
        try:
            write_private_pieces(output, pieces)
        except KeyboardInterrupt:
            raise InterruptedByPersonError(f"{output} is as it was") from None
    if call.as_json:
        print_json({"action": "exported", "file": str(output), "format": chosen.value, "all": with_deleted})
    else:
        print_lines([f"EXPORTED to {output}"])
