"""The lists that are asked for most: `td ready`, `next`, `blocked`, `in-review`, `reviewable`, `deleted`."""

from collections.abc import Sequence
from typing import Annotated, Final

import typer

from cli.documents import issue_document
from cli.formats import FormatOption
from cli.invocation import Invocation, command
from cli.options import Limit
from cli.render import issue_line, issue_lines
from cli.rows import emit_rows
from tracker import Issue, filtered, reviews

app = typer.Typer()

READY: Final = "is_ready() AND type != epic"


@command(app, "ready")
def ready(call: Invocation, limit: Limit = None, form: FormatOption = None) -> None:
    """List what can begin now: it is not put off, and waits for nothing."""
    _list(call, READY, limit, form, "nothing is ready")


@command(app, "next")
def next_(call: Invocation) -> None:
    """Show the one issue to take next."""
    with call.reading() as tracker:
        found, pending = tracker.find(filtered(READY, limit=1)), tracker.pending_ids()
    issue = found[0] if found else None
    call.emit(
        lambda: {"issue": None if issue is None else issue_document(issue, pending=issue.id in pending)},
        lambda: [] if issue is None else [issue_line(issue)],
    )
    call.say("nothing is ready" if issue is None else f"td start {issue.id} claims it")


@command(app, "blocked")
def blocked(call: Invocation, limit: Limit = None, form: FormatOption = None) -> None:
    """List what is blocked, or waits for what is not closed."""
    _list(call, "status = blocked OR (status = open AND has_open_deps())", limit, form, "nothing is blocked")


@command(app, "in-review")
def in_review(call: Invocation, limit: Limit = None, form: FormatOption = None) -> None:
    """List what waits for a review."""
    _list(call, "status = in_review", limit, form, "nothing is in review")


@command(app, "reviewable")
def reviewable(
    call: Invocation,
    *,
    include_approved: Annotated[
        bool, typer.Option("--include-approved", help="Also what is approved and only waits to be closed.")
    ] = False,
    form: FormatOption = None,
) -> None:
    """List what this session may approve."""
    with call.reading() as tracker:
        found, pending = reviews.reviewable(tracker, with_approved=include_approved), tracker.pending_ids()
    _emit(call, found, pending, form, "there is nothing that you may approve")


@command(app, "deleted")
def deleted(call: Invocation, limit: Limit = None, form: FormatOption = None) -> None:
    """List what was deleted; td restore brings it back."""
    _list(call, "deleted > 1970-01-01 sort:-deleted", limit, form, "nothing is deleted")


def _list(call: Invocation, text: str, limit: int | None, form: FormatOption, nothing: str) -> None:
    with call.reading() as tracker:
        found, pending = tracker.find(filtered(text, limit=limit)), tracker.pending_ids()
    _emit(call, found, pending, form, nothing)


def _emit(call: Invocation, found: Sequence[Issue], pending: set[str], form: FormatOption, nothing: str) -> None:
    emit_rows(call, form, Issue, [(issue, {}) for issue in found], pending, lambda: issue_lines(found, pending))
    if not found:
        call.say(nothing)
