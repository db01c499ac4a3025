"""How td ends: the exit code and the one line that every error gets.

Always true: this is the only place that knows which error ends how, and an error is told once, on stderr, in one line,
without a secret that somebody typed in the wrong place.
"""

import json
import sys
from collections.abc import Mapping
from typing import Final, Protocol

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
CONFLICT: Final = 3
UNREACHABLE: Final = 4
NOT_ALLOWED: Final = 5
INTERRUPTED: Final = 130

EXIT_CODES: Final[Mapping[str, int]] = {
    "usage": USAGE,
    "invalid_input": USAGE,
    "ambiguous_id": USAGE,
    "filter": USAGE,
    "query": USAGE,
    "write_refused": USAGE,
    "cycle": USAGE,
    "transition": USAGE,
    "review_needed": NOT_ALLOWED,
    "conflict": CONFLICT,
    "unreachable": UNREACHABLE,
    "unknown_outcome": UNREACHABLE,
    "sqld_unreachable": UNREACHABLE,
    "untrusted": UNREACHABLE,
    "workos_unreachable": UNREACHABLE,
    "workos_unanswered": UNREACHABLE,
    "turso_unreachable": UNREACHABLE,
    "turso_unknown_outcome": UNREACHABLE,
    "not_allowed": NOT_ALLOWED,
    "interrupted": INTERRUPTED,
}
"""The exit code of each `error.code`; every other one is FAILED."""

_HINTS: Final[Mapping[str, str]] = {
    "damaged": "run td doctor; keep a copy of .todos before anything else",
    "schema_mismatch": "run td doctor",
    "query": "td query .tables shows the tables, td query .schema their columns",
    "primary": "run td doctor",
}
"""What td says where the error itself leaves it open."""


class Reportable(Protocol):
    """An error as every package of ours makes them; `str()` of it is what happened."""

    @property
    def code(self) -> str:
        """Stable, and meant for programs."""

    @property
    def hint(self) -> str:
        """What to do next."""


def exit_code(error: Reportable) -> int:
    """How td ends because of `error`."""
    return EXIT_CODES.get(error.code, FAILED)


def error_document(error: Reportable) -> dict[str, str]:
    """An error as programs read it."""
    # Only an error pays for it.
    from cli.in_the_clear import without_secrets  # noqa: PLC0415 - see above
    from cli.wording import in_words_of_td  # noqa: PLC0415 - see above

    hint = error.hint or _HINTS.get(error.code, "")
    return {"code": error.code, "message": without_secrets(in_words_of_td(str(error))), "hint": in_words_of_td(hint)}


def report(error: Reportable, *, as_json: bool) -> int:
    """Tell `error` on stderr, in one line, and return the exit code."""
    told = error_document(error)
    if as_json:
        line = json.dumps({"error": told})
    else:
        line = "; ".join(part for part in (f"td: {told['message']}", told["hint"]) if part)
    sys.stderr.write(line + "\n")
    return exit_code(error)
