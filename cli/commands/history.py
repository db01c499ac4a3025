"""`td history` and `td undo`: what was done to an issue, and taking it back."""

from typing import Annotated

import typer

from cli.documents import HISTORY_COLUMNS, history_document, issue_document, mutation_document
from cli.formats import FormatOption
from cli.invocation import Invocation, command
from cli.output import print_json, print_lines
from cli.render import change_line, history_lines
from cli.rows import emit_documents
from tracker import Change, Involvement, Issue, Mutation, NotFoundError, Tracker

app = typer.Typer()


@command(app, "history")
def history(
    call: Invocation,
    issue_id: Annotated[
        str, typer.Argument(help="The issue; the first characters of its id are enough.", metavar="ID")
    ],
    form: FormatOption = None,
) -> None:
    """Show what was done to an issue, by whom and when."""
    with call.reading() as tracker:
        _, entries = tracker.history(issue_id)
    documents = [history_document(entry) for entry in entries]
    emit_documents(call, form, documents, lambda: history_lines(entries), name="history", columns=HISTORY_COLUMNS)


@command(app, "undo")
def undo(
    call: Invocation,
    mutation: Annotated[
        str | None,
        typer.Argument(
            help="The mutation, as td history shows it. Default: the last one made here.", metavar="MUTATION"
        ),
    ] = None,
) -> None:
    """Take back the last change that stands, or one of the history."""
    with call.tracker() as tracker:
        undone = tracker.undo(mutation)
        made = undone.mutation
        if call.as_json:
            print_json(_undo_document(tracker, made))
        else:
            print_lines(
                change_line("undone", f"{change.table} {change.row_id}", pending=tracker.is_pending(made))
                for change in _told(made)
            )
    if undone.deleted:
        ids = " ".join(undone.deleted)
        call.say(f"{ids} is deleted now, its comments and history are kept; td restore {ids} brings it back")


def _told(made: Mutation) -> list[Change]:
    """What was taken back, issues first; what td notes by itself of who had to do with them goes with it, untold."""
    told = [change for change in made.changes if change.table != Involvement.replica_table] or list(made.changes)
    return sorted(told, key=lambda change: change.table != Issue.replica_table)


def _undo_document(tracker: Tracker, made: Mutation) -> dict[str, object]:
    row_id = _told(made)[0].row_id
    try:
        issue = tracker.get(row_id)
    except NotFoundError:
        # What was undone is about a comment.
        return {"action": "undone", "id": row_id, "status": None, "issue": None, "mutation": mutation_document(made)}
    document = issue_document(issue, pending=issue.id in tracker.pending_ids())
    return {
        "action": "undone",
        "id": issue.id,
        "status": issue.status.value,
        "issue": document,
        "mutation": mutation_document(made),
    }
