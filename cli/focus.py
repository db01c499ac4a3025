"""Which issue is meant where none is named.

Always true: it is the one in the focus of the session, and where there is none, an error says so.
"""

from collections.abc import Sequence

from cli.errors import UsageError
from tracker import Tracker


def named_or_focused(tracker: Tracker, typed: Sequence[str] | None) -> list[str]:
    """What was typed, or else the issue in focus. Raises UsageError where there is neither."""
    if typed:
        return list(typed)
    if tracker.desk.focus is None:
        raise UsageError("no issue is named, and none is in focus", "name one, or focus on it first: td focus ID")
    return [tracker.desk.focus]
