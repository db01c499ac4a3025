"""The history of a run: what was called, told, seen and done to it, one JSON document a line.

Always true: the order of the lines is the order in which the parent learned of things; a call stands before it was
made, and what came of it after it came, so two things whose lines do not overlap happened in their order.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

Event = dict[str, Any]  # one line; `event` says of which kind, `n` is its number


class History:
    """The lines of one run, in memory."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._began = time.monotonic()

    def add(self, event: str, **about: Any) -> int:  # whatever JSON can hold
        """Append one line; its number."""
        number = len(self.events)
        at_s = round(time.monotonic() - self._began, 4)
        self.events.append({"n": number, "at_s": at_s, "event": event, **about})
        return number


def write_history(path: Path, events: list[Event]) -> None:
    """Write a history to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")


def read_history(path: Path) -> list[Event]:
    """Read a history from a file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
