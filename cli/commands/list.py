"""`td list`: the issues, the most urgent first."""

from typing import Annotated

import typer

from cli.documents import issue_document
from cli.invocation import Invocation, command
from cli.render import issue_lines
from tracker import IssueFilter, parse_labels, parse_status

app = typer.Typer()


@command(app, "list")
def list_issues(
    call: Invocation,
    status: Annotated[
        list[str] | None,
        typer.Option("--status", "-s", help="Only those of this status; may be given several times.", metavar="STATUS"),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", "-l", help="Only those with this label; several: with all of them.", metavar="LABEL"),
    ] = None,
    with_closed: Annotated[bool, typer.Option("--all", help="The closed ones too.")] = False,
    with_deleted: Annotated[bool, typer.Option("--deleted", help="The deleted ones too.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="At most so many.", metavar="N")] = None,
) -> None:
    """List the open issues, the most urgent first."""
    wanted = IssueFilter(
        statuses=tuple(parse_status(name) for typed in status or () for name in typed.split(",")),
        labels=parse_labels(label or ()),
        with_closed=with_closed,
        with_deleted=with_deleted,
        limit=limit,
    )
    with call.reading() as tracker:
        issues, pending = tracker.find(wanted), tracker.pending_ids()
    call.emit(
        lambda: [issue_document(issue, pending=issue.id in pending) for issue in issues],
        lambda: issue_lines(issues, pending),
    )
    if not issues:
        call.say("no issues" if wanted == IssueFilter() else "no such issues")
