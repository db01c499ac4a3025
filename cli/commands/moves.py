"""`td close`, `td reopen`, `td delete`, `td restore`: the same move for one or several issues, all of them or none."""

from typing import Annotated

import typer

from cli.changes import emit_change
from cli.invocation import Invocation, command

app = typer.Typer()

_Ids = Annotated[
    list[str], typer.Argument(help="The issues; the first characters of an id are enough.", metavar="ID...")
]


@command(app, "close")
def close(call: Invocation, issue_ids: _Ids) -> None:
    """Close issues."""
    _move(call, "close", "closed", issue_ids)


@command(app, "reopen")
def reopen(call: Invocation, issue_ids: _Ids) -> None:
    """Reopen closed issues."""
    _move(call, "reopen", "reopened", issue_ids)


@command(app, "delete")
def delete(call: Invocation, issue_ids: _Ids) -> None:
    """Delete issues; td restore brings them back."""
    _move(call, "delete", "deleted", issue_ids)


@command(app, "restore")
def restore(call: Invocation, issue_ids: _Ids) -> None:
    """Bring deleted issues back."""
    _move(call, "restore", "restored", issue_ids)


def _move(call: Invocation, name: str, action: str, issue_ids: list[str]) -> None:
    with call.tracker() as tracker:
        issues = tracker.move(name, issue_ids)
        emit_change(call, tracker, action, issues, many=len(issue_ids) > 1)
