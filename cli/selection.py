"""The options by which a list is narrowed, and the issues they mean together.

Always true: each option is a condition of the filter language, so that an option and the same thing said in `--filter`
mean the same; the language is loaded only where there is one of them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from cli.errors import UsageError
from tracker import IssueFilter, Tracker, parse_labels, parse_status, parse_type, sessions

if TYPE_CHECKING:
    from tracker import tdq


def _texts(*names: str, told: str, metavar: str) -> object:
    return typer.Option(*names, help=told, metavar=metavar, show_default=False)


Filter = Annotated[str | None, _texts("--filter", "-f", told="Only those that a filter describes.", metavar="FILTER")]
Ids = Annotated[list[str] | None, _texts("--id", "-i", told="Only these; may be given several times.", metavar="ID")]
Statuses = Annotated[
    list[str] | None,
    _texts("--status", "-s", told="Only those of this status; several, with commas; or all.", metavar="STATUS"),
]
Types = Annotated[list[str] | None, _texts("--type", "-t", told="Only those of this type; or several.", metavar="TYPE")]
Labels = Annotated[
    list[str] | None,
    _texts(
        "--label",
        "--labels",
        "--tag",
        "--tags",
        "-l",
        told="Only those with this label; several: with all of them.",
        metavar="LABEL",
    ),
]
Priorities = Annotated[
    str | None, _texts("--priority", "-p", told="Only of this priority: P1, P0,P1, <=P1.", metavar="PRIORITY")
]
Points = Annotated[str | None, _texts("--points", told="Only of so many points: 3, >=5, 2-5.", metavar="POINTS")]
Search = Annotated[
    str | None, _texts("--search", "-q", told="Only with this text in id, title or description.", metavar="TEXT")
]
Implementer = Annotated[
    str | None, _texts("--implementer", told="Only those that this session has; @me is you.", metavar="SESSION")
]
Reviewer = Annotated[str | None, _texts("--reviewer", told="Only those that this session reviewed.", metavar="SESSION")]
Parent = Annotated[
    str | None, _texts("--parent", told="Only the parts of this issue; . is the one in focus.", metavar="ID")
]
Epic = Annotated[
    str | None, _texts("--epic", told="Only what is below this issue, at any depth; . is in focus.", metavar="ID")
]
Created = Annotated[str | None, _texts("--created", told="Only created then: today, >=2026-05-01.", metavar="DATE")]
Updated = Annotated[str | None, _texts("--updated", told="Only changed then: this_week, >-6h.", metavar="DATE")]
Closed = Annotated[str | None, _texts("--closed", told="Only closed then: last_month.", metavar="DATE")]
Sort = Annotated[str | None, _texts("--sort", told="Order by this field; -updated: the last first.", metavar="FIELD")]
Mine = Annotated[bool, typer.Option("--mine", "-m", help="Only those that you have.")]
Open = Annotated[bool, typer.Option("--open", "-o", help="Only those that are open.")]
Deferred = Annotated[bool, typer.Option("--deferred", help="Only those that are put off to a later day.")]
Surfacing = Annotated[bool, typer.Option("--surfacing", help="Only those that were put off until today or before.")]
Overdue = Annotated[bool, typer.Option("--overdue", help="Only those that should have been done before today.")]
DueSoon = Annotated[bool, typer.Option("--due-soon", help="Only those due within three days.")]
WithClosed = Annotated[bool, typer.Option("--all", "-a", help="The closed and the deferred ones too.")]
WithDeleted = Annotated[bool, typer.Option("--deleted", help="The deleted ones too.")]
Reversed = Annotated[bool, typer.Option("--reverse", "-r", help="The other way round.")]

_STATES: Final = {
    "is_open": "status = open",
    "mine": "implementer = @me",
    "deferred": "is(deferred)",
    "surfacing": "defer <= today",
    "overdue": "is(overdue)",
    "due_soon": "due >= today AND due <= +3d AND status != closed",
}
_RANGE: Final = re.compile(r"\s*(\d+)\s*-\s*(\d+)\s*")


class Selection(NamedTuple):
    """What was asked for, as it was typed; None and False ask for nothing.

    A named tuple, because every list pays for it, and a dataclass of so many fields takes five times as long to make.
    """

    filter: str | None = None
    ids: Sequence[str] | None = None
    status: Sequence[str] | None = None
    type: Sequence[str] | None = None
    label: Sequence[str] | None = None
    priority: str | None = None
    points: str | None = None
    search: str | None = None
    implementer: str | None = None
    reviewer: str | None = None
    parent: str | None = None
    epic: str | None = None
    mine: bool = False
    is_open: bool = False
    created: str | None = None
    updated: str | None = None
    closed: str | None = None
    deferred: bool = False
    surfacing: bool = False
    overdue: bool = False
    due_soon: bool = False
    sort: str | None = None

    def wanted(self, tracker: Tracker, plain: IssueFilter) -> IssueFilter:
        """The issues of `plain` that it asks for. Raises CliError, TrackerError and as `Tracker.get`."""
        return plain if self == Selection() else _narrowed(self, tracker, plain)


def _narrowed(asked: Selection, tracker: Tracker, plain: IssueFilter) -> IssueFilter:
    # A list without any of these options does not pay for the language.
    from tracker import tdq  # noqa: PLC0415 - see above

    statuses = _words(asked.status)
    typed = tdq.Filter() if asked.filter is None else tdq.parse(asked.filter)
    conditions = [
        typed.condition,
        _one_of("id", asked.ids or ()),
        _one_of("status", [] if "all" in statuses else [parse_status(one).value for one in statuses]),
        _one_of("type", [parse_type(one).value for one in _words(asked.type)]),
        *(_one_of("labels", [label]) for label in sorted(parse_labels(asked.label or ()))),
        *(condition for name, read in _READ.items() for condition in read(name, getattr(asked, name), tracker)),
        *(tdq.parse(meant).condition for name, meant in _STATES.items() if getattr(asked, name)),
    ]
    order = typed.sort if asked.sort is None else tdq.Sort(asked.sort.removeprefix("-"), asked.sort.startswith("-"))
    # What is wrong with the filter is told by its columns; what is wrong with an option has none.
    tdq.compile_filter(typed, tdq.Context(now=tracker.now(), me=tracker.session))
    wanted = tdq.Filter(tdq.both(*conditions), order)
    return replace(plain, filter=wanted, with_closed=plain.with_closed or "all" in statuses)


def _words(typed: Iterable[str] | None) -> list[str]:
    return [word.strip().lower() for text in typed or () for word in text.split(",")]


def _one_of(name: str, values: Iterable[str]) -> "tdq.Condition | None":
    from tracker import tdq  # noqa: PLC0415 - see _narrowed

    found = tuple(tdq.Value(value, is_quoted=True) for value in values)
    return tdq.Comparison(name, tdq.Operator.IS, found) if found else None


_Conditions = list["tdq.Condition | None"]


def _compared(name: str, typed: str | None, _tracker: Tracker) -> _Conditions:
    from tracker import tdq  # noqa: PLC0415 - see _narrowed

    return [] if typed is None else [tdq.parse_comparison(name, typed)]


def _points(name: str, typed: str | None, tracker: Tracker) -> _Conditions:
    found = None if typed is None else _RANGE.fullmatch(typed)
    if found is None:
        return _compared(name, typed, tracker)
    return [*_compared(name, f">={found[1]}", tracker), *_compared(name, f"<={found[2]}", tracker)]


def _searched(_name: str, typed: str | None, _tracker: Tracker) -> _Conditions:
    from tracker import tdq  # noqa: PLC0415 - see _narrowed

    return [] if typed is None else [tdq.Words(typed)]


def _session(name: str, typed: str | None, tracker: Tracker) -> _Conditions:
    if typed is None:
        return []
    return [_one_of(name, [sessions.find(tracker, typed)])]


def _issue(name: str, typed: str | None, tracker: Tracker) -> _Conditions:
    if typed is None:
        return []
    if typed == "." and tracker.desk.focus is None:
        raise UsageError("no issue is in focus", "name one, or focus on it first: td focus ID")
    return [_one_of(name, [tracker.get(str(tracker.desk.focus) if typed == "." else typed).id])]


_READ: Final[Mapping[str, Callable[[str, str | None, Tracker], _Conditions]]] = {
    "priority": _compared,
    "points": _points,
    "search": _searched,
    "implementer": _session,
    "reviewer": _session,
    "parent": _issue,
    "epic": _issue,
    "created": _compared,
    "updated": _compared,
    "closed": _compared,
}
