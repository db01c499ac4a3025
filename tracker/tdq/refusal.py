"""What is wrong with a filter, before it is known how it was written.

Always true: no `Refusal` leaves this package; at its border it becomes a `FilterError`, which points at the text.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class Refusal(Exception):  # noqa: N818 - it is no error of a caller before it is translated
    """A part of a filter that cannot be. position: where in the text, from 0. advice: what to write instead."""

    def __init__(self, reason: str, position: int, advice: str = "") -> None:
        super().__init__(reason, position, advice)
        self.reason, self.position, self.advice = reason, position, advice


def refuse_unknown(kind: str, typed: str, known: Iterable[str], position: int, *, told: Iterable[str] = ()) -> Refusal:
    """What is said of a name that there is not, with the one that may have been meant, and all there are.

    told: what to say there is, where that is shorter than `known`.
    """
    names = list(known)
    close = get_close_matches(typed.lower(), names, n=1)
    meant = f"did you mean {close[0]}? " if close else ""
    listed = ", ".join(told or names)
    return Refusal(f"there is no {kind} {shown(typed)}", position, f"{meant}there is {listed}")


def shown(typed: str) -> str:
    """What was typed, cut where it is long, and without what a terminal would obey."""
    text = typed if len(typed) <= 40 else typed[:39] + "…"
    return "".join(char if char.isprintable() else "?" for char in text)
