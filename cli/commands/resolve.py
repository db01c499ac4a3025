"""`td resolve`: settle a conflict."""

from collections.abc import Mapping
from typing import Annotated

import typer

from cli.documents import issue_document, mutation_document
from cli.errors import UsageError
from cli.invocation import Invocation, command
from cli.output import print_json, print_lines
from cli.render import change_line
from tracker import Conflict, Mutation, NotFoundError, Tracker, decisions, parse_field

app = typer.Typer()

Choice = Mapping[str, object]


@command(app, "resolve")
def resolve(
    call: Invocation,
    conflict: Annotated[str, typer.Argument(help="The conflict, or the issue it is about.", metavar="C")],
    mine: Annotated[bool, typer.Option("--mine", help="Take the values of the change that waits.")] = False,
    theirs: Annotated[
        bool, typer.Option("--theirs", help="Keep what the primary has in the fields in conflict.")
    ] = False,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", help="Take this value; one for each field in conflict.", metavar="FIELD=VALUE"),
    ] = None,
) -> None:
    """Settle a conflict: take a side, or name the values.

    This decides the fields in conflict. What else the change that waits has, td conflicts show tells; it comes in
    whichever side is taken.
    """
    typed = _typed_values(values or [], mine=mine, theirs=theirs)
    with call.tracker() as tracker:
        found = decisions.find(tracker, conflict)
        choice: Choice = {name: parse_field(found.table, name, value) for name, value in typed.items()}
        made = decisions.settle(tracker, found, "mine" if mine else "theirs" if theirs else choice)
        if call.as_json:
            print_json(_document(tracker, found, made))
        else:
            print_lines([change_line("resolved", found.row_id, pending=tracker.is_pending(made))])


def _typed_values(values: list[str], *, mine: bool, theirs: bool) -> dict[str, str]:
    """The values that are named, by field; empty where a side is taken. Raises UsageError."""
    if [mine, theirs, bool(values)].count(True) != 1:
        raise UsageError("say how: one of --mine, --theirs and --set", "see td resolve --help")
    typed: dict[str, str] = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not name or not equals:
            raise UsageError(f"{name[:40]!a} is not FIELD=VALUE", "as --set title='Oat milk'")
        if name in typed:
            raise UsageError(f"{name[:40]} is set twice", "give one value for each field")
        typed[name] = text
    return typed


def _document(tracker: Tracker, conflict: Conflict, made: Mutation) -> dict[str, object]:
    document: dict[str, object] = {"action": "resolved", "id": conflict.row_id, "status": None, "issue": None}
    try:
        issue = tracker.get(conflict.row_id)
    except NotFoundError:
        pass  # the outcome may be that it is gone, or the conflict is about a comment
    else:
        pending = issue.id in tracker.pending_ids()
        document |= {"status": issue.status.value, "issue": issue_document(issue, pending=pending)}
    return {**document, "conflict": conflict.id, "mutation": mutation_document(made)}
