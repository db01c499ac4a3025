"""The ids people type, and those of rows that relate two things.

Always true:
- `td-ab12cd34`, `TD-AB12CD34` and `ab12cd34` are one id, and any beginning of it stands for it;
- the id of a relation is made of what it relates, as the td that is written in Go makes it.
"""

import re
from hashlib import sha256
from typing import Final, Literal

from tracker.errors import InvalidFieldError

_PREFIX: Final = "td-"
_RELATION_DIGITS: Final = 16
_TYPED: Final = re.compile(r"[0-9a-z]{1,60}")
_ROW_ID: Final = re.compile(r"[!-~]{1,200}")


def full_prefix(typed: str, prefix: str = _PREFIX) -> str:
    """What was typed as the beginning of an id that begins with `prefix`. Raises InvalidFieldError for none."""
    wanted = typed.strip().lower()
    if not wanted.removeprefix(prefix):
        raise InvalidFieldError("id", "it is empty", "give an id as td list shows it; its first characters are enough")
    return wanted if wanted.startswith(prefix) else prefix + wanted


def can_be_typed(row_id: str, prefix: str = _PREFIX) -> bool:
    """Whether this is the id of a row that people name, as an issue: `full_prefix` leaves it as it is."""
    return row_id.startswith(prefix) and _TYPED.fullmatch(row_id.removeprefix(prefix)) is not None


def is_row_id(text: str) -> bool:
    """Whether a row that people do not name can have this id: up to 200 visible characters of ASCII."""
    return _ROW_ID.fullmatch(text) is not None


def relation_id(kind: Literal["dep", "ifl", "bip", "wsi", "inv", "log"], *parts: str) -> str:
    """The id of the row that relates `parts`: the same on every machine, so that two who relate them make one row."""
    return f"{kind}_{sha256('|'.join(parts).encode()).hexdigest()[:_RELATION_DIGITS]}"


def dependency_id(issue_id: str, depends_on_id: str) -> str:
    """The id of a dependency."""
    return relation_id("dep", issue_id, depends_on_id, "depends_on")
