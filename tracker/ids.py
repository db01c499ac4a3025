"""The ids people type for issues.

Always true: `td-ab12cd34`, `TD-AB12CD34` and `ab12cd34` are one id, and any beginning of it stands for it.
"""

from typing import Final

from tracker.errors import InvalidFieldError

_PREFIX: Final = "td-"


def full_prefix(typed: str) -> str:
    """What was typed as the beginning of an id. Raises InvalidFieldError when nothing of an id was typed."""
    wanted = typed.strip().lower()
    if not wanted.removeprefix(_PREFIX):
        raise InvalidFieldError("id", "it is empty", "give an id as td list shows it; its first characters are enough")
    return wanted if wanted.startswith(_PREFIX) else _PREFIX + wanted
