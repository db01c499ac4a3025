"""`td resolve`: settle a conflict."""

from collections.abc import Mapping
from typing import Annotated, Literal

import typer

from cli.documents import issue_document, mutation_document
from cli.errors import UsageError
from cli.invocation import Invocation, command
from cli.output import print_json, print_lines
from cli.render import change_line
from tracker import Conflict, Mutation, NotFoundError, Tracker, parse_field

app = typer.Typer()

Choice = Literal["mine", "theirs"] | Mapping[str, object]


@command(app, "resolve")
def resolve(
    call: Invocation,
    conflict: Annotated[str, typer.Argument(help="The conflict, or the issue it is about.", metavar="C")],
    mine: Annotated[bool, typer.Option("--mine", help="Take the values of the change that waits.")] = False,
    theirs: Annotated[bool, typer.Option("--theirs", help="Keep what the primary has.")] = False,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", help="Take this value; one for each field in conflict.", metavar="FIELD=VALUE"),
    ] = None,
) -> None:
    """Settle a conflict: take a side, or name the values."""
    choice = _choice(values or [], mine=mine, theirs=theirs)
    with call.tracker() as tracker:
        found = tracker.find_conflict(conflict)
        made = tracker.resolve(found, choice)
        if call.as_json:
            print_json(_document(tracker, found, made))
        else:
            is_pending = bool(tracker.replica.pending_rows(found.table) & {found.row_id})
            print_lines([change_line("resolved", found.row_id, pending=is_pending)])


def _choice(values: list[str], *, mine: bool, theirs: bool) -> Choice:
    if [mine, theirs, bool(values)].count(True) != 1:
        raise UsageError("say how: one of --mine, --theirs and --set", "see td resolve --help")
    if not values:
        return "mine" if mine else "theirs"
    pairs = [value.partition("=") for value in values]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise UsageError(f"{name[:40]!a} is not FIELD=VALUE", "as --set title='Oat milk'")
    # A field of another row of the same mutation is named with its row: issues/td-7x2k9m1p.title.
    return {name: parse_field(name.rpartition(".")[2], typed) for name, _, typed in pairs}


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
