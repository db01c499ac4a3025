"""Texts that are too long to type: from stdin, or from a file.

Always true: no more of a file is read than a text of td may have.
"""

import sys
from pathlib import Path
from typing import Final

from cli.errors import FileError, InvalidValueError

# Four bytes a character, as UTF-8 has at most, of the longest text that td keeps.
_BYTES_MAX: Final = 400_000


def read_text(option: str, typed: str) -> str:
    """The text that was typed; `-`: what stdin holds, `@FILE`: what a file holds. Raises as `read_file`."""
    if typed.startswith("@"):
        return read_file(option, Path(typed[1:]))
    return read_typed(option, typed)


def read_typed(option: str, typed: str) -> str:
    """The text that was typed; `-`: what stdin holds. Raises InvalidValueError: it is too long, or not UTF-8."""
    return _decoded(option, "stdin", _read_stdin(option)) if typed == "-" else typed


def read_file(option: str, path: Path) -> str:
    """What a file holds; `-`: what stdin holds.

    Raises:
        FileError: the file cannot be read.
        InvalidValueError: it is too long, or not UTF-8.
    """
    if str(path) == "-":
        return read_typed(option, "-")
    try:
        with path.expanduser().open("rb") as file:
            content = file.read(_BYTES_MAX + 1)
    except (OSError, RuntimeError, ValueError) as error:
        failed = FileError(path, getattr(error, "strerror", None) or str(error))
        failed.hint = "see that it is there, and that you may read it"
        raise failed from error
    return _decoded(option, str(path), content)


def _read_stdin(option: str) -> bytes:
    try:
        # A program may have been started without one.
        return b"" if sys.stdin is None else sys.stdin.buffer.read(_BYTES_MAX + 1)
    except OSError as error:
        raise InvalidValueError(f"{option}: stdin cannot be read: {error.strerror}", "pipe the text in") from error


def _decoded(option: str, name: str, content: bytes) -> str:
    if len(content) > _BYTES_MAX:
        raise InvalidValueError(f"{option}: {name} holds too much", "a text has at most 100,000 characters")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InvalidValueError(f"{option}: {name} does not hold UTF-8", "save it as UTF-8 and try again") from error
