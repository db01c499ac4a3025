"""`td stats` and `td last`: how much there is, and what happened last."""

from typing import Annotated

import typer

from cli.documents import MUTATION_COLUMNS, mutation_document
from cli.formats import FormatOption
from cli.invocation import Invocation, command
from cli.render import pending_lines
from cli.rows import emit_documents
from cli.text import aligned
from tracker import statistics

app = typer.Typer()


@command(app, "stats")
def stats(call: Invocation) -> None:
    """Show how much there is, and how it moves."""
    with call.reading() as tracker:
        document = statistics.statistics(tracker)
    call.emit(lambda: document, lambda: _lines(document))


def _lines(document: dict[str, object]) -> list[str]:
    rows = []
    for name, value in document.items():
        told = ", ".join(f"{inner} {count}" for inner, count in value.items()) if isinstance(value, dict) else value
        rows.append((name.replace("_", " "), "-" if told in (None, "") else str(told)))
    return aligned(rows)


@command(app, "last")
def last(
    call: Invocation,
    *,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=100, help="So many.", metavar="N")] = 1,
    form: FormatOption = None,
) -> None:
    """Show the last changes of this session; td undo takes one back."""
    with call.reading() as tracker:
        found = statistics.last_mutations(tracker, count)
    documents = [mutation_document(mutation) for mutation in found]
    emit_documents(call, form, documents, lambda: pending_lines(found), name="mutations", columns=MUTATION_COLUMNS)
    if not found:
        call.say("this session has changed nothing")
