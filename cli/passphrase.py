"""Ask a person for what nobody else may see: the passphrase of a vault, or a token.

Always true: it is asked on the terminal itself and not shown there, so that neither stdin nor stdout has a part in it;
and where nobody looks at what td says, nobody is asked.
"""

import io
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

from cli.errors import InvalidValueError, UsageError

_TERMINAL: Final = "/dev/tty"


def asking(path: Path) -> Callable[[], str] | None:
    """What asks for the passphrase of the vault `path`, twice where it is to be made; None where nobody can answer."""
    if not sys.stderr.isatty() or not _has_terminal():
        return None
    return lambda: _ask(path)


def _has_terminal() -> bool:
    with suppress(OSError):
        os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY))
        return True
    return False


def ask_token(prompt: str) -> str:
    """A token that a person types or pastes, not shown. Raises UsageError where nobody can, InvalidValueError."""
    # Only who keeps one pays for it.
    from cli.credentials import read_token_line  # noqa: PLC0415 - see above

    if not sys.stderr.isatty() or not _has_terminal():
        raise UsageError("there is no terminal to type a token on", "pipe it in: td login --token-stdin < token.txt")
    from getpass import getpass  # noqa: PLC0415 - see above

    try:
        return read_token_line(io.StringIO(getpass(prompt)), "the line that was typed")
    except EOFError:
        raise InvalidValueError("no token was typed", "nothing was kept; try again") from None


# One call of td asks once, also where it keeps a token and then shows it to the primary.
@cache
def _ask(path: Path) -> str:
    # Only who is asked pays for it.
    from getpass import getpass  # noqa: PLC0415 - see above

    is_new = not path.exists()
    # What is being done may stand on the line already.
    sys.stderr.write("\r\x1b[K")
    sys.stderr.flush()
    try:
        given = getpass(f"Passphrase for the {'new ' if is_new else ''}vault {path}: ")
        is_sure = not is_new or getpass("The same again: ") == given
    except EOFError:
        raise InvalidValueError("no passphrase was typed", "nothing was kept; try again") from None
    if not is_sure:
        raise InvalidValueError("the two passphrases differ", "nothing was kept; try again")
    return given
