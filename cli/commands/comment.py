"""`td comment` and `td comments`: say something about an issue, and read what was said."""

from typing import Annotated

import typer

from cli.documents import issue_document, record_document
from cli.formats import FormatOption
from cli.invocation import Invocation, command
from cli.options import IssueId
from cli.render import change_line
from cli.rows import emit_documents
from cli.talk import comment_lines
from cli.typed_text import read_typed
from tracker import talk

app = typer.Typer()

_COLUMNS = ("id", "issue_id", "text", "session", "created_at", "updated_at")


@command(app, "comment")
def comment(
    call: Invocation,
    issue_id: IssueId,
    text: Annotated[str, typer.Argument(help="What to say; - reads it from stdin.", metavar="TEXT")],
) -> None:
    """Say something about an issue."""
    told = read_typed("text", text)
    with call.tracker() as tracker:
        said = tracker.comment(issue_id, told)
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


@command(app, "comments")
def comments(call: Invocation, issue_id: IssueId, form: FormatOption = None) -> None:
    """List what was said about an issue, oldest first."""
    with call.reading() as tracker:
        found = talk.comments(tracker, tracker.get(issue_id).id)
    documents = [record_document(one) for one in found]
    emit_documents(call, form, documents, lambda: comment_lines(found), name="comments", columns=_COLUMNS)
    if not found:
        call.say("nothing was said")
