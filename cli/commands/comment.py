"""`td comment`: say something about an issue."""

from typing import Annotated

import typer

from cli.documents import issue_document, record_document
from cli.invocation import Invocation, command
from cli.render import change_line

app = typer.Typer()


@command(app, "comment")
def comment(
    call: Invocation,
    issue_id: Annotated[
        str, typer.Argument(help="The issue; the first characters of its id are enough.", metavar="ID")
    ],
    text: Annotated[str, typer.Argument(help="What to say.", metavar="TEXT")],
) -> None:
    """Say something about an issue."""
    with call.tracker() as tracker:
        said = tracker.comment(issue_id, text)
        issue = tracker.get(said.issue_id)
        is_pending = said.id in tracker.replica.pending_rows("comments")
        issue_pending = issue.id in tracker.pending_ids()
    call.emit(
        lambda: {
            "action": "commented",
            "id": issue.id,
            "status": issue.status.value,
            "issue": issue_document(issue, pending=issue_pending),
            "comment": record_document(said),
        },
        lambda: [change_line("commented", issue.id, pending=is_pending)],
    )
