"""`td demo`: see two people work offline on one issue, in a few seconds, with a real primary."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.documents import conflict_document, issue_document
from cli.errors import ForeignError, StoryError
from cli.invocation import Invocation, command
from cli.output import print_json
from cli.story import Teller, tell
from sqld import SqldError, run_sqld
from tracker import Author, Conflict, Issue

app = typer.Typer()

_STYLES: Final = {"laptop": "cyan", "desktop": "magenta", "primary": "green"}


@command(app, "demo")
def demo(call: Invocation) -> None:
    """See two replicas work offline, sync, and merge."""
    start = time.monotonic()
    book, stage = _Book(), _Stage(Console(highlight=False))
    teller: Teller = book if call.as_json else stage
    try:
        with tempfile.TemporaryDirectory(prefix="td-demo-") as directory, run_sqld() as server:
            issues = tell(teller, server, Path(directory))
    except SqldError as error:
        raise ForeignError(error.code, str(error), error.hint) from error
    if server.is_running:
        raise StoryError("the primary stopped", "it still runs")
    seconds = time.monotonic() - start
    if call.as_json:
        told = [issue_document(issue, pending=False) for issue in issues]
        print_json({"ok": True, "seconds": round(seconds, 1), "steps": book.steps, "issues": told})
    else:
        stage.end(seconds)


class _Stage:
    """Tells the story to a person."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._chapters = 0

    def chapter(self, title: str) -> None:
        """Begin a new chapter."""
        self._chapters += 1
        self._console.print()
        self._console.print(Text(f"{self._chapters}. {title}", style="bold"))

    def say(self, who: str, text: str) -> None:
        """Tell what `who` did."""
        self._console.print(Text.assemble(("  " + who.ljust(9), _STYLES[who]), text), soft_wrap=True)

    def conflict(self, conflict: Conflict) -> None:
        """Show what each side wants of each field."""
        for name, field in conflict.fields.items():
            table = Table(
                "", name, "by", "from", "at (UTC)", title=f"{conflict.row_id} in conflict", title_justify="left"
            )
            table.add_row("before", str(field.before), "", "", "")
            table.add_row("mine", str(field.mine), *_author_cells(conflict.mine_by))
            table.add_row("theirs", str(field.theirs), *_author_cells(conflict.theirs_by))
            self._console.print(table)

    def table(self, holders: Sequence[str], issues: Sequence[Issue]) -> None:
        """Show the issues."""
        caption = f"{', '.join(holders[:-1])} and {holders[-1]} hold exactly these"
        table = Table(caption=caption, caption_justify="left")
        for name in ("id", "priority", "status"):
            table.add_column(name, no_wrap=True)
        table.add_column("title")
        for issue in issues:
            table.add_row(issue.id, issue.priority, issue.status, Text(issue.title))
        self._console.print(table)

    def end(self, seconds: float) -> None:
        """Say how it ended."""
        self._console.print()
        self._console.print(
            Text(f"All of it came out so, in {seconds:.1f} s. Nothing is left running.", style="bold green")
        )
        self._console.print(
            "Begin your own, with no server at all: td init && td create 'My first issue' && td list", soft_wrap=True
        )


class _Book:
    """Writes the story down, for programs."""

    def __init__(self) -> None:
        self.steps: list[dict[str, object]] = []

    def chapter(self, title: str) -> None:
        """Begin a new chapter."""
        self.steps.append({"chapter": title})

    def say(self, who: str, text: str) -> None:
        """Write down what `who` did."""
        self.steps.append({"who": who, "text": text})

    def conflict(self, conflict: Conflict) -> None:
        """Write down a conflict."""
        self.steps.append({"conflict": conflict_document(conflict)})

    def table(self, holders: Sequence[str], issues: Sequence[Issue]) -> None:
        """Write down who holds what."""
        self.steps.append({"holders": list(holders), "ids": [issue.id for issue in issues]})


def _author_cells(author: Author | None) -> tuple[str, str, str]:
    return ("?", "?", "?") if author is None else (author.session, author.machine, author.at[11:19])
