"""`td list`: the issues, the most urgent first."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from cli import selection
from cli.documents import issue_document
from cli.errors import UsageError
from cli.invocation import Invocation, command
from cli.options import Limit
from cli.output import print_json, print_lines
from cli.render import issue_lines, long_issue_lines
from cli.selection import Selection
from cli.text import printable
from tracker import Issue, IssueFilter, Tracker, listing

app = typer.Typer()

Form = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="How to write them: table, json, csv, ndjson, markdown, html or sql.",
        show_default=False,
        metavar="FORMAT",
    ),
]


@command(app, "list")
def list_issues(  # noqa: PLR0917 - typer names each
    call: Invocation,
    filter: selection.Filter = None,  # noqa: A002 - the option is called so
    ids: selection.Ids = None,
    status: selection.Statuses = None,
    type: selection.Types = None,  # noqa: A002 - the option is called so
    label: selection.Labels = None,
    priority: selection.Priorities = None,
    points: selection.Points = None,
    search: selection.Search = None,
    implementer: selection.Implementer = None,
    reviewer: selection.Reviewer = None,
    parent: selection.Parent = None,
    epic: selection.Epic = None,
    mine: selection.Mine = False,
    is_open: selection.Open = False,
    created: selection.Created = None,
    updated: selection.Updated = None,
    closed: selection.Closed = None,
    deferred: selection.Deferred = False,
    surfacing: selection.Surfacing = False,
    overdue: selection.Overdue = False,
    due_soon: selection.DueSoon = False,
    with_closed: selection.WithClosed = False,
    with_deleted: selection.WithDeleted = False,
    sort: selection.Sort = None,
    is_reversed: selection.Reversed = False,
    limit: Limit = None,
    is_long: Annotated[bool, typer.Option("--long", help="Two lines for each, with dates and who has it.")] = False,
    form: Form = None,
    is_count: Annotated[bool, typer.Option("--count", help="Only how many there are.")] = False,
    is_explained: Annotated[bool, typer.Option("--explain", help="Only how they would be looked for: SQL.")] = False,
) -> None:
    """List the open issues, the most urgent first."""
    asked = Selection(
        filter=filter, ids=ids, status=status, type=type, label=label, priority=priority, points=points, search=search,
        implementer=implementer, reviewer=reviewer, parent=parent, epic=epic, mine=mine, is_open=is_open,
        created=created, updated=updated, closed=closed, deferred=deferred, surfacing=surfacing, overdue=overdue,
        due_soon=due_soon, sort=sort,
    )  # fmt: skip
    plain = IssueFilter(
        with_closed=with_closed, with_deferred=with_closed, with_deleted=with_deleted, is_reversed=is_reversed
    )
    with call.reading() as tracker:
        wanted = asked.wanted(tracker, plain)
        if is_explained:
            _explain(call, tracker, replace(wanted, limit=limit))
        elif is_count:
            count = listing.count_issues(tracker, replace(wanted, limit=limit))
            call.emit(lambda: {"count": count}, lambda: [str(count)])
        else:
            # One more than is shown tells whether there are more.
            found = tracker.find(replace(wanted, limit=None if limit is None else limit + 1))
            _show(call, found[:limit], tracker.pending_ids(), form, is_long=is_long)
            if not found:
                call.say("no issues" if wanted == IssueFilter() else "no such issues")
            elif limit is not None and len(found) > limit:
                call.say(f"the first {limit}; there are more")


def _explain(call: Invocation, tracker: Tracker, wanted: IssueFilter) -> None:
    statement, plan = listing.explain(tracker, wanted)
    call.emit(
        lambda: {"sql": statement.sql, "params": list(statement.params), "plan": plan},
        lambda: [
            statement.sql,
            *(f"  ?{number}: {printable(repr(value))}" for number, value in enumerate(statement.params, 1)),
            *plan,
        ],
    )


def _show(call: Invocation, issues: Sequence[Issue], pending: set[str], form: str | None, *, is_long: bool) -> None:
    if form not in (None, "table", "json"):
        _show_rows(call, issues, form)
    elif form == "json" or (call.as_json and form is None):
        print_json([issue_document(issue, pending=issue.id in pending) for issue in issues])
    elif call.as_json:
        raise UsageError("--json and --format table are two forms", "ask for one of them")
    else:
        print_lines((long_issue_lines if is_long else issue_lines)(issues, pending))


def _show_rows(call: Invocation, issues: Sequence[Issue], form: str) -> None:
    # The forms that a list has anyway do not pay for the others.
    from cli.formats import Format, chosen_format, print_rows  # noqa: PLC0415 - see above

    if form not in tuple(Format):
        raise UsageError(f"there is no format {printable(form[:40])}", f"use one of {', '.join(Format)}")
    columns = ["id", *(column.name for column in Issue.replica_columns), "updated_at"]
    rows = ((issue.id, *issue.to_row().values(), issue.updated_at) for issue in issues)
    print_rows(columns, rows, chosen_format(Format(form), as_json=call.as_json), name="issues")
