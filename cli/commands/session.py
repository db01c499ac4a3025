"""`td session`: who works here."""

from typing import Annotated

import typer

from cli.formats import FormatOption
from cli.invocation import Invocation, command, default_command
from cli.rows import emit_documents
from cli.text import DIM, aligned, paint, printable, short_moment
from tracker import Known, Tracker, days, moment_text, sessions

app = typer.Typer(name="session", help="See who works here, name yourself, begin anew.")

_COLUMNS = ("id", "name", "machine", "branch", "agent", "started_at", "active_at", "claims", "current")


@default_command(app)
def session(
    call: Invocation,
    *,
    new: Annotated[bool, typer.Option("--new", help="Begin a new session in the place of this one.")] = False,
    name: Annotated[str | None, typer.Option("--name", help="A name that others see.", metavar="NAME")] = None,
) -> None:
    """Show the session you work under; name it, or begin a new one."""
    place = call.place()
    if new:
        with place.open() as tracker:
            sessions.renew(tracker)
    with place.open() as tracker:
        if name is not None:
            sessions.name(tracker, name)
        document = _document(sessions.own(tracker), tracker)
    call.emit(
        lambda: document,
        lambda: aligned([(key, _told(value)) for key, value in document.items()]),
    )


@command(app, "list")
def list_sessions(
    call: Invocation,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Those that were let go, too.")] = False,
    form: FormatOption = None,
) -> None:
    """List the sessions of this directory, and those that others tell of."""
    with call.reading() as tracker:
        found = sessions.known(tracker, with_ended=everything)
        documents = [_document(one, tracker) for one in found]
        own = tracker.session
    emit_documents(call, form, documents, lambda: _lines(found, own), name="sessions", columns=_COLUMNS)


@command(app, "cleanup")
def cleanup(
    call: Invocation,
    *,
    older_than: Annotated[
        str, typer.Option("--older-than", help="Not active for so long, as 7d.", metavar="TIME")
    ] = "7d",
    force: Annotated[bool, typer.Option("--force", help="Do it, instead of only showing it.")] = False,
) -> None:
    """Let sessions go that are idle and claim nothing."""
    span = days.parse_span("--older-than", older_than)
    with call.tracker() as tracker:
        since = moment_text(tracker.now() - span)
        gone = sessions.clean_up(tracker, idle_since=since, is_dry=not force)
    call.emit(
        lambda: {"action": "cleaned up" if force else "would clean up", "sessions": [one.id for one in gone]},
        lambda: [f"{'LET GO' if force else 'WOULD LET GO'} {one.id}" for one in gone],
    )
    if not gone:
        call.say("no session is idle")
    elif not force:
        call.say("nothing was changed; do it with --force")


def _document(one: Known, tracker: Tracker) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "machine": one.machine,
        "branch": one.branch,
        "agent": one.agent,
        "started_at": one.started_at or None,
        "active_at": None if one.desk is None else one.desk.active_at or None,
        "claims": list(one.claims),
        "current": one.id == tracker.session,
    }


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (" ".join(value) if isinstance(value, list) else printable(str(value or ""))) or "-"


def _lines(found: list[Known], own: str) -> list[str]:
    rows = [
        (
            ("* " if one.id == own else "  ") + one.id,
            printable(one.name) or "-",
            one.machine,
            printable(one.branch) or "-",
            printable(one.agent) or "-",
            short_moment(one.started_at) or "-",
            paint(" ".join(one.claims), DIM),
        )
        for one in found
    ]
    return aligned(rows) if rows else []
