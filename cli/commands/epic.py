"""`td epic`: issues that are made of others."""

from typing import Annotated

import typer

from cli.changes import emit_change
from cli.fields import Description, PriorityName, text_of
from cli.formats import FormatOption
from cli.invocation import Invocation, command, shared_options
from cli.render import issue_line
from cli.rows import emit_rows
from cli.text import DIM, paint
from tracker import Issue, IssueEdit, IssueType, editing, filtered, parse_priority, planning

app = typer.Typer(name="epic", help="Issues that are made of others.")

shared_options(app)


@command(app, "create")
def create(
    call: Invocation,
    title: Annotated[str, typer.Argument(help="What it is about.", metavar="TITLE")],
    priority: PriorityName = None,
    description: Description = None,
) -> None:
    """Write a new epic; td create --parent ID adds its parts."""
    edit = IssueEdit(
        title=title,
        type=IssueType.EPIC,
        priority=None if priority is None else parse_priority(priority),
        description=text_of("description", description, None),
    )
    with call.tracker() as tracker:
        emit_change(call, tracker, "created", [editing.create(tracker, edit)], many=False)


@command(app, "list")
def list_epics(
    call: Invocation,
    *,
    everything: Annotated[bool, typer.Option("--all", "-a", help="The closed ones too.")] = False,
    form: FormatOption = None,
) -> None:
    """List epics, with how many of their parts are closed."""
    with call.reading() as tracker:
        found, pending = tracker.find(filtered("type = epic", with_closed=everything)), tracker.pending_ids()
        counts = planning.parts(tracker, [epic.id for epic in found])
    rows: list[tuple[Issue, dict[str, int]]] = [
        (epic, {"parts": counts[epic.id][0], "parts_closed": counts[epic.id][1]}) for epic in found
    ]
    emit_rows(call, form, Issue, rows, pending, lambda: [_line(epic, counts[epic.id]) for epic in found])
    if not found:
        call.say("no epics")


def _line(epic: Issue, parts: tuple[int, int]) -> str:
    return issue_line(epic) + paint(f"  {parts[1]} of {parts[0]} closed", DIM)
