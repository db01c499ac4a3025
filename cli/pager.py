"""What is longer than the screen goes through a pager, as git does it.

Always true: a pager that cannot be started, or that ends before it has read all, is no error: the text is printed as
it is, or was read enough of. Imported only for what is long.
"""

import re
import shlex
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import terminal_size
from typing import Final

from auth.environment import without_secrets
from cli.output import PAGER_VARIABLE
from cli.text import width

_COLOURS: Final = re.compile("\x1b\\[[0-9;]*m")
# What git sets where nobody has: less shows colours, leaves the screen as it is, and ends by itself on a short text.
_DEFAULTS: Final = {"LESS": "FRX", "LV": "-c"}


def pager_of(environ: Mapping[str, str]) -> list[str] | None:
    """The pager and its arguments: of td, else of all programs, else less; None where none is wanted."""
    named = environ.get(PAGER_VARIABLE, environ.get("PAGER", "less"))
    try:
        command = shlex.split(named)
    except ValueError:
        return None
    return None if command in ([], ["cat"]) else command


def fits(text: str, size: terminal_size) -> bool:
    """Whether a text and the prompt below it fit a screen."""
    columns = max(size.columns, 1)
    plain = _COLOURS.sub("", text)
    return sum(max(-(-width(line) // columns), 1) for line in plain.rstrip("\n").split("\n")) < size.lines


def page(text: str, command: list[str], environ: Mapping[str, str], *, encoding: str) -> bool:
    """Show a text in a pager and wait for its end; False where it could not be started, and nothing was shown."""
    try:
        pager = subprocess.Popen(command, stdin=subprocess.PIPE, env={**_DEFAULTS, **without_secrets(environ)})
    except OSError:
        return False
    with _interrupts_left_to_it():
        # It is no error that the pager ends before it has read all: whoever leaves it has read enough.
        pager.communicate(text.encode(encoding, errors="backslashreplace"))
    return True


@contextmanager
def _interrupts_left_to_it() -> Iterator[None]:
    """Ctrl-C in a pager stops a search, say; it does not end td, which would leave the pager without a terminal."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
