"""`td create`: write a new issue."""

from typing import Annotated

import typer

from cli.changes import emit_change
from cli.errors import UsageError
from cli.fields import (
    Acceptance,
    AcceptanceFile,
    Blocks,
    Defer,
    DependsOn,
    Description,
    DescriptionFile,
    Due,
    Minor,
    Parent,
    Points,
    PriorityName,
    Sprint,
    TypeName,
    day_of,
    split,
    text_of,
)
from cli.invocation import Invocation, command
from tracker import IssueEdit, IssueType, editing, parse_labels, parse_priority, parse_type, split_title

app = typer.Typer()


@command(app, "create")
def create(
    call: Invocation,
    words: Annotated[
        list[str],
        typer.Argument(
            help="What is to be done, in a few words; `bug: …`, or bug before it, makes it a bug.",
            metavar="[TYPE] TITLE",
        ),
    ],
    *,
    type_name: TypeName = None,
    priority: PriorityName = None,
    description: Description = None,
    description_file: DescriptionFile = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            *("--label", "--labels", "--tag", "--tags", "-l"),
            help="A label; may be given several times.",
            metavar="LABEL",
        ),
    ] = None,
    acceptance: Acceptance = None,
    acceptance_file: AcceptanceFile = None,
    parent: Parent = None,
    points: Points = None,
    sprint: Sprint = None,
    minor: Minor = None,
    defer: Defer = None,
    due: Due = None,
    depends_on: DependsOn = None,
    blocks: Blocks = None,
) -> None:
    """Write a new issue."""
    title, before = _title_of(words, type_name)
    told, prefix = split_title(title) if before is None else (title, None)
    edit = IssueEdit(
        title=told,
        type=prefix or IssueType.TASK if before is None else parse_type(before),
        priority=None if priority is None else parse_priority(priority),
        description=text_of("description", description, description_file),
        acceptance=text_of("acceptance", acceptance, acceptance_file),
        add_labels=parse_labels(label or ()),
        parent_id=parent,
        points=points,
        sprint=sprint,
        minor=minor,
        defer_until=day_of("defer", defer),
        due_date=day_of("due", due),
    )
    with call.tracker() as tracker:
        issue = editing.create(tracker, edit, depends_on=split(depends_on), blocks=split(blocks))
        emit_change(call, tracker, "created", [issue], many=False)


def _title_of(words: list[str], type_name: str | None) -> tuple[str, str | None]:
    """The title, and the type that was typed for it, by the option or before the title."""
    if len(words) == 1:
        return words[0], type_name
    if len(words) > 2 or type_name is not None:
        raise UsageError("a title is one argument", f'put it in quotes: td create "{" ".join(words)}"')
    return words[1], words[0]
