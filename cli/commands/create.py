"""`td create`: write a new issue."""

from typing import Annotated

import typer

from cli.changes import emit_change
from cli.invocation import Invocation, command
from tracker import parse_labels, parse_priority, parse_type

app = typer.Typer()


@command(app, "create")
def create(
    call: Invocation,
    title: Annotated[str, typer.Argument(help="What is to be done, in a few words.", metavar="TITLE")],
    type_name: Annotated[
        str, typer.Option("--type", "-t", help="bug, feature, task, epic or chore.", metavar="TYPE")
    ] = "task",
    priority: Annotated[
        str, typer.Option("--priority", "-p", help="P0, the most urgent, to P4.", metavar="P0..P4")
    ] = "P2",
    description: Annotated[str, typer.Option("--description", "-d", help="The details.", metavar="TEXT")] = "",
    label: Annotated[
        list[str] | None, typer.Option("--label", "-l", help="A label; may be given several times.", metavar="LABEL")
    ] = None,
) -> None:
    """Write a new issue."""
    wanted_type, wanted_priority = parse_type(type_name), parse_priority(priority)
    labels = parse_labels(label or ())
    with call.tracker() as tracker:
        issue = tracker.create(
            title, type=wanted_type, priority=wanted_priority, description=description, labels=labels
        )
        emit_change(call, tracker, "created", [issue], many=False)
