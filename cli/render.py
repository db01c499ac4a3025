"""How issues, conflicts and the like look to a person.

Always true: an issue takes one line in a list, and what people wrote is shown without control characters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from cli.documents import field_value
from cli.text import (
    BOLD,
    CYAN,
    DIM,
    GREEN,
    RED,
    YELLOW,
    aligned,
    paint,
    painter,
    printable,
    short_moment,
)
from tracker import BOOKKEEPING, Priority, Status, moment_text, other_fields

if TYPE_CHECKING:
    from tracker import Author, Conflict, HistoryEntry, Issue, Mutation, RowChange

_PRIORITY_COLOURS: Final = {Priority.P0: RED, Priority.P1: YELLOW, Priority.P3: DIM, Priority.P4: DIM}
_STATUS_COLOURS: Final = {
    Status.IN_PROGRESS: CYAN,
    Status.BLOCKED: RED,
    Status.IN_REVIEW: YELLOW,
    Status.CLOSED: GREEN,
}
_VALUE_LENGTH_MAX: Final = 60
_HERE: Final = re.compile(r"\bhere\b")
_Brush = Callable[[str, str], str]
Reader = tuple[str, str]
"""Who reads it: the session and the machine."""
_NOT_TOLD: Final = ("created_at", "creator_session")


def issue_lines(issues: Sequence[Issue], pending: AbstractSet[str]) -> list[str]:
    """A list of issues, a line each."""
    plain = [(printable(issue.id), issue.priority.value, issue.status.value, issue.type.value) for issue in issues]
    if not plain:
        return []
    # Aligned before it is coloured: colours take no room.
    widths = [max(map(len, column)) for column in zip(*plain, strict=True)]
    brush = painter()
    return [_issue_line(issue, widths, brush, is_pending=issue.id in pending) for issue in issues]


def long_issue_lines(issues: Sequence[Issue], pending: AbstractSet[str]) -> list[str]:
    """A list of issues, two lines each: the second has what is known besides."""
    return [
        line
        for issue, first in zip(issues, issue_lines(issues, pending), strict=True)
        for line in (first, f"  {_facts_line(issue)}")
    ]


def _facts_line(issue: Issue) -> str:
    facts = (
        ("created", short_moment(moment_text(issue.created_at))),
        ("updated", short_moment(issue.updated_at)),
        ("closed", issue.closed_at and short_moment(moment_text(issue.closed_at))),
        ("by", issue.implementer_session),
        ("points", issue.points),
        ("due", issue.due_date),
        ("until", issue.defer_until),
        ("sprint", issue.sprint),
        ("parent", issue.parent_id),
    )
    return paint("  ".join(f"{name} {printable(str(fact))}" for name, fact in facts if fact), DIM)


def _issue_line(issue: Issue, widths: Sequence[int], paint: _Brush, *, is_pending: bool) -> str:
    parts = [
        paint(printable(issue.id).ljust(widths[0]), BOLD),
        paint(issue.priority.value.ljust(widths[1]), _PRIORITY_COLOURS.get(issue.priority, "")),
        paint(issue.status.value.ljust(widths[2]), _STATUS_COLOURS.get(issue.status, "")),
        paint(issue.type.value.ljust(widths[3]), DIM),
        printable(issue.title),
    ]
    if issue.labels:
        parts.append(paint("[" + " ".join(map(printable, sorted(issue.labels))) + "]", CYAN))
    if issue.deleted_at is not None:
        parts.append(paint("(deleted)", RED))
    if is_pending:
        parts.append(paint("(pending)", YELLOW))
    return "  ".join(parts)


def issue_line(issue: Issue) -> str:
    """One issue in one line, where it stands among other things: `td-7x2k9m1p  P1  open  task  Buy oat milk`."""
    widths = (len(issue.id), 2, 0, 0)
    return _issue_line(issue, widths, painter(), is_pending=False)


def change_line(action: str, issue_id: str, *, pending: bool) -> str:
    """A change to an issue: `CREATED td-7x2k9m1p (pending)`."""
    line = f"{action.upper()} {printable(issue_id)}"
    return f"{line} {paint('(pending)', YELLOW)}" if pending else line


def conflict_lines(
    conflict: Conflict, reader: Reader, *, is_open: bool = True, names: Mapping[str, str] = MappingProxyType({})
) -> list[str]:
    """A conflict: what it is about, what each side wants, what comes in either way, and how to settle it.

    names: how sessions are called that have a name.
    """
    is_mine = reader == (conflict.mine_by.session, conflict.mine_by.machine)
    # Here and mine are true only where the change was made.
    reason = (
        conflict.reason if is_mine else _HERE.sub(lambda _: f"by {_called(conflict.mine_by, names)}", conflict.reason)
    )
    head = f"{paint(conflict.id, BOLD)}  {conflict.table} {conflict.row_id}  {printable(reason)}"
    lines = [head if is_open else f"{head}  (settled)"]
    for name, field in conflict.fields.items():
        lines.append(f"  {paint(name, CYAN)}")
        by = field.theirs_by or conflict.theirs_by
        sides = [
            ("before", told_value(name, field.before), ""),
            _side("mine", told_value(name, field.mine), conflict.mine_by, names, is_named=not is_mine),
            _side("theirs", told_value(name, field.theirs), by, names, is_named=not is_mine),
        ]
        lines += [f"    {line}" for line in aligned(sides)]
    lines += _other_lines(conflict)
    if is_open:
        lines.append(f"  settle it: td resolve {conflict.id} --mine | --theirs | --set FIELD=VALUE")
    return lines


def _other_lines(conflict: Conflict) -> list[str]:
    others = other_fields(conflict)
    if not others:
        return []
    head = "also changed, and kept whichever side is taken:" if conflict.fields else "the change that waits:"
    told = [(name, told_value(name, before), "->", told_value(name, new)) for name, (before, new) in others.items()]
    return [f"  {head}", *(f"    {line}" for line in aligned(told))]


def _called(author: Author, names: Mapping[str, str]) -> str:
    return printable(names.get(author.session, author.session))


def _side(
    choice: str, value: str, author: Author | None, names: Mapping[str, str], *, is_named: bool
) -> tuple[str, str, str]:
    """One side of a field: by the option that takes it where that is true of the reader, else by who made it."""
    if author is None:
        return f"--{choice}" if is_named else choice, value, "by somebody unknown"
    session, where = _called(author, names), f"on {printable(author.machine)} at {author.at}"
    return (session, value, f"{where}  (--{choice})") if is_named else (choice, value, f"by {session} {where}")


def history_lines(entries: Iterable[HistoryEntry]) -> list[str]:
    """What happened to a row, oldest first."""
    lines = []
    for entry in entries:
        pending = paint("  (pending)", YELLOW) if entry.pending else ""
        who = f"by {printable(entry.session)} on {printable(entry.machine)}"
        lines.append(f"{short_moment(entry.at)}  {paint(entry.kind.value, BOLD)}  {who}  {entry.mutation_id}{pending}")
        lines += [f"    {line}" for line in _told_changes(entry)]
    return lines


def row_change_lines(change: RowChange) -> list[str]:
    """What SQL does to one row: its id, and its fields as history tells them."""
    lines = [f"  {paint(change.row_id, BOLD)}"]
    for name, (before, new) in change.fields().items():
        if change.kind.value == "update":
            lines.append(f"    {name}: {told_value(name, before)} -> {told_value(name, new)}")
        elif (value := before if change.after is None else new) not in (None, "", "[]", 0) and name not in _NOT_TOLD:
            lines.append(f"    {name}: {told_value(name, value)}")
    return lines


def _told_changes(entry: HistoryEntry) -> list[str]:
    if entry.kind.value == "insert":
        return [
            f"{name}: {told_value(name, new)}"
            for name, (_, new) in entry.fields.items()
            if new not in (None, "", "[]", 0) and name not in _NOT_TOLD
        ]
    return [
        f"{name}: {told_value(name, before)} -> {told_value(name, new)}" for name, (before, new) in entry.fields.items()
    ]


def told_value(name: str, value: object) -> str:
    """A value of a field in one line, quoted as JSON, and cut where it is long."""
    text = printable(json.dumps(field_value(name, value), ensure_ascii=False))
    return text if len(text) <= _VALUE_LENGTH_MAX else text[: _VALUE_LENGTH_MAX - 3] + "..."


def pending_lines(mutations: Iterable[Mutation]) -> list[str]:
    """The changes that wait, in the order they were made; what td writes down beside them is left out."""
    lines = []
    for mutation in mutations:
        told = [change for change in mutation.changes if change.table not in BOOKKEEPING] or mutation.changes
        for change in told:
            fields = ", ".join(change.fields) if change.kind.value == "update" else ""
            parts = (short_moment(mutation.made_at), change.kind.value, change.table, change.row_id, fields)
            lines.append("  ".join(part for part in parts if part))
    return lines
