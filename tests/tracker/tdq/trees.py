"""Filters by chance: trees as the parser makes them, of fields that there are and values that they can have."""

from collections.abc import Mapping
from typing import Final

from hypothesis import strategies as st

from tracker.records import Decision, FileRole, IssueType, LogType, Priority, Status
from tracker.tdq import All, Any, Call, Comparison, Condition, Filter, Not, Operator, Sort, Value, Words

TEXTS: Final = (
    "auth",
    "Auth bug",
    "fix",
    "zürich",
    "ÄRGER",
    "100%",
    "a_b",
    'say "no"',
    "back\\slash",
    "x",
    "",
    "EMPTY",
)
LABELS: Final = ("backend", "ui", "back", 'q"end', "ärger")
SESSIONS: Final = ("ses_laptop_000001", "ses_desktop_000002", "")
WHOLE_IDS: Final = tuple(f"td-aaaaaa{number:02d}" for number in range(12))
IDS: Final = (*WHOLE_IDS, "td-aaaaaa", "td-aaaaaa0", "td-zzzzzzzz")
DATES: Final = (
    *("2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22", "today", "yesterday", "tomorrow", "-2d", "+1d", "-1w"),
    *("this_week", "last_week", "this_month", "next_week"),
)

_EQUAL = st.sampled_from([Operator.IS, Operator.IS_NOT])
_TEXTUAL = st.sampled_from([Operator.IS, Operator.IS_NOT, Operator.HAS, Operator.HAS_NOT])
_ORDER = st.sampled_from([Operator.BEFORE, Operator.AFTER, Operator.UP_TO, Operator.FROM])
_EMPTY = st.just(Value("EMPTY"))


def _bare(*words: str) -> st.SearchStrategy[Value]:
    return st.sampled_from(words).map(Value)


def _quoted(*texts: str) -> st.SearchStrategy[Value]:
    return st.sampled_from(texts).map(lambda text: Value(text, is_quoted=True))


_TEXT = _quoted(*TEXTS)
_SESSION = _quoted(*SESSIONS) | _bare("@me")
_DATE = _bare(*DATES)
_NUMBER = _bare("0", "1", "3", "5", "-2")

VALUES: Final[Mapping[str, st.SearchStrategy[Value]]] = {
    **dict.fromkeys(("title", "description", "acceptance", "sprint", "branch", "comment.text"), _TEXT),
    **dict.fromkeys(("log.message", "file.path", "review.summary", "parent.title", "epic.title", "dep.title"), _TEXT),
    **dict.fromkeys(("handoff.done", "handoff.remaining", "handoff.decisions", "handoff.uncertain"), _TEXT),
    **dict.fromkeys(("labels", "epic.labels", "dep.labels"), _quoted(*LABELS)),
    **dict.fromkeys(("implementer", "reviewer", "creator", "requester", "closer"), _SESSION),
    **dict.fromkeys(("log.session", "comment.session", "handoff.session", "review.reviewer"), _SESSION),
    **dict.fromkeys(("id", "parent", "epic", "dep", "parent.id", "dep.id", "epic.id"), _bare(*IDS)),
    **dict.fromkeys(("created", "updated", "closed", "deleted", "reviewed", "moved", "due", "defer"), _DATE),
    **dict.fromkeys(("log.created", "comment.created", "handoff.timestamp", "file.created", "dep.due"), _DATE),
    **dict.fromkeys(("status", "dep.status", "epic.status", "parent.status"), _bare(*Status, "OPEN", "in-review")),
    **dict.fromkeys(("type", "parent.type"), _bare(*IssueType, "story")),
    **dict.fromkeys(("priority", "dep.priority", "epic.priority"), _bare(*Priority, "high", "0")),
    **dict.fromkeys(("points", "defer_count", "dep.points"), _NUMBER),
    "minor": _bare("true", "no"),
    "log.type": _bare(*LogType),
    "file.role": _bare(*FileRole),
    "review.decision": _bare(*Decision),
}
"""Values that each field can have, as they are written."""

_ORDERED: Final = frozenset(
    name for name, values in VALUES.items() if values is _DATE or values is _NUMBER or name.endswith("priority")
)
_EXACT: Final = _ORDERED | {"minor", "epic", "dep"}


def _comparison(name: str) -> st.SearchStrategy[Condition]:
    values = VALUES[name]
    may_be_empty = values if name == "minor" else values | _EMPTY
    several = st.lists(may_be_empty, min_size=1, max_size=3).map(tuple)
    found = st.builds(Comparison, st.just(name), _EQUAL if name in _EXACT else _TEXTUAL, several)
    if name not in _ORDERED:
        return found
    return found | st.builds(Comparison, st.just(name), _ORDER, st.tuples(values))


_FIELD = st.sampled_from(sorted(VALUES))
_STATES = (*Status, *IssueType, "ready", "overdue", "deferred", "deleted", "minor", "mine", "conflicted", "pending")
_HAS = ("labels", "parent", "due", "points", "comments", "log", "files", "handoffs", "children", "deps", "epic")
_SOME_IDS = st.lists(_bare(*IDS), min_size=1, max_size=3)
_NO_VALUES: st.SearchStrategy[list[Value]] = st.just([])


def _asking(*names: str, values: st.SearchStrategy[list[Value]]) -> st.SearchStrategy[Call]:
    return st.builds(lambda name, given: Call(name, tuple(given)), st.sampled_from(names), values)


CALLS: Final = st.one_of(
    _asking("is", values=st.tuples(_bare(*_STATES)).map(list)),
    _asking("has", values=st.tuples(_bare(*_HAS)).map(list)),
    _asking("is_ready", "has_open_deps", "rework", "has_children", values=_NO_VALUES),
    _asking("blocks", "blocked_by", "child_of", "descendant_of", values=_SOME_IDS),
    _asking("label", "labels", values=st.lists(_quoted(*LABELS), min_size=1, max_size=2)),
    _asking("linked_to", values=st.tuples(_TEXT).map(list)),
    _asking("any", "all", "none", values=st.tuples(_bare("labels"), _quoted(*LABELS), _quoted(*LABELS)).map(list)),
)

LEAVES: Final = st.sampled_from(TEXTS).map(Words) | CALLS | _FIELD.flatmap(_comparison)


def _combined(below: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(below, min_size=2, max_size=4).map(tuple)
    return st.builds(Not, below) | st.builds(All, several) | st.builds(Any, several)


CONDITIONS: Final[st.SearchStrategy[Condition]] = st.recursive(LEAVES, _combined, max_leaves=8)
SORTS: Final = st.builds(
    Sort,
    st.sampled_from(["created", "updated", "closed", "priority", "id", "title", "status", "points", "due", "sprint"]),
    st.booleans(),
)
FILTERS: Final = st.builds(Filter, st.none() | CONDITIONS, st.none() | SORTS)
