"""`td update`: change the fields of an issue."""

from typing import Annotated

import typer

from cli.changes import emit_change
from cli.invocation import Invocation, command
from tracker import IssueEdit, moment_text, parse_label_changes, parse_moment, parse_priority, parse_status, parse_type

app = typer.Typer()


@command(app, "update")
def update(
    call: Invocation,
    issue_id: Annotated[
        str, typer.Argument(help="The issue; the first characters of its id are enough.", metavar="ID")
    ],
    *,
    title: Annotated[str | None, typer.Option("--title", help="A new title.", metavar="TEXT")] = None,
    description: Annotated[
        str | None, typer.Option("--description", "-d", help="A new description.", metavar="TEXT")
    ] = None,
    type_name: Annotated[
        str | None, typer.Option("--type", "-t", help="bug, feature, task, epic or chore.", metavar="TYPE")
    ] = None,
    priority: Annotated[
        str | None, typer.Option("--priority", "-p", help="P0, the most urgent, to P4.", metavar="P0..P4")
    ] = None,
    status: Annotated[
        str | None,
        typer.Option("--status", "-s", help="open, in_progress, blocked, in_review or closed.", metavar="STATUS"),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            "--label", "-l", help="+x to add, -x to remove a label; may be given several times.", metavar="+X/-X"
        ),
    ] = None,
    if_updated_at: Annotated[
        str | None,
        typer.Option("--if-updated-at", help="Only if the issue has not changed since this moment.", metavar="STAMP"),
    ] = None,
) -> None:
    """Change fields of an issue."""
    added, removed = parse_label_changes(label or ())
    edit = IssueEdit(
        title=title,
        description=description,
        type=None if type_name is None else parse_type(type_name),
        priority=None if priority is None else parse_priority(priority),
        status=None if status is None else parse_status(status),
        add_labels=added,
        remove_labels=removed,
    )
    seen = None if if_updated_at is None else moment_text(parse_moment("--if-updated-at", if_updated_at))
    with call.tracker() as tracker:
        before = tracker.get(issue_id)
        issue = tracker.update(issue_id, edit, if_updated_at=seen)
        is_changed = issue.updated_at != before.updated_at
        emit_change(call, tracker, "updated" if is_changed else "unchanged", [issue], many=False)
