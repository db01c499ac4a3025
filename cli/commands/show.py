"""`td show`: one issue with its comments and conflicts."""

from typing import Annotated

import typer

from cli.documents import conflict_document, issue_document, record_document
from cli.invocation import Invocation, command
from cli.render import view_lines

app = typer.Typer()


@command(app, "show")
def show(
    call: Invocation,
    issue_id: Annotated[
        str, typer.Argument(help="The issue; the first characters of its id are enough.", metavar="ID")
    ],
) -> None:
    """Show an issue with its comments and open conflicts."""
    with call.reading() as tracker:
        view = tracker.show(issue_id)
        is_pending, reader = view.issue.id in tracker.pending_ids(), tracker.reader
    call.emit(
        lambda: {
            **issue_document(view.issue, pending=is_pending),
            "comments": [record_document(comment) for comment in view.comments],
            "conflicts": [conflict_document(conflict) for conflict in view.conflicts],
        },
        lambda: view_lines(view, reader, pending=is_pending),
    )
