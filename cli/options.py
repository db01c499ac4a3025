"""Options and arguments that several commands have.

Always true: what is called so means the same wherever it stands.
"""

from typing import Annotated

import typer

IssueId = Annotated[str, typer.Argument(help="The issue; the first characters of its id are enough.", metavar="ID")]

IssueIds = Annotated[
    list[str], typer.Argument(help="The issues; the first characters of an id are enough.", metavar="ID...")
]

FocusedIds = Annotated[
    list[str] | None,
    typer.Argument(help="The issues. Default: the one in focus.", metavar="[ID...]", show_default=False),
]

FocusedId = Annotated[
    str | None, typer.Argument(help="The issue. Default: the one in focus.", metavar="[ID]", show_default=False)
]

Reason = Annotated[
    str,
    typer.Option(
        "--reason",
        "--message",
        "--note",
        "--notes",
        "--comment",
        "-m",
        help="Why; it is kept as a log of the issue.",
        metavar="TEXT",
        show_default=False,
    ),
]

Limit = Annotated[int | None, typer.Option("--limit", "-n", min=1, help="At most so many.", metavar="N")]
