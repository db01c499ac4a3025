"""What a filter means, said in Python: whether an issue fits, from the rows themselves.

Slow and plain on purpose: it is what the SQL is held against. Always true: nothing here looks at SQL, nor at how it is
made.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import TypeVar

from tracker.records import Comment, Dependency, FileLink, Handoff, Issue, IssueType, Log, Review, Status
from tracker.tdq import All, Any, Call, Comparison, Condition, Not, Operator, Value, Words

_COLUMNS = {
    "created": "created_at",
    "updated": "updated_at",
    "closed": "closed_at",
    "deleted": "deleted_at",
    "reviewed": "reviewed_at",
    "moved": "status_at",
    "due": "due_date",
    "defer": "defer_until",
    "implementer": "implementer_session",
    "requester": "review_requested_by",
    "creator": "creator_session",
    "closer": "closed_by_session",
    "branch": "created_branch",
    "parent": "parent_id",
    "timestamp": "created_at",
}
_ALIASES = {"high": "P1", "0": "P0", "in-review": "in_review", "OPEN": "open", "story": "feature"}
_MAY_BE_MISSING = (
    "points",
    "defer_count",
    "created",
    "updated",
    "closed",
    "deleted",
    "reviewed",
    "moved",
    "due",
    "defer",
)
_Row = Issue | Comment | Log | Handoff | FileLink | Review
_OfIssue = TypeVar("_OfIssue", Handoff, Review)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All rows of a tracker, and who asks when and where."""

    today: date
    zone: tzinfo
    me: str
    issues: Sequence[Issue]
    comments: Sequence[Comment] = ()
    logs: Sequence[Log] = ()
    handoffs: Sequence[Handoff] = ()
    files: Sequence[FileLink] = ()
    reviews: Sequence[Review] = ()
    dependencies: Sequence[Dependency] = ()
    pending: frozenset[str] = frozenset()

    def fits(self, issue: Issue, condition: Condition) -> bool:
        """Whether the issue fits."""
        match condition:
            case Words():
                return any(_holds(text, condition.text) for text in (issue.id, issue.title, issue.description))
            case Not():
                return not self.fits(issue, condition.condition)
            case All():
                return all(self.fits(issue, part) for part in condition.conditions)
            case Any():
                return any(self.fits(issue, part) for part in condition.conditions)
            case Call():
                return _FUNCTIONS[condition.name](self, issue, condition.arguments)
            case Comparison():
                return self._compared(issue, condition)

    def _compared(self, issue: Issue, asked: Comparison) -> bool:
        of, dot, name = asked.name.partition(".")
        is_negated = asked.operator in (Operator.IS_NOT, Operator.HAS_NOT)
        if dot:
            rows = self.related(issue, of)
            return is_negated is not any(self._fits_rows(rows, name, asked, value) for value in asked.values)
        if of in ("epic", "dep"):
            return is_negated is not any(self._is_related(issue, of, value) for value in asked.values)
        held = issue.reviewer_session if of == "reviewer" else getattr(issue, _COLUMNS.get(of, of))
        if of == "updated":
            # A stamp is text, and means a moment.
            held = datetime.fromisoformat(issue.updated_at)
        if is_negated and of in _MAY_BE_MISSING and held is None:
            return False
        return is_negated is not any(self._value_fits(held, asked.operator, value) for value in asked.values)

    def related(self, issue: Issue, of: str) -> Sequence[_Row]:
        """The rows that an issue has of a kind."""
        if of in ("parent", "epic", "dep"):
            above = self._ancestors(issue)
            ids = {"parent": above[:1], "epic": above, "dep": self._targets(issue)}[of]
            found = [row for row in self.issues if row.id in ids and row.deleted_at is None]
            return [row for row in found if row.type is IssueType.EPIC] if of == "epic" else found
        if of == "handoff":
            return _latest([row for row in self.handoffs if row.issue_id == issue.id])
        tables: Mapping[str, Sequence[Comment | Log | FileLink | Review]] = {
            "comment": self.comments,
            "log": self.logs,
            "file": self.files,
            "review": self.reviews,
        }
        return [row for row in tables[of] if row.issue_id == issue.id]

    def _ancestors(self, issue: Issue) -> list[str]:
        parents = {row.id: row.parent_id for row in self.issues}
        found: list[str] = []
        above = issue.parent_id
        while above is not None and above not in found:
            found.append(above)
            above = parents.get(above)
        return found

    def _targets(self, issue: Issue) -> list[str]:
        return [row.depends_on_id for row in self.dependencies if row.issue_id == issue.id]

    def _is_related(self, issue: Issue, of: str, value: Value) -> bool:
        if value.text == "EMPTY":
            return not self.related(issue, of)
        ids = self._ancestors(issue) if of == "epic" else self._targets(issue)
        return any(one.startswith(value.text) for one in ids)

    def _fits_rows(self, rows: Sequence[_Row], name: str, asked: Comparison, value: Value) -> bool:
        column = "reviewer_session" if name == "reviewer" else _COLUMNS.get(name, name)
        held = [getattr(row, column) for row in rows]
        if _is_empty(value) and asked.operator in (Operator.IS, Operator.IS_NOT):
            return all(one in (None, "", frozenset(), ()) for one in held)
        return any(self._value_fits(one, asked.operator, value) for one in held)

    def _value_fits(self, held: object, operator: Operator, value: Value) -> bool:
        """Whether a value fits, by the positive of the operator."""
        if operator in (Operator.HAS, Operator.HAS_NOT):
            texts = held if isinstance(held, frozenset | tuple) else [] if held is None else [held]
            return any(_holds(str(text), value.text) for text in texts)
        if _is_empty(value):
            return held in (None, "", frozenset(), ())
        return held is not None and self._is(held, operator, value)

    def _is(self, held: object, operator: Operator, value: Value) -> bool:
        match held:
            case datetime() | date():
                day = held.astimezone(self.zone).date() if isinstance(held, datetime) else held
                return _stretch_fits(day, operator, self._days(value.text))
            case frozenset() | tuple():
                return value.text in held
            case bool():
                return held is (value.text == "true")
            case int():
                return _ordered(held - int(value.text), operator)
            case StrEnum():
                wanted = _ALIASES.get(value.text, value.text)
                return _ordered((held.value > wanted) - (held.value < wanted), operator)
        return self._text_fits(str(held), value)

    def _text_fits(self, held: str, value: Value) -> bool:
        if not value.is_quoted and value.text.startswith("td-"):
            return held.startswith(value.text)
        return held == (self.me if value.text == "@me" else value.text)

    def _days(self, typed: str) -> tuple[date, date]:
        """The first and the last day that are meant."""
        monday = self.today - timedelta(days=self.today.weekday())
        weeks = {"last_week": -7, "this_week": 0, "next_week": 7}
        if typed in weeks:
            start = monday + timedelta(days=weeks[typed])
            return start, start + timedelta(days=6)
        if typed == "this_month":
            first = self.today.replace(day=1)
            return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        offsets = {"today": 0, "yesterday": -1, "tomorrow": 1, "-2d": -2, "+1d": 1, "-1w": -7}
        day = self.today + timedelta(days=offsets[typed]) if typed in offsets else date.fromisoformat(typed)
        return day, day

    def is_deferred(self, issue: Issue) -> bool:
        """Whether it is put off to a later day."""
        return issue.defer_until is not None and issue.defer_until > self.today

    def has_open_target(self, issue: Issue) -> bool:
        """Whether it waits for one that is neither closed nor deleted."""
        targets = self._targets(issue)
        return any(
            row.id in targets and row.deleted_at is None and row.status is not Status.CLOSED for row in self.issues
        )

    def is_in_state(self, issue: Issue, state: str) -> bool:
        """What `is(STATE)` asks."""
        if state in (*Status, *IssueType):
            return state in (issue.status, issue.type)
        is_late = issue.due_date is not None and issue.due_date < self.today
        is_free = not self.is_deferred(issue) and not self.has_open_target(issue)
        return {
            "ready": issue.status is Status.OPEN and is_free,
            "overdue": is_late and issue.status is not Status.CLOSED,
            "deferred": self.is_deferred(issue),
            "deleted": issue.deleted_at is not None,
            "minor": issue.minor,
            "mine": issue.implementer_session == self.me,
            "conflicted": False,
            "pending": issue.id in self.pending,
        }[state]

    def has(self, issue: Issue, what: str) -> bool:
        """What `has(FIELD)` asks."""
        if what == "children":
            return any(row.parent_id == issue.id and row.deleted_at is None for row in self.issues)
        if what in ("deps", "epic", "comments", "log", "files", "handoffs"):
            return bool(self.related(issue, what.removesuffix("s")))
        held = getattr(issue, _COLUMNS.get(what, what))
        return held not in (None, "", frozenset())

    def blocks(self, issue: Issue, ids: Iterable[str]) -> bool:
        """Whether one of `ids`, or what begins so, waits for it."""
        waiting = [row.issue_id for row in self.dependencies if row.depends_on_id == issue.id]
        return any(one.startswith(begun) for begun in ids for one in waiting)

    def needs_rework(self, issue: Issue) -> bool:
        """Whether its last review sent it back."""
        last = _latest([row for row in self.reviews if row.issue_id == issue.id])
        is_back = issue.status in (Status.OPEN, Status.IN_PROGRESS)
        return is_back and any(row.decision.value == "changes_requested" for row in last)


