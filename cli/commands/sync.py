"""`td sync`: trade changes with the primary, and see what waits."""

import typer

from cli.documents import mutation_document, status_document, sync_document
from cli.invocation import Invocation, command, default_command
from cli.progress import working
from cli.render import pending_lines
from cli.syncing import sync_lines, sync_notes
from cli.text import aligned

app = typer.Typer(name="sync", help="Send what waits here, fetch what others did.")


@default_command(app)
def sync(call: Invocation) -> None:
    """Send what waits here, fetch what others did."""
    now(call)


@command(app, "now")
def now(call: Invocation) -> None:
    """Send what waits here, fetch what others did."""
    place = call.place()
    with place.open() as tracker, working(f"syncing with {place.config.url}", quiet=call.as_json):
        report = tracker.replica.sync()
        conflicts = tracker.replica.status().conflicts
    call.emit(lambda: sync_document(report), lambda: sync_lines(report, place.config))
    for line in sync_notes(report, conflicts):
        call.say(line)
    if report.error is not None:
        raise report.error


@command(app, "status")
def status(call: Invocation) -> None:
    """Show how this directory stands with the primary."""
    with call.tracker() as tracker:
        found = tracker.replica.status()
    document = status_document(found)
    call.emit(
        lambda: document,
        lambda: aligned([(name, "-" if value is None else str(value)) for name, value in document.items()]),
    )


@command(app, "pending")
def pending(call: Invocation) -> None:
    """List the changes that are not on the primary yet."""
    with call.tracker() as tracker:
        waiting = tracker.replica.pending()
    call.emit(lambda: [mutation_document(mutation) for mutation in waiting], lambda: pending_lines(waiting))
    if not waiting:
        call.say("nothing is pending")
