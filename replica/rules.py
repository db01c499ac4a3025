"""The rules by which a field of a record is merged, and the canonical text of a set.

Owns the names of the rules and the text form of sets. Always true:
- a field that names no rule has `Rule.KEEP`: nothing is decided for its author;
- two sets with the same elements have the same text, whatever order they were given in.
"""

import json
from collections.abc import Iterable
from enum import StrEnum

from replica.errors import InputError


class Rule(StrEnum):
    """What to do when a field was changed to two different values.

    A field changed on one side only takes that side's value under every rule, and two equal changes are
    one change under every rule but `SUM`. Where a value is of a type its rule does not accept, the rule
    does not guess: the field is a clash.
    """

    KEEP = "keep"
    """Decide nothing: the change is parked for a person. Accepts every value."""

    LAST = "last"
    """The later change wins, by stamp and then by mutation id. Accepts every value."""

    UNION = "union"
    """Adds and removes of both sides apply. Accepts JSON arrays as text; null is the empty set."""

    TEXT = "text"
    """Three-way by line; changes to the same or to neighbouring lines clash. Accepts text; null clashes."""

    MAX = "max"
    """The larger value wins. Accepts numbers, or text, or bytes, not a mixture; null is ignored."""

    MIN = "min"
    """The smaller value wins. Accepts numbers, or text, or bytes, not a mixture; null is ignored."""

    SUM = "sum"
    """Both sides' differences are added. Accepts 64-bit integers; null is 0 where it was null before."""

    DELETED = "deleted"
    """Marks its row as deleted while it is not null. To mark what the other side changed, or to change what the
    other side marked, clashes, as with a row that is removed; of two marks the smaller value is kept."""


def canonical_set(values: Iterable[object]) -> str:
    """Return the text under which a set is stored: a JSON array, compact, sorted, each element once.

    Elements are the same when their JSON text is the same, so 1, 1.0 and true are three elements. Numbers
    come first in numeric order, then everything else in the order of its JSON text.

    Raises:
        InputError: an element has no JSON form that SQLite can store: infinity, half a surrogate pair, or
            a type that JSON does not know.
    """
    try:
        elements = {_element_text(value): value for value in values}
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"a set cannot be stored with this element in it: {error}") from error
    return "[" + ",".join(sorted(elements, key=lambda text: _element_order(text, elements[text]))) + "]"


def set_elements(text: str) -> dict[str, object]:
    """Return the elements of a set stored as `text`, by the JSON text of each.

    Raises:
        ValueError: `text` is not a JSON array that `canonical_set` could store again.
    """
    try:
        values = json.loads(text)
        if isinstance(values, list):
            return {_element_text(value): value for value in values}
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    raise ValueError("not a JSON array")


def _element_text(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
    # A lone surrogate is legal in JSON escapes and cannot be stored as UTF-8: fail here, not in the database.
    text.encode()
    return text


def _element_order(text: str, value: object) -> tuple[bool, float, str]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return False, value, text
    return True, 0, text