_Called = Callable[[World, Issue, tuple[Value, ...]], bool]


def _as(name: str, operator: Operator = Operator.IS) -> _Called:
    return lambda world, issue, values: world.fits(issue, Comparison(name, operator, values))


_FUNCTIONS: dict[str, _Called] = {
    "is": lambda world, issue, values: world.is_in_state(issue, values[0].text),
    "has": lambda world, issue, values: world.has(issue, values[0].text),
    "is_ready": lambda world, issue, _: world.is_in_state(issue, "ready"),
    "has_open_deps": lambda world, issue, _: world.has_open_target(issue),
    "has_children": lambda world, issue, _: world.has(issue, "children"),
    "rework": lambda world, issue, _: world.needs_rework(issue),
    "blocks": lambda world, issue, values: world.blocks(issue, [value.text for value in values]),
    "blocked_by": _as("dep"),
    "child_of": _as("parent"),
    "descendant_of": _as("epic"),
    "label": _as("labels"),
    "labels": _as("labels"),
    "linked_to": _as("file.path", Operator.HAS),
    "any": lambda _, issue, values: any(value.text in issue.labels for value in values[1:]),
    "all": lambda _, issue, values: all(value.text in issue.labels for value in values[1:]),
    "none": lambda _, issue, values: not any(value.text in issue.labels for value in values[1:]),
}


def _is_empty(value: Value) -> bool:
    return value.text == "EMPTY" and not value.is_quoted


def _latest(rows: list[_OfIssue]) -> list[_OfIssue]:
    return sorted(rows, key=lambda row: (row.created_at, row.id))[-1:]


def _holds(text: str, wanted: str) -> bool:
    return wanted.lower() in text.lower()


def _stretch_fits(day: date, operator: Operator, days: tuple[date, date]) -> bool:
    first, last = days
    return {
        Operator.BEFORE: day < first,
        Operator.UP_TO: day <= last,
        Operator.AFTER: day > last,
        Operator.FROM: day >= first,
    }.get(operator, first <= day <= last)


def _ordered(difference: int, operator: Operator) -> bool:
    return {
        Operator.BEFORE: difference < 0,
        Operator.UP_TO: difference <= 0,
        Operator.AFTER: difference > 0,
        Operator.FROM: difference >= 0,
    }.get(operator, difference == 0)
