"""The options by which the fields of an issue are given, for a new one and for one that is there.

Always true: a value is checked by the rules of the tracker, and `-` or a file is read once.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from cli.errors import UsageError
from cli.typed_text import read_file, read_typed
from tracker import days

Title = Annotated[str | None, typer.Option("--title", help="A new title.", metavar="TEXT")]
TypeName = Annotated[
    str | None, typer.Option("--type", "-t", help="bug, feature, task, epic or chore.", metavar="TYPE")
]
PriorityName = Annotated[
    str | None, typer.Option("--priority", "-p", help="P0, the most urgent, to P4.", metavar="P0..P4")
]
Description = Annotated[
    str | None,
    typer.Option(
        *("--description", "--desc", "--body", "--notes", "-d"), help="The details; - reads stdin.", metavar="TEXT"
    ),
]
DescriptionFile = Annotated[
    Path | None, typer.Option("--description-file", help="The details, from a file.", metavar="FILE")
]
Acceptance = Annotated[
    str | None, typer.Option("--acceptance", help="When it counts as done; - reads stdin.", metavar="TEXT")
]
AcceptanceFile = Annotated[
    Path | None, typer.Option("--acceptance-file", help="The same, from a file.", metavar="FILE")
]
Parent = Annotated[str | None, typer.Option("--parent", "--epic", help="The issue it is a part of.", metavar="ID")]
Points = Annotated[int | None, typer.Option("--points", help="1, 2, 3, 5, 8, 13 or 21.", metavar="N")]
Sprint = Annotated[str | None, typer.Option("--sprint", help="The sprint it is planned for.", metavar="NAME")]
Minor = Annotated[
    bool | None, typer.Option("--minor/--not-minor", help="Whether it is too small for a review.", show_default=False)
]
Defer = Annotated[
    str | None, typer.Option("--defer", help="Out of sight until that day, as 2026-12-24 or +2w.", metavar="DAY")
]
Due = Annotated[str | None, typer.Option("--due", help="The day by which it must be done.", metavar="DAY")]
DependsOn = Annotated[
    list[str] | None,
    typer.Option("--depends-on", help="What it waits for; may be given several times.", metavar="ID"),
]
Blocks = Annotated[
    list[str] | None, typer.Option("--blocks", help="What waits for it; may be given several times.", metavar="ID")
]

Append = Annotated[
    str | None, typer.Option("--append", help="Put this at the end of the description; - reads stdin.", metavar="TEXT")
]
Status = Annotated[
    str | None,
    typer.Option("--status", "-s", help="open, in_progress, blocked, in_review or closed.", metavar="STATUS"),
]
LabelChanges = Annotated[
    list[str] | None,
    typer.Option(
        *("--label", "--labels", "--tag", "--tags", "-l"),
        help="x or +x to add, -x to remove a label; may be given several times.",
        metavar="LABEL",
    ),
]
Clear = Annotated[
    list[str] | None, typer.Option("--clear", help="Empty a field: parent, points, defer or due.", metavar="FIELD")
]
SaidAsWell = Annotated[
    str | None, typer.Option("--comment", "-m", help="Say this about it as well; - reads stdin.", metavar="TEXT")
]
IfUpdatedAt = Annotated[
    str | None,
    typer.Option("--if-updated-at", help="Only if the issue has not changed since this moment.", metavar="STAMP"),
]


def text_of(field: str, typed: str | None, file: Path | None) -> str | None:
    """A text that was given on the command line, on stdin as `-`, or in a file.

    Raises UsageError, and as `read_file`.
    """
    if typed is not None and file is not None:
        raise UsageError(f"{field} is given twice", f"use --{field} or --{field}-file")
    if file is not None:
        return read_file(f"--{field}-file", file)
    return None if typed is None else read_typed(f"--{field}", typed)


def day_of(field: str, typed: str | None) -> date | None:
    """A day that was given, in the caller's own calendar. Raises InvalidFieldError."""
    return None if not typed else days.parse_day(field, typed, date.today())  # noqa: DTZ011 - see above


def split(ids: Sequence[str] | None) -> list[str]:
    """Ids, each given alone or several with commas between them."""
    return [part.strip() for one in ids or () for part in one.split(",") if part.strip()]
