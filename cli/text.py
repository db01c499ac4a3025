"""Text for terminals.

Always true: what goes out has no control characters from what people wrote, so no title can move a cursor or
forge a line; and colours are only for a terminal that wants them.
"""

import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Final

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL_BUT_NEW_LINE: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
# Concealed text, 8, is no colour of ours.
_NEITHER_TEXT_NOR_COLOUR: Final = re.compile(
    "[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]|\x1b(?!\\[[0-79;]*m)"
)

BOLD: Final = "1"
DIM: Final = "2"
RED: Final = "31"
GREEN: Final = "32"
YELLOW: Final = "33"
CYAN: Final = "36"


def printable(text: str) -> str:
    """One line: control characters are shown as escapes."""
    return text if text.isascii() and text.isprintable() else _CONTROL.sub(_escape, text)


def printable_lines(text: str) -> str:
    """The same for a text of several lines."""
    return _CONTROL_BUT_NEW_LINE.sub(_escape, text)


def only_coloured(text: str) -> str:
    """Whole lines as they go out: what is neither text nor a colour is shown as escapes, whoever let it through."""
    return (
        text if text.isascii() and text.replace("\n", "").isprintable() else _NEITHER_TEXT_NOR_COLOUR.sub(_escape, text)
    )


def _escape(match: re.Match[str]) -> str:
    return ascii(match[0])[1:-1]


def wants_colour() -> bool:
    """Whether stdout shows colours: where it is a terminal, unless the environment says otherwise.

    The variables are those of no-color.org and bixense.com/clicolors, and FORCE_COLOR, which many programs know; a no
    comes before a yes.
    """
    environ = os.environ
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "0") not in ("", "0") for name in ("CLICOLOR_FORCE", "FORCE_COLOR")):
        return True
    return sys.stdout.isatty() and environ.get("CLICOLOR") != "0" and environ.get("TERM") != "dumb"


def choose_colour(wish: str) -> None:
    """Let colours be shown `always` or `never`, here and in what td starts; `auto` leaves it to the environment."""
    if wish == "never":
        os.environ["NO_COLOR"] = "1"
    elif wish == "always":
        os.environ.pop("NO_COLOR", None)
        os.environ["FORCE_COLOR"] = "1"


def paint(text: str, colour: str) -> str:
    """`text` in a colour, if stdout shows colours."""
    return painter()(text, colour)


def painter() -> Callable[[str, str], str]:
    """What paints text, or leaves it alone, as stdout wants: for many texts, it is asked once."""
    return _paint if wants_colour() else _leave


def _paint(text: str, colour: str) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if colour else text


def _leave(text: str, _colour: str) -> str:
    return text


def width(text: str) -> int:
    """How many columns of a terminal `text` takes."""
    if text.isascii():
        return len(text)
    # Only text beyond ASCII pays for the tables.
    from unicodedata import combining, east_asian_width  # noqa: PLC0415 - see above

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, each column as wide as its widest cell, two spaces between, none at the end."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [cell + " " * (wide - width(cell)) for cell, wide in zip(row, widths, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return lines


def short_moment(stamp: str) -> str:
    """A stamp as people read it: `2026-11-21 05:07`, in UTC as it is stored."""
    return stamp[:16].replace("T", " ")
