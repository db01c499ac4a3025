"""`td log` and `td logs`: keep what happens while an issue is worked on, by kind."""

from typing import Annotated

import typer

from cli.documents import record_document
from cli.errors import UsageError
from cli.focus import named_or_focused
from cli.formats import FormatOption
from cli.invocation import Invocation, command
from cli.options import FocusedId, Limit
from cli.rows import emit_documents
from cli.talk import log_lines
from cli.typed_text import read_typed
from tracker import Log, LogType, parse_log_type, talk, work_sessions

app = typer.Typer()

_COLUMNS = ("id", "issue_id", "work_session_id", "session", "type", "message", "created_at", "updated_at")


@command(app, "log")
def log(
    call: Invocation,
    words: Annotated[
        list[str],
        typer.Argument(
            help="The issue, where it is not the one in focus, and the message; - reads it from stdin.",
            metavar="[ID] MESSAGE",
        ),
    ],
    *,
    issue: Annotated[str | None, typer.Option("--issue", "-i", help="The issue.", metavar="ID")] = None,
    type_name: Annotated[
        str | None,
        typer.Option("--type", "-t", help=f"{', '.join(LogType)}. Default: progress.", metavar="TYPE"),
    ] = None,
    blocker: Annotated[bool, typer.Option("--blocker", help="Something in the way.")] = False,
    decision: Annotated[bool, typer.Option("--decision", help="A decision.")] = False,
    hypothesis: Annotated[bool, typer.Option("--hypothesis", help="Something to find out.")] = False,
    tried: Annotated[bool, typer.Option("--tried", help="Something that was tried.")] = False,
    result: Annotated[bool, typer.Option("--result", help="What came of it.")] = False,
) -> None:
    """Log a step of the work on an issue."""
    flags = {"blocker": blocker, "decision": decision, "hypothesis": hypothesis, "tried": tried, "result": result}
    named = [name for name, is_set in flags.items() if is_set] + ([type_name] if type_name else [])
    if len(named) > 1:
        raise UsageError(f"a log is of one kind, not of {' and '.join(named)}", "log each of them")
    kind = parse_log_type(named[0] if named else "progress")
    typed, message = _told(words, issue)
    with call.tracker() as tracker:
        work = work_sessions.current(tracker)
        (issue_id,) = named_or_focused(tracker, [typed] if typed else None)
        made = talk.log(tracker, issue_id, message, kind=kind, work=None if work is None else work.id)
    _emit(call, made)


def _told(words: list[str], issue: str | None) -> tuple[str | None, str]:
    if len(words) > 2 or (issue is not None and len(words) > 1):
        raise UsageError("a message is one argument", 'put it in quotes: td log "what happened"')
    return issue or (words[0] if len(words) == 2 else None), read_typed("message", words[-1])


def _emit(call: Invocation, made: Log) -> None:
    call.emit(
        lambda: {"action": "logged", "id": made.issue_id, "log": record_document(made)},
        lambda: [f"LOGGED {made.issue_id or made.work_session_id} ({made.type.value})"],
    )


@command(app, "logs")
def logs(call: Invocation, issue_id: FocusedId = None, limit: Limit = None, form: FormatOption = None) -> None:
    """List what was logged of an issue, oldest first."""
    with call.reading() as tracker:
        (typed,) = named_or_focused(tracker, [issue_id] if issue_id else None)
        found = talk.logs(tracker, tracker.get(typed).id, limit=limit)
    documents = [record_document(one) for one in found]
    emit_documents(call, form, documents, lambda: log_lines(found), name="logs", columns=_COLUMNS)
    if not found:
        call.say("nothing was logged")
