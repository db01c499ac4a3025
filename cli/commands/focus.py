"""`td focus`, `td unfocus`, `td resume`: what is meant where no issue is named, and how it stands."""

import typer

from cli.documents import issue_document
from cli.invocation import Invocation, command
from cli.options import IssueId
from cli.show import show_document, show_lines
from tracker import sessions, views

app = typer.Typer()


@command(app, "focus")
def focus(call: Invocation, issue_id: IssueId) -> None:
    """Mean this issue wherever none is named."""
    with call.tracker() as tracker:
        issue = tracker.get(issue_id)
        tracker.set_focus(issue.id)
        pending = issue.id in tracker.pending_ids()
    call.emit(
        lambda: {
            "action": "focused",
            "id": issue.id,
            "status": issue.status.value,
            "issue": issue_document(issue, pending=pending),
        },
        lambda: [f"FOCUSED {issue.id}"],
    )


@command(app, "unfocus")
def unfocus(call: Invocation) -> None:
    """Mean no issue where none is named."""
    with call.tracker() as tracker:
        before = tracker.desk.focus
        tracker.set_focus(None)
    call.emit(
        lambda: {"action": "unfocused" if before else "unchanged", "id": before},
        lambda: [f"UNFOCUSED {before}" if before else "UNCHANGED: nothing was in focus"],
    )


@command(app, "resume")
def resume(call: Invocation, issue_id: IssueId) -> None:
    """Focus on an issue, and show how it was left."""
    with call.reading() as tracker:
        issue = tracker.get(issue_id)
        tracker.set_focus(issue.id)
        view, pending, reader = views.whole(tracker, issue.id), issue.id in tracker.pending_ids(), tracker.reader
        names = sessions.names(tracker)
    call.emit(lambda: show_document(view, pending=pending), lambda: show_lines(view, reader, names, pending=pending))
