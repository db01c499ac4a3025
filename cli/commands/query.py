"""`td query`: SQL that reads."""

from typing import Annotated

import typer

from cli.formats import FormatOption, chosen_format, print_rows
from cli.invocation import Invocation, command

app = typer.Typer()


@command(app, "query")
def query(
    call: Invocation,
    sql: Annotated[
        str,
        typer.Argument(help="One SELECT; the tables are issues and comments, what is pending included.", metavar="SQL"),
    ],
    *,
    form: FormatOption = None,
) -> None:
    """Run SQL that reads."""
    chosen = chosen_format(form, as_json=call.as_json)
    with call.reading() as tracker:
        rows = tracker.replica.query(sql)
    print_rows(rows.columns, rows.rows, chosen, name="query")
