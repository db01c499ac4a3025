"""`td conflicts`: changes that wait for a decision."""

from typing import Annotated

import typer

from cli.documents import conflict_document
from cli.invocation import Invocation, command, default_command
from cli.render import conflict_lines

app = typer.Typer(name="conflicts", help="See changes that wait for a decision.")


@default_command(app)
def conflicts(call: Invocation) -> None:
    """List the changes that wait for a decision."""
    list_conflicts(call)


@command(app, "list")
def list_conflicts(call: Invocation) -> None:
    """List the changes that wait for a decision, oldest first."""
    with call.tracker() as tracker:
        found = tracker.replica.conflicts()
    call.emit(
        lambda: [conflict_document(conflict) for conflict in found],
        lambda: [line for conflict in found for line in conflict_lines(conflict)],
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
        found = tracker.find_conflict(conflict)
    call.emit(lambda: conflict_document(found), lambda: conflict_lines(found))
