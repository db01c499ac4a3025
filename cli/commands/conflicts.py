"""`td conflicts`: changes that wait for a decision."""

from typing import Annotated

import typer

from cli.documents import CONFLICT_COLUMNS, conflict_document
from cli.formats import FormatOption
from cli.invocation import Invocation, command, default_command
from cli.render import conflict_lines
from cli.rows import emit_documents
from tracker import decisions, sessions

app = typer.Typer(name="conflicts", help="See changes that wait for a decision.")


@default_command(app)
def conflicts(call: Invocation, *, form: FormatOption = None) -> None:
    """List the changes that wait for a decision."""
    list_conflicts(call, form)


@command(app, "list")
def list_conflicts(call: Invocation, form: FormatOption = None) -> None:
    """List the changes that wait for a decision, oldest first.

    Below the fields in conflict stand those that come in whichever side is taken.
    """
    with call.reading() as tracker:
        found = tracker.replica.conflicts()
        reader, names = tracker.reader, sessions.names(tracker)
    documents = [conflict_document(conflict) for conflict in found]
    emit_documents(
        call,
        form,
        documents,
        lambda: [line for conflict in found for line in conflict_lines(conflict, reader, names=names)],
        name="conflicts",
        columns=CONFLICT_COLUMNS,
    )
    if not found:
        call.say("no conflicts")


@command(app, "show")
def show(
    call: Invocation,
    conflict: Annotated[str, typer.Argument(help="The conflict, or the issue it is about.", metavar="C")],
) -> None:
    """Show one conflict."""
    with call.tracker() as tracker:
        found = decisions.find(tracker, conflict)
        reader, is_open, names = tracker.reader, decisions.is_open(tracker, found), sessions.names(tracker)
    call.emit(lambda: conflict_document(found), lambda: conflict_lines(found, reader, is_open=is_open, names=names))
