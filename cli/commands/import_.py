"""`td import`: take in a file, or take back what td doctor --repair read from a damaged local.db."""

from pathlib import Path
from typing import Annotated

import typer

from cli.documents import mutation_document
from cli.errors import InterruptedByPersonError, UsageError
from cli.imported import summary_document, summary_lines
from cli.invocation import Invocation, command
from cli.progress import bar
from cli.syncing import changes_told
from tracker import transfer

app = typer.Typer()


@command(app, "import")
def import_(
    call: Invocation,
    *,
    file: Annotated[
        Path | None,
        typer.Argument(
            help="An export of td, the issues.db of the Go td, JSONL of beads, or issues of GitHub in JSON.",
            metavar="FILE",
        ),
    ] = None,
    source: Annotated[
        transfer.Source | None, typer.Option("--from", help="What wrote the file. Default: told by what is in it.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; tell what would be done.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Change what is here with other values to what the file has.")
    ] = False,
    pending: Annotated[
        Path | None, typer.Option("--pending", help="The file that td doctor --repair named.", metavar="FILE")
    ] = None,
) -> None:
    """Take in the issues of a file.

    What is here already is not taken twice, and not changed without --force. With --pending: take back changes that
    were salvaged from a damaged local.db.
    """
    if (file is None) == (pending is None):
        raise UsageError("name one file to take in", "td import FILE, or td import --pending FILE")
    if pending is not None:
        if source is not None or dry_run or force:
            raise UsageError("--pending goes with no other option", "see td import --help")
        _take_back(call, pending)
    elif file is not None:
        _take_in(call, file, source, dry_run=dry_run, force=force)


def _take_in(call: Invocation, file: Path, source: transfer.Source | None, *, dry_run: bool, force: bool) -> None:
    with call.tracker() as tracker, bar(quiet=call.as_json) as show:
        try:
            summary = transfer.import_file(tracker, file, source=source, force=force, dry_run=dry_run, progress=show)
        except KeyboardInterrupt:
            raise InterruptedByPersonError(
                "what was written of it stays; the same command again takes in the rest"
            ) from None
    call.emit(lambda: summary_document(summary), lambda: summary_lines(summary))


def _take_back(call: Invocation, pending: Path) -> None:
    with call.tracker() as tracker:
        taken = tracker.replica.recovery.import_pending(pending)
    call.emit(
        lambda: {"action": "imported", "count": len(taken), "mutations": [mutation_document(one) for one in taken]},
        lambda: [f"IMPORTED: {changes_told(len(taken))}"],
    )
    call.say(
        "td sync sends what the primary does not have"
        if taken
        else "whatever the file holds is here already, or on the primary"
    )
