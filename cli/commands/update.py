"""`td update`: change the fields of issues."""

from typing import Final

import typer

from cli.changes import emit_moved
from cli.errors import UsageError
from cli.fields import (
    Acceptance,
    AcceptanceFile,
    Append,
    Blocks,
    Clear,
    Defer,
    DependsOn,
    Description,
    DescriptionFile,
    Due,
    IfUpdatedAt,
    LabelChanges,
    Minor,
    Parent,
    Points,
    PriorityName,
    SaidAsWell,
    Sprint,
    Status,
    Title,
    TypeName,
    day_of,
    split,
    text_of,
)
from cli.invocation import Invocation, command
from cli.options import IssueIds
from cli.typed_text import read_typed
from tracker import (
    Clearable,
    IssueEdit,
    editing,
    moment_text,
    parse_label_changes,
    parse_moment,
    parse_priority,
    parse_status,
    parse_type,
)

app = typer.Typer()

_CLEARABLE: Final[dict[str, Clearable]] = {
    "parent": "parent_id",
    "points": "points",
    "defer": "defer_until",
    "due": "due_date",
}


@command(app, "update")
def update(
    call: Invocation,
    issue_ids: IssueIds,
    *,
    title: Title = None,
    description: Description = None,
    description_file: DescriptionFile = None,
    append: Append = None,
    type_name: TypeName = None,
    priority: PriorityName = None,
    status: Status = None,
    label: LabelChanges = None,
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
    clear: Clear = None,
    comment: SaidAsWell = None,
    if_updated_at: IfUpdatedAt = None,
) -> None:
    """Change fields of issues. --depends-on and --blocks replace what was there."""
    added, removed = parse_label_changes(label or ())
    edit = IssueEdit(
        title=title,
        description=text_of("description", description, description_file),
        append=None if append is None else read_typed("--append", append),
        acceptance=text_of("acceptance", acceptance, acceptance_file),
        type=None if type_name is None else parse_type(type_name),
        priority=None if priority is None else parse_priority(priority),
        status=None if status is None else parse_status(status),
        parent_id=parent or None,
        points=points,
        sprint=sprint,
        minor=minor,
        defer_until=day_of("defer", defer),
        due_date=day_of("due", due),
        add_labels=added,
        remove_labels=removed,
        clear=frozenset(_cleared(name) for name in clear or ()),
    )
    seen = None if if_updated_at is None else moment_text(parse_moment("--if-updated-at", if_updated_at))
    if seen is not None and len(issue_ids) > 1:
        raise UsageError("--if-updated-at goes with one issue", "change them one by one")
    with call.tracker() as tracker:
        moved = editing.change(
            tracker,
            issue_ids,
            edit,
            depends_on=None if depends_on is None else split(depends_on),
            blocks=None if blocks is None else split(blocks),
            comment=None if comment is None else read_typed("--comment", comment),
            if_updated_at=seen,
        )
        emit_moved(call, tracker, "updated", moved, many=len(issue_ids) > 1)


def _cleared(name: str) -> Clearable:
    if name not in _CLEARABLE:
        raise UsageError(f"{name[:40]!a} cannot be emptied", f"use one of {', '.join(_CLEARABLE)}")
    return _CLEARABLE[name]
