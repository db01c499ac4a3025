"""`td show`: issues with all that there is about them."""

from typing import Annotated

import typer

from cli.documents import issue_document
from cli.focus import named_or_focused
from cli.invocation import Invocation, command
from cli.options import FocusedIds
from cli.output import print_json, print_lines
from cli.render import issue_lines
from cli.show import show_document, show_lines
from tracker import NearIssues, sessions, views

app = typer.Typer()


@command(app, "show")
def show(
    call: Invocation,
    issue_ids: FocusedIds = None,
    *,
    short: Annotated[bool, typer.Option("--short", help="A line for each.")] = False,
    children: Annotated[bool, typer.Option("--children", help="A line for each of their parts, too.")] = False,
) -> None:
    """Show issues with all that there is about them."""
    with call.reading() as tracker:
        ids = named_or_focused(tracker, issue_ids)
        pending, reader = tracker.pending_ids(), tracker.reader
        if short or children:
            around = NearIssues(tracker)
            issues = [tracker.get(typed) for typed in ids]
            if children:
                issues = [one for issue in issues for one in (issue, *around.descendants(issue))]
            call.emit(
                lambda: [issue_document(issue, pending=issue.id in pending) for issue in issues],
                lambda: issue_lines(issues, pending),
            )
            return
        found = [views.whole(tracker, typed) for typed in ids]
        names = sessions.names(tracker)
    if call.as_json:
        documents = [show_document(view, pending=view.issue.id in pending) for view in found]
        print_json(documents if len(ids) > 1 else documents[0])
        return
    lines: list[str] = []
    for view in found:
        lines += [*([""] if lines else []), *show_lines(view, reader, names, pending=view.issue.id in pending)]
    print_lines(lines)
