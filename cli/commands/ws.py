"""`td ws`: work on several issues in one stretch, and hand all of them off at its end."""

from typing import Annotated

import typer

from cli.changes import emit_moved
from cli.commands.handoff import Decided, Remaining, Told, Uncertain, account_of
from cli.documents import record_document
from cli.formats import FormatOption
from cli.invocation import Invocation, command, shared_options
from cli.options import IssueIds
from cli.render import issue_line
from cli.repository import commit_of
from cli.rows import emit_documents
from cli.text import BOLD, aligned, paint, printable, short_moment
from tracker import Handoff, Issue, Stretch, WorkSession, moment_text, parse_log_type, reviews, talk, work_sessions

app = typer.Typer(name="ws", help="Work on several issues in one stretch.")

shared_options(app)

_COLUMNS = ("id", "name", "session", "branch", "start_sha", "end_sha", "started_at", "ended_at", "updated_at")


@command(app, "start")
def start(call: Invocation, name: Annotated[str, typer.Argument(help="What it is about.", metavar="NAME")]) -> None:
    """Begin a stretch of work."""
    place = call.place()
    with place.open() as tracker:
        work = work_sessions.begin(tracker, name, commit=commit_of(place.directory))
    call.emit(lambda: _document("work session started", work), lambda: [f"WORK SESSION STARTED {work.id}"])


@command(app, "tag")
def tag(
    call: Invocation,
    issue_ids: IssueIds,
    *,
    no_start: Annotated[bool, typer.Option("--no-start", help="Do not start those that are open.")] = False,
) -> None:
    """Take issues into the stretch, and start those that are open."""
    with call.tracker() as tracker:
        moved = work_sessions.tag(tracker, issue_ids, is_started=not no_start)
        emit_moved(call, tracker, "tagged", moved, many=True)


@command(app, "untag")
def untag(call: Invocation, issue_ids: IssueIds) -> None:
    """Take issues out of the stretch again."""
    with call.tracker() as tracker:
        emit_moved(call, tracker, "untagged", work_sessions.untag(tracker, issue_ids), many=True)


@command(app, "log")
def log(
    call: Invocation,
    message: Annotated[str, typer.Argument(help="What happened.", metavar="MESSAGE")],
    *,
    only: Annotated[str | None, typer.Option("--only", help="About this issue alone.", metavar="ID")] = None,
    type_name: Annotated[str, typer.Option("--type", "-t", help="As for td log.", metavar="TYPE")] = "progress",
) -> None:
    """Log a step of all the issues of the stretch, or of one."""
    kind = parse_log_type(type_name)
    with call.tracker() as tracker:
        work = work_sessions.required(tracker)
        made = talk.log(tracker, only, message, kind=kind, work=work.id)
    call.emit(
        lambda: {"action": "logged", "id": made.issue_id or work.id, "log": record_document(made)},
        lambda: [f"LOGGED {made.issue_id or work.id} ({made.type.value})"],
    )


@command(app, "current")
def current(call: Invocation) -> None:
    """Show the stretch that goes on."""
    with call.reading() as tracker:
        work = work_sessions.required(tracker)
        found = work_sessions.find(tracker, work.id)
    _show(call, found)


@command(app, "show")
def show(
    call: Invocation, work_id: Annotated[str, typer.Argument(help="The first characters of its id.", metavar="WS")]
) -> None:
    """Show a stretch with its issues."""
    with call.reading() as tracker:
        found = work_sessions.find(tracker, work_id)
    _show(call, found)


@command(app, "list")
def list_stretches(call: Invocation, form: FormatOption = None) -> None:
    """List all stretches, the newest first."""
    with call.reading() as tracker:
        found = work_sessions.all_of(tracker)
    documents = [record_document(one) for one in found]
    emit_documents(call, form, documents, lambda: _lines(found), name="work_sessions", columns=_COLUMNS)
    if not found:
        call.say("no work session was begun")


@command(app, "handoff")
def handoff(
    call: Invocation,
    *,
    done: Told = None,
    remaining: Remaining = None,
    decision: Decided = None,
    uncertain: Uncertain = None,
    goes_on: Annotated[bool, typer.Option("--continue", help="Do not end the stretch.")] = False,
    review: Annotated[bool, typer.Option("--review", help="Ask for a review of its issues as well.")] = False,
) -> None:
    """Hand all issues of the stretch off, with what was logged in it, and end it."""
    account = account_of(done, remaining, decision, uncertain)
    place = call.place()
    with place.open() as tracker:
        commit = commit_of(place.directory)
        work, made = work_sessions.end(tracker, account=account, commit=commit, goes_on=goes_on)
        if review and made:
            moved = reviews.request(tracker, [one.issue_id for one in made])
            if not call.as_json:
                _tell_end(call, work, made)
            emit_moved(call, tracker, "review requested", moved, many=True)
            return
    _tell_end(call, work, made)


@command(app, "end")
def end(call: Invocation) -> None:
    """End the stretch without handing anything off."""
    place = call.place()
    with place.open() as tracker:
        work, _ = work_sessions.end(tracker, commit=commit_of(place.directory))
    _tell_end(call, work, [])


def _tell_end(call: Invocation, work: WorkSession, made: list[Handoff]) -> None:
    action = "work session ended" if work.ended_at is not None else "work session handed off"
    call.emit(
        lambda: {**_document(action, work), "handoffs": [record_document(one) for one in made]},
        lambda: [f"{action.upper()} {work.id}", *(f"  {one.issue_id} handed off" for one in made)],
    )


def _document(action: str, work: WorkSession) -> dict[str, object]:
    return {"action": action, "id": work.id, "work_session": record_document(work)}


def _show(call: Invocation, found: Stretch) -> None:
    call.emit(
        lambda: {**record_document(found.work), "issues": [_named(issue) for issue in found.issues]},
        lambda: [
            f"{paint(found.work.id, BOLD)}  {printable(found.work.name)}",
            *(f"  {line}" for line in _lines([found.work])),
            *(f"  {issue_line(issue)}" for issue in found.issues),
        ],
    )


def _named(issue: Issue) -> dict[str, object]:
    return {"id": issue.id, "title": issue.title, "status": issue.status.value}


def _lines(found: list[WorkSession]) -> list[str]:
    rows = [
        (
            work.id,
            "active" if work.ended_at is None else "ended",
            short_moment(moment_text(work.started_at)),
            printable(work.session),
            printable(work.name),
        )
        for work in found
    ]
    return aligned(rows) if rows else []
