"""JSON documents of any kind, and real ones with something wrong in them."""

import copy
import math
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st

Json = Any  # a JSON document of any shape

# Words that our readers look for, so that what is wrong is near what is right.
_WORDS: Final = [
    "results", "type", "ok", "error", "response", "result", "batch", "step_results", "step_errors", "cols", "rows",
    "name", "value", "message", "code", "replication_index", "null", "integer", "float", "text", "blob", "base64",
    "SQLITE_BUSY", "SQL_PARSE_ERROR", "no such table", "too large", "UNIQUE constraint failed", "insert", "update",
    "delete", "queued", "acknowledged", "items", "mode", "url", "local", "libsql", "fields", "[]", "{}", "[1]", "{",
    "2026-11-21T05:00:00.000000Z", "9999-12-31T23:59:59.999999Z", "\ud800", "\0", "a\nb", "\u2028", "é", "==", "%%%",
    "1e999", "NaN", "-0", "", " ",
]  # fmt: skip
texts = st.sampled_from(_WORDS) | st.text(max_size=12)
numbers = (
    st.integers(-3, 3)
    | st.sampled_from([2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, 10**400])
    | st.sampled_from([0.0, -0.5, 1e308, math.inf, -math.inf, math.nan])
)
scalars = st.none() | st.booleans() | numbers | texts
jsons = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a document. pick: which of its nodes, counted around."""

    pick: int
    kind: str
    value: Json
    odd: tuple[str, int | float] = ("", 0)


edits = st.builds(
    Edit,
    pick=st.integers(0, 400),
    kind=st.sampled_from(
        ["replace", "replace", "odd", "odd", "drop", "twice", "wrap", "text", "swap", "empty", "digits"]
    ),
    value=jsons,
    odd=st.tuples(texts, numbers),
)


def edited(document: Json, changes: list[Edit]) -> Json:
    """The document with the changes made, one after the other."""
    holder = [copy.deepcopy(document)]
    for change in changes:
        places = list(_places(holder))
        _edit(*places[change.pick % len(places)], change, holder)
    return holder[0] if holder else None


def _places(node: Json) -> list[tuple[Json, Json]]:
    """Every place in a document: what holds it, and its name or position there."""
    found: list[tuple[Json, Json]] = []
    waiting = [node]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        found += [(holder, key) for key in keys]
        waiting += [holder[key] for key in keys if isinstance(holder[key], list | dict)]
    return found or [([None], 0)]


def _edit(holder: Json, key: Json, change: Edit, root: Json) -> None:
    old = holder[key]
    if change.kind == "drop" and holder is not root:
        del holder[key]
    elif change.kind == "twice" and isinstance(holder, list) and holder is not root:
        holder.insert(key, copy.deepcopy(old))
    elif change.kind == "twice" and isinstance(holder, dict):
        holder[str(change.value)[:8]] = copy.deepcopy(old)
    elif change.kind == "wrap":
        holder[key] = [old]
    elif change.kind == "text":
        holder[key] = str(old)
    elif change.kind == "swap" and isinstance(holder, list):
        holder.reverse()
    elif change.kind == "odd":
        # Of the type that stands there, and beyond what it may be.
        holder[key] = change.odd[0] if isinstance(old, str) else change.odd[1]
    elif change.kind == "digits":
        holder[key] = "1" * 5000  # more than Python reads as an integer
    elif change.kind == "empty":
        holder[key] = type(old)()
    else:
        holder[key] = change.value
