"""`td review`, `td approve`, `td reject`: let somebody else look before an issue is closed."""

from typing import Annotated, Final

import typer

from cli.changes import emit_moved
from cli.errors import UsageError
from cli.focus import named_or_focused
from cli.invocation import Invocation, command
from cli.options import FocusedIds, IssueIds, Reason
from tracker import Approval, Tracker, notices, reviews

app = typer.Typer()

_DECISIONS: Final = ("approved", "changes_requested")


@command(app, "review")
def review(
    call: Invocation,
    issue_ids: FocusedIds = None,
    reason: Reason = "",
    minor: Annotated[bool, typer.Option("--minor", help="Mark them as too small to need somebody else.")] = False,
) -> None:
    """Ask for a review of issues, their open parts included."""
    with call.tracker() as tracker:
        ids = named_or_focused(tracker, issue_ids)
        moved = reviews.request(tracker, ids, reason=reason, is_minor=minor)
        if tracker.desk.focus in moved.changed:
            tracker.set_focus(None)
        emit_moved(call, tracker, "review requested", moved, many=len(ids) > 1)


@command(app, "approve")
def approve(
    call: Invocation,
    issue_ids: Annotated[
        list[str] | None,
        typer.Argument(
            help="The issues. Default: the only one you may approve.", metavar="[ID...]", show_default=False
        ),
    ] = None,
    *,
    reason: Reason = "",
    all_of_them: Annotated[bool, typer.Option("--all", help="All that you may approve.")] = False,
    record_only: Annotated[
        bool, typer.Option("--record-only", help="Write the approval down and close nothing; say why with -m.")
    ] = False,
    self_review: Annotated[
        bool, typer.Option("--self-review", help="You worked on it and nobody else looked; say why with -m.")
    ] = False,
    reviewed_by: Annotated[
        str, typer.Option("--reviewed-by", help="Who looked at it, where it was not you.", metavar="WHO")
    ] = "",
    decision: Annotated[
        str,
        typer.Option("--decision", help="approved, or changes_requested: the same as td reject.", metavar="DECISION"),
    ] = "approved",
) -> None:
    """Approve issues in review, and close them."""
    if decision not in _DECISIONS:
        raise UsageError(f"there is no decision {decision[:40]!a}", "use approved or changes_requested")
    with call.tracker() as tracker:
        how = Approval(reason, reviewed_by, is_self_review=self_review)
        ids = _to_approve(tracker, issue_ids, how, all_of_them=all_of_them)
        if decision == "changes_requested":
            moved = reviews.reject(tracker, ids, reason=reason)
            emit_moved(call, tracker, "rejected", moved, many=all_of_them or len(ids) > 1)
            return
        moved = reviews.approve(
            tracker,
            ids,
            reason=reason,
            reviewed_by=reviewed_by,
            is_self_review=self_review,
            record_only=record_only,
        )
        action = "review recorded" if record_only else "approved"
        emit_moved(call, tracker, action, moved, many=all_of_them or len(ids) > 1)
        if not ids:
            call.say("nothing waits that you may approve")
        if not record_only:
            for line in notices.of_end(tracker, moved.issues):
                call.say(line)


def _to_approve(tracker: Tracker, typed: list[str] | None, how: Approval, *, all_of_them: bool) -> list[str]:
    if typed and all_of_them:
        raise UsageError("--all goes without ids", "name the issues, or all of them")
    if typed:
        return typed
    found = [issue.id for issue in reviews.reviewable(tracker, how, with_approved=True)]
    if all_of_them or len(found) == 1:
        return found
    if not found:
        raise UsageError("there is nothing that you may approve", "td in-review lists what waits, and for whom")
    raise UsageError(f"{len(found)} issues could be meant: {', '.join(found[:5])}", "name one, or use --all")


@command(app, "reject")
def reject(call: Invocation, issue_ids: IssueIds, reason: Reason = "") -> None:
    """Send issues in review back to work."""
    with call.tracker() as tracker:
        moved = reviews.reject(tracker, issue_ids, reason=reason)
        emit_moved(call, tracker, "rejected", moved, many=len(issue_ids) > 1)
