"""`td dep`, `td depends-on`, `td blocked-by`: which issue waits for which."""

from typing import Annotated

import typer

from cli.errors import UsageError
from cli.formats import FormatOption
from cli.invocation import Invocation, command
from cli.options import IssueId
from cli.render import issue_line
from cli.rows import emit_documents
from cli.text import paint
from tracker import Dependency, Issue, Status, Tracker, dependencies, planning

app = typer.Typer()

_COLUMNS = ("id", "title", "status", "priority", "type", "depth")


@command(app, "dep")
def dep(
    call: Invocation,
    words: Annotated[
        list[str],
        typer.Argument(
            help="ID shows what it waits for; ID NEEDED, or add ID NEEDED..., lets it wait; rm ID NEEDED... ends that.",
            metavar="[add|rm] ID [NEEDED...]",
        ),
    ],
    depends_on: Annotated[
        list[str] | None, typer.Option("--depends-on", help="What it waits for.", metavar="ID")
    ] = None,
    blocking: Annotated[bool, typer.Option("--blocking", help="Show what waits for it instead.")] = False,
    form: FormatOption = None,
) -> None:
    """Let an issue wait for others, or show what it waits for."""
    verb, *rest = words if words[0] in ("add", "rm", "remove") else ["", *words]
    needed = [*rest[1:], *(depends_on or [])]
    if not rest or (verb and not needed):
        raise UsageError(
            f"dep {verb} needs an issue, and what it waits for".replace("  ", " "), "as in: td dep add A B"
        )
    if not needed:
        _show(call, rest[0], form, is_blocking=blocking)
        return
    with call.tracker() as tracker:
        issue = tracker.get(rest[0])
        if verb in ("rm", "remove"):
            _emit(call, "dependency_removed", issue, dependencies.remove(tracker, issue.id, needed))
        else:
            _emit(call, "dependency_added", issue, dependencies.add(tracker, issue.id, needed))


def _emit(call: Invocation, action: str, issue: Issue, changed: list[Dependency]) -> None:
    word = "DEPENDS ON" if action == "dependency_added" else "NO LONGER DEPENDS ON"
    ids = [one.depends_on_id for one in changed]
    call.emit(
        lambda: {"action": action if changed else "unchanged", "id": issue.id, "depends_on": ids},
        lambda: [f"{issue.id} {word} {other}" for other in ids] or [f"UNCHANGED {issue.id}"],
    )


@command(app, "depends-on")
def depends_on_(call: Invocation, issue_id: IssueId, form: FormatOption = None) -> None:
    """Show what an issue waits for."""
    _show(call, issue_id, form, is_blocking=False)


@command(app, "blocked-by")
def blocked_by(
    call: Invocation,
    issue_id: IssueId,
    direct: Annotated[bool, typer.Option("--direct", help="Only what waits for it itself.")] = False,
    form: FormatOption = None,
) -> None:
    """Show what waits for an issue, over others too."""
    _show(call, issue_id, form, is_blocking=True, is_direct=direct)


def _show(call: Invocation, typed: str, form: FormatOption, *, is_blocking: bool, is_direct: bool = True) -> None:
    with call.reading() as tracker:
        issue = tracker.get(typed)
        found = _found(tracker, issue, is_blocking=is_blocking, is_direct=is_direct)
    documents = [
        {
            "id": one.id,
            "title": one.title,
            "status": one.status.value,
            "priority": one.priority.value,
            "type": one.type.value,
            "depth": depth,
        }
        for one, depth in found
    ]
    emit_documents(call, form, documents, lambda: _lines(issue, found, is_blocking=is_blocking), name="issues",
              columns=_COLUMNS)  # fmt: skip


def _found(tracker: Tracker, issue: Issue, *, is_blocking: bool, is_direct: bool) -> list[tuple[Issue, int]]:
    if is_blocking:
        return planning.waiting_for(tracker, issue, is_direct=is_direct)
    return planning.needs(tracker, issue)


def _lines(issue: Issue, found: list[tuple[Issue, int]], *, is_blocking: bool) -> list[str]:
    head = issue_line(issue)
    if not found:
        return [head, f"└── {'nothing waits for it' if is_blocking else 'it waits for nothing'}"]
    open_ones = [one for one, _ in found if one.status is not Status.CLOSED]
    word = "blocks:" if is_blocking else "depends on:"
    told = f"{len(open_ones)} {'waiting' if is_blocking else 'blocking'}, {len(found) - len(open_ones)} resolved"
    return [
        head,
        f"└── {word}",
        *(f"    {'    ' * (depth - 1)}{issue_line(one)}" for one, depth in found),
        paint(told, "2"),
    ]
