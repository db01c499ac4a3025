"""`td start`, `td close` and the like: bring issues from one status to another, all of those named or none."""

from typing import Annotated

import typer

from cli.changes import emit_change, emit_moved
from cli.errors import UsageError
from cli.focus import named_or_focused
from cli.invocation import Invocation, command
from cli.options import FocusedIds, IssueIds, Reason
from cli.repository import commit_of
from tracker import Moved, Tracker, moves, notices

app = typer.Typer()


@command(app, "start")
def start(
    call: Invocation,
    issue_ids: FocusedIds = None,
    reason: Reason = "",
    force: Annotated[
        bool, typer.Option("--force", help="Also what is blocked, or was started by somebody else.")
    ] = False,
    online: Annotated[
        bool, typer.Option("--online", help="Claim it on the primary first: nobody else can have it then.")
    ] = False,
) -> None:
    """Claim issues and begin to work on them."""
    place = call.place()
    with place.open() as tracker:
        ids = named_or_focused(tracker, issue_ids)
        commit = commit_of(place.directory)
        moved = moves.start(tracker, ids, is_forced=force, reason=reason, commit=commit, online=online)
        _focus_alone(tracker, moved)
        emit_moved(call, tracker, "started", moved, many=len(ids) > 1)
        _say(call, notices.of_start(tracker, moved))


def _say(call: Invocation, lines: list[str]) -> None:
    for line in lines:
        call.say(line)


def _focus_alone(tracker: Tracker, moved: Moved) -> None:
    """What is started alone is what one has before oneself."""
    if len(moved.issues) == 1:
        tracker.set_focus(moved.issues[0].id)


@command(app, "unstart")
def unstart(
    call: Invocation,
    issue_ids: FocusedIds = None,
    reason: Reason = "",
    session: Annotated[
        str | None, typer.Option("--session", help="All that this session has started.", metavar="SESSION")
    ] = None,
    stale: Annotated[
        str | None,
        typer.Option("--stale", help="All that was started and not touched for so long, as 8h or 2d.", metavar="TIME"),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="With --session or --stale: do it, instead of only showing it.")
    ] = False,
) -> None:
    """Put issues back that were started, so that nobody has them."""
    with call.tracker() as tracker:
        if issue_ids and (session is not None or stale is not None):
            raise UsageError("--session and --stale go without ids", "name the issues, or say which with the options")
        if session is None and stale is None:
            ids = named_or_focused(tracker, issue_ids)
            before = [tracker.get(typed) for typed in ids]
            moved = moves.unstart(tracker, ids, reason=reason)
            emit_moved(call, tracker, "unstarted", moved, many=len(ids) > 1)
            _say(call, notices.of_release(tracker, before, moved))
            return
        found = moves.claimed(tracker, session=session, stale=stale)
        if not force or not found:
            emit_change(call, tracker, "would be unstarted", found, many=True)
            call.say("nothing is claimed so" if not found else "nothing was changed; do it with --force")
            return
        emit_moved(
            call, tracker, "unstarted", moves.unstart(tracker, [one.id for one in found], reason=reason), many=True
        )


@command(app, "block")
def block(call: Invocation, issue_ids: FocusedIds = None, reason: Reason = "") -> None:
    """Say that issues cannot go on."""
    with call.tracker() as tracker:
        ids = named_or_focused(tracker, issue_ids)
        emit_moved(call, tracker, "blocked", moves.block(tracker, ids, reason=reason), many=len(ids) > 1)


@command(app, "unblock")
def unblock(call: Invocation, issue_ids: FocusedIds = None, reason: Reason = "") -> None:
    """Say that issues can go on."""
    with call.tracker() as tracker:
        ids = named_or_focused(tracker, issue_ids)
        emit_moved(call, tracker, "unblocked", moves.unblock(tracker, ids, reason=reason), many=len(ids) > 1)


@command(app, "close")
def close(
    call: Invocation,
    issue_ids: FocusedIds = None,
    reason: Reason = "",
    exception: Annotated[
        str,
        typer.Option(
            "--self-close-exception",
            help="Close your own work without a review, and say why.",
            metavar="TEXT",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Close issues."""
    with call.tracker() as tracker:
        ids = named_or_focused(tracker, issue_ids)
        moved = moves.close(tracker, ids, reason=reason, exception=exception)
        emit_moved(call, tracker, "closed", moved, many=len(ids) > 1)
        _say(call, notices.of_end(tracker, [issue for issue in moved.issues if issue.id in moved.changed]))


@command(app, "reopen")
def reopen(call: Invocation, issue_ids: IssueIds, reason: Reason = "") -> None:
    """Reopen closed issues."""
    with call.tracker() as tracker:
        emit_moved(call, tracker, "reopened", moves.reopen(tracker, issue_ids, reason=reason), many=len(issue_ids) > 1)


@command(app, "delete")
def delete(call: Invocation, issue_ids: IssueIds) -> None:
    """Delete issues; td restore brings them back."""
    with call.tracker() as tracker:
        before = {issue.id for issue in map(tracker.get, issue_ids) if issue.deleted_at is not None}
        deleted = tracker.delete(issue_ids)
        emit_change(call, tracker, "deleted", deleted, many=len(issue_ids) > 1, unchanged=before)
        _say(call, notices.of_end(tracker, [issue for issue in deleted if issue.id not in before]))


@command(app, "restore")
def restore(call: Invocation, issue_ids: IssueIds) -> None:
    """Bring deleted issues back."""
    with call.tracker() as tracker:
        there = {issue.id for issue in map(tracker.get, issue_ids) if issue.deleted_at is None}
        restored = tracker.restore(issue_ids)
        emit_change(call, tracker, "restored", restored, many=len(issue_ids) > 1, unchanged=there)
