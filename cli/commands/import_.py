"""`td import`: take back what td doctor --repair read from a damaged local.db."""

from pathlib import Path
from typing import Annotated

import typer

from cli.documents import mutation_document
from cli.invocation import Invocation, command
from cli.syncing import changes_told

app = typer.Typer()


@command(app, "import")
def import_(
    call: Invocation,
    *,
    pending: Annotated[Path, typer.Option("--pending", help="The file that td doctor --repair named.", metavar="FILE")],
) -> None:
    """Take back changes that were salvaged.

    What is here already, or on the primary, is not taken twice.
    """
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
