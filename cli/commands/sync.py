"""`td sync`: trade changes with the primary, and see what waits and what was lost."""

from typing import Annotated

import typer

from cli.documents import MUTATION_COLUMNS, mutation_document, status_document, sync_document
from cli.formats import FormatOption
from cli.invocation import Invocation, command, default_command
from cli.progress import working
from cli.render import pending_lines
from cli.rows import emit_documents
from cli.syncing import changes_told, sync_lines, sync_notes
from cli.text import aligned
from tracker import sync as sync_tracker

app = typer.Typer(name="sync", help="Send what waits here, fetch what others did.")

_Resend = Annotated[
    bool, typer.Option("--resend-lost", help="First queue again what the primary lost, before all that waits.")
]
_Adopt = Annotated[
    bool, typer.Option("--adopt-primary", help="Move all that is here to the primary at the URL, though it is another.")
]


@default_command(app)
def sync(call: Invocation, *, resend_lost: _Resend = False, adopt_primary: _Adopt = False) -> None:
    """Send what waits here, fetch what others did."""
    now(call, resend_lost=resend_lost, adopt_primary=adopt_primary)


@command(app, "now")
def now(call: Invocation, *, resend_lost: _Resend = False, adopt_primary: _Adopt = False) -> None:
    """Send what waits here, fetch what others did."""
    place = call.place()
    with place.open() as tracker, working(f"syncing with {place.config.url}", quiet=call.as_json):
        resent = tracker.replica.recovery.resend_lost() if resend_lost else []
        done = sync_tracker(tracker, adopt_primary=adopt_primary)
        report = done.report
        status = tracker.replica.status()
    mended = [{"id": one.issue_id, "told": one.told} for one in done.mended]
    call.emit(
        lambda: {**sync_document(report), "mended": mended},
        lambda: [*sync_lines(report, place.config), *(f"  {one.issue_id} {one.told}" for one in done.mended)],
    )
    if resend_lost:
        was = "was" if len(resent) == 1 else "were"
        call.say(f"{changes_told(len(resent))} that the primary had lost {was} queued again")
    for line in sync_notes(report, status, is_adopted=adopt_primary):
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
def pending(call: Invocation, form: FormatOption = None) -> None:
    """List the changes that are not on the primary yet."""
    with call.tracker() as tracker:
        waiting = tracker.replica.pending()
    documents = [mutation_document(mutation) for mutation in waiting]
    emit_documents(call, form, documents, lambda: pending_lines(waiting), name="mutations", columns=MUTATION_COLUMNS)
    if not waiting:
        call.say("nothing is pending")


@command(app, "lost")
def lost(
    call: Invocation,
    *,
    forget: Annotated[bool, typer.Option("--forget", help="Let them go, for good.")] = False,
    form: FormatOption = None,
) -> None:
    """List the changes that the primary had and lost.

    It loses them when it is restored from an older backup. td sync --resend-lost sends them again.
    """
    with call.tracker() as tracker:
        recovery = tracker.replica.recovery
        mutations = recovery.forget_lost() if forget else recovery.lost()
    documents = [mutation_document(mutation) for mutation in mutations]
    if forget:
        call.emit(
            lambda: {"action": "forgotten", "count": len(documents), "mutations": documents},
            lambda: [f"FORGOTTEN: {changes_told(len(documents))} that the primary lost"],
        )
        return
    emit_documents(call, form, documents, lambda: pending_lines(mutations), name="mutations", columns=MUTATION_COLUMNS)
    if mutations:
        call.say("td sync --resend-lost sends them again, td sync lost --forget lets them go")
    else:
        call.say("nothing is lost")
