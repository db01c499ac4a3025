"""`td query`: SQL that reads."""

from typing import Annotated

import typer

from cli.invocation import Invocation, command
from cli.tables import row_documents, table_lines

app = typer.Typer()


@command(app, "query")
def query(
    call: Invocation,
    sql: Annotated[
        str,
        typer.Argument(help="One SELECT; the tables are issues and comments, what is pending included.", metavar="SQL"),
    ],
) -> None:
    """Run SQL that reads."""
    with call.reading() as tracker:
        rows = tracker.replica.query(sql)
    call.emit(lambda: row_documents(rows), lambda: table_lines(rows))
