"""A few words from where something was found, and which of them match. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from tracker.search.query import JOINT, MARK_END, MARK_START, PART

_LENGTH_MAX: Final = 160
_BEFORE: Final = 60
_MARK: Final = re.compile(f"[{MARK_START}{MARK_END}]")


@dataclass(frozen=True, slots=True)
class Snippet:
    """One line of text. marks: where what was looked for begins and ends in it."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()


def plain_snippet(text: str) -> Snippet:
    """A text that nothing was looked for in."""
    return read_snippet(text)


def read_snippet(text: str) -> Snippet:
    """What the index says of a field, with our marks in it, as one line that is not too long."""
    line = " ".join(text.replace(JOINT, "").replace(PART, " … ").split())
    pieces = _MARK.split(line)
    marks: list[tuple[int, int]] = []
    at = 0
    for place, piece in enumerate(pieces):
        # Marks come in pairs, so that every second piece is one that matches.
        if place % 2:
            marks.append((at, at + len(piece)))
        at += len(piece)
    return _cut("".join(pieces), marks)


def _cut(text: str, marks: list[tuple[int, int]]) -> Snippet:
    if len(text) <= _LENGTH_MAX:
        return Snippet(text, tuple(marks))
    start = max(0, marks[0][0] - _BEFORE) if marks else 0
    end = start + _LENGTH_MAX
    before, after = "…" if start else "", "…" if end < len(text) else ""
    moved = len(before) - start
    kept = tuple((max(begin, start) + moved, min(stop, end) + moved) for begin, stop in marks if begin < end)
    return Snippet(before + text[start:end] + after, kept)
