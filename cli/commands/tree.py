"""`td tree` and `td critical-path`: how issues hang together, and in which order they are to be done."""

from typing import Annotated

import typer

from cli.documents import issue_document
from cli.formats import FormatOption
from cli.invocation import Invocation, command
from cli.options import Limit
from cli.render import issue_line
from cli.rows import emit_documents
from cli.text import BOLD, DIM, paint
from tracker import CriticalPath, Issue, planning

app = typer.Typer()

_COLUMNS = ("id", "title", "status", "priority", "type", "parent_id", "depth")


@command(app, "tree")
def tree(
    call: Invocation,
    issue_id: Annotated[
        str | None,
        typer.Argument(help="The issue at the top. Default: all that are part of none.", metavar="[ID]"),
    ] = None,
    *,
    depth: Annotated[int | None, typer.Option("--depth", min=0, help="At most so deep.", metavar="N")] = None,
    everything: Annotated[bool, typer.Option("--all", help="The closed ones too.")] = False,
    form: FormatOption = None,
) -> None:
    """Show issues with their parts below them."""
    with call.reading() as tracker:
        top = None if issue_id is None else tracker.get(issue_id)
        found = planning.tree(tracker, top, depth=depth, with_closed=everything)
    documents = [{**_named(issue), "depth": deep} for issue, deep in found]
    emit_documents(call, form, documents, lambda: _tree_lines(found), name="issues", columns=_COLUMNS)
    if not found:
        call.say("no issues")


def _named(issue: Issue) -> dict[str, object]:
    return {
        "id": issue.id,
        "title": issue.title,
        "status": issue.status.value,
        "priority": issue.priority.value,
        "type": issue.type.value,
        "parent_id": issue.parent_id,
    }


def _tree_lines(found: list[tuple[Issue, int]]) -> list[str]:
    lines = []
    for number, (issue, depth) in enumerate(found):
        rails = ""
        for level in range(1, depth + 1):
            goes_on = _goes_on(found, number, level)
            is_own = level == depth
            rails += ("├── " if goes_on else "└── ") if is_own else ("│   " if goes_on else "    ")
        lines.append(paint(rails, DIM) + issue_line(issue))
    return lines


def _goes_on(found: list[tuple[Issue, int]], number: int, level: int) -> bool:
    """Whether another issue of this level comes below, under the same one."""
    for _, depth in found[number + 1 :]:
        if depth < level:
            return False
        if depth == level:
            return True
    return False


@command(app, "critical-path")
def critical_path(call: Invocation, limit: Limit = 10) -> None:
    """Show in which order what is not done is to be done."""
    with call.reading() as tracker:
        found, pending = planning.critical_path(tracker, limit=limit), tracker.pending_ids()
    call.emit(
        lambda: {
            "critical_path": [
                {"issue": issue_document(issue, pending=issue.id in pending), "frees": count}
                for issue, count in found.order
            ],
            "ready_to_start": [issue_document(issue, pending=issue.id in pending) for issue in found.ready],
            "bottleneck_ranking": [
                {"issue": issue_document(issue, pending=issue.id in pending), "frees": count}
                for issue, count in found.bottlenecks
            ],
        },
        lambda: _path_lines(found),
    )
    if not found.order:
        call.say("nothing is left to do")


def _path_lines(found: CriticalPath) -> list[str]:
    lines = []
    if found.order:
        lines += [paint("CRITICAL PATH SEQUENCE", BOLD)]
        lines += [f"{number:>3}. {issue_line(issue)}{_frees(n)}" for number, (issue, n) in enumerate(found.order, 1)]
    if found.ready:
        lines += ["", paint("START NOW", BOLD), *(f"  {issue_line(issue)}" for issue in found.ready)]
    if found.bottlenecks:
        lines += ["", paint("BOTTLENECKS", BOLD)]
        lines += [f"  {issue_line(issue)}{_frees(count)}" for issue, count in found.bottlenecks]
    return lines


def _frees(count: int) -> str:
    return paint(f"  frees {count}", DIM) if count else ""
