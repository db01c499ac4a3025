"""`td defer` and `td due`: put an issue off, and say when it must be done."""

from datetime import date
from typing import Annotated

import typer

from cli.changes import emit_change
from cli.errors import UsageError
from cli.invocation import Invocation, command
from cli.options import IssueId
from tracker import IssueEdit, days

app = typer.Typer()

_Day = Annotated[
    str | None,
    typer.Argument(
        help="2026-12-24, tomorrow, friday, next-week, next-month, +3d, +2w or +1m.", metavar="DAY", show_default=False
    ),
]
_Clear = Annotated[bool, typer.Option("--clear", help="Take the day away again.")]


@command(app, "defer")
def defer(call: Invocation, issue_id: IssueId, day: _Day = None, clear: _Clear = False) -> None:
    """Put an issue out of sight until a day."""
    found = _day("defer", day, clear=clear)
    edit = IssueEdit(clear=frozenset({"defer_until"})) if found is None else IssueEdit(defer_until=found)
    _change(call, issue_id, edit, "deferred" if found else "deferral cleared")


@command(app, "due")
def due(call: Invocation, issue_id: IssueId, day: _Day = None, clear: _Clear = False) -> None:
    """Say until which day an issue must be done."""
    found = _day("due", day, clear=clear)
    edit = IssueEdit(clear=frozenset({"due_date"})) if found is None else IssueEdit(due_date=found)
    _change(call, issue_id, edit, "due" if found else "due date cleared")


def _day(field: str, typed: str | None, *, clear: bool) -> date | None:
    if (typed is None) != clear:
        raise UsageError("give a day, or --clear, and not both", f"as in: td {field} ID friday")
    # A day is one of the caller's own calendar.
    return None if typed is None else days.parse_day(field, typed, date.today())  # noqa: DTZ011 - see above


def _change(call: Invocation, issue_id: str, edit: IssueEdit, action: str) -> None:
    with call.tracker() as tracker:
        before = tracker.get(issue_id)
        issue = tracker.update(issue_id, edit)
        changed = issue.updated_at != before.updated_at
        emit_change(call, tracker, action if changed else "unchanged", [issue], many=False)
