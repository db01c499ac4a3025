"""`td status` and `td whoami`: what is here, and who you are to others."""

import os
from typing import Annotated

import typer

from cli.documents import status_document
from cli.invocation import Invocation, command
from cli.standing import standing_of
from cli.text import aligned
from cli.tokens import profile_name, trusted_file
from tracker import DamagedError, Status, Tracker, sessions

app = typer.Typer()

_COUNT = "SELECT status, count(*) FROM issues WHERE deleted_at IS NULL GROUP BY status"


@command(app, "status")
def status(
    call: Invocation,
    db: Annotated[bool, typer.Option("--db", help="More of the database: its files, schema and frame.")] = False,
) -> None:
    """Show how many issues are here, and what waits."""
    place = call.place()
    with place.open() as tracker:
        # First, because to count is to find out about a copy that cannot be read.
        counts = _counts(tracker)
        found = tracker.replica.status()
        claims = _claims(tracker)
    document: dict[str, object] = {
        "directory": str(place.directory),
        "session": tracker.session,
        "focus": tracker.desk.focus,
        "claims": claims,
        "issues": counts,
        **status_document(found),
    }
    if db:
        files = sorted(path for path in place.directory.glob("*.db*") if path.is_file())
        document["db"] = {
            "schema_version": found.schema_version,
            "base_frame": found.base_frame,
            "files": {path.name: path.stat().st_size for path in files},
        }
    call.emit(lambda: document, lambda: _lines(document))


@command(app, "whoami")
def whoami(call: Invocation) -> None:
    """Show who you are to others, and as whom the primary knows you."""
    place = call.place()
    with place.open() as tracker:
        known = sessions.own(tracker)
        known_as = standing_of(os.environ, place.config)
        trusted = trusted_file(os.environ, place.config)
        document: dict[str, object] = {
            "session": tracker.session,
            "name": known.name or None,
            "machine": tracker.replica.machine,
            "branch": tracker.desk.branch or None,
            "agent": tracker.desk.agent or None,
            "focus": tracker.desk.focus,
            "work_session": tracker.desk.work,
            **place.config.document(),
            "ca_file": None if trusted is None else str(trusted),
            "profile": profile_name(place.config, os.environ),
            "token": known_as.kept_in,
            "user": known_as.user,
            "email": known_as.email,
            "organisation": known_as.organisation,
            "expires_at": known_as.expires_at,
        }
    call.emit(lambda: document, lambda: _lines(document))


def _claims(tracker: Tracker) -> list[str] | None:
    """What this session has started; None where the copy of the primary is damaged."""
    try:
        return list(sessions.own(tracker).claims)
    except DamagedError:
        return None


def _counts(tracker: Tracker) -> dict[str, int] | None:
    """How many issues there are in each status; None where the copy of the primary is damaged."""
    try:
        rows = tracker.replica.query(_COUNT).rows
    except DamagedError:
        return None
    counted = {str(name): int(str(count)) for name, count in rows}
    return {name.value: counted.get(name.value, 0) for name in Status}


def _lines(document: dict[str, object]) -> list[str]:
    return aligned([(name, _told(value)) for name, value in document.items()])


def _told(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_told(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return " ".join(map(str, value)) or "-"
    return "-" if value is None else str(value)
