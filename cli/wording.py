"""How td says what the packages below it say in words of their own.

Always true: an error or a check that names a call of the toolkit is shown with the command of td that does it, in one
line.
"""

import re
from typing import Final

from cli.text import printable

_WORDS: Final = (
    ("`sync` with adopt_primary=True", "run td sync --adopt-primary"),
    ("run `sync`", "run td sync"),
    ("`sync`", "td sync"),
    ("`salvage_outbox`", "td doctor --repair"),
    (
        "give a valid token, then sync again",
        "give a valid token: TD_DATABASE_TOKEN is for one call, td login keeps one; then run td sync",
    ),
    ("give a valid token", "give a valid token: TD_DATABASE_TOKEN is for one call, td login keeps one"),
    (
        "open it where it is now, or finish the move",
        "run it again; if it still says so, a move was broken off: the td config set that began it goes on",
    ),
    (
        "send them again, or let them go, before this",
        "td sync --resend-lost sends them, td sync lost --forget lets them go",
    ),
    ("only such a one can be moved", "td import reads what other programs wrote"),
    ("with a value for each `?`", "with its values in it"),
    (
        "only reading is possible here; change rows through the program's own commands",
        "td query only reads; change issues with td update, td close and so on",
    ),
    ("resolve the conflict", "td resolve settles it"),
    ("with `ca_file`", "with td config set ca_file FILE"),
    ("`ca_file`", "ca_file"),
)
"""What the toolkit says, and what a person types instead; the first that fits a place counts."""
_PATTERN: Final = re.compile("|".join(re.escape(theirs) for theirs, _ in _WORDS) + r"|`(?P<name>td [a-z -]+|remote)`")
_OURS: Final = dict(_WORDS)


def in_words_of_td(text: str) -> str:
    """`text` in one line, with what a person types to td in the place of what a program calls."""
    line = " ".join(text.replace("\r\n", "\n").split("\n"))
    return printable(_PATTERN.sub(lambda found: found["name"] or _OURS[found[0]], line))
