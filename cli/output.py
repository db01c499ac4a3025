"""What td prints as its result.

Always true: stdout gets the result and nothing else; with `--json` that is one JSON document.
"""

import json
import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from cli.errors import OutputError
from cli.text import only_coloured

PAGER_VARIABLE: Final = "TD_PAGER"


def print_lines(lines: Iterable[str]) -> None:
    """Print lines of text on stdout; on a terminal, what is longer than the screen goes through a pager."""
    text = only_coloured("".join(line + "\n" for line in lines))
    if not _was_paged(text):
        _write(text)


def _was_paged(text: str) -> bool:
    try:
        size = os.get_terminal_size(sys.stdout.fileno())
    except OSError:
        # It is no terminal.
        return False
    if size.columns < 1 or text.count("\n") + len(text) // size.columns < size.lines:
        return False
    # Only what may be long pays for it.
    from cli.pager import fits, page, pager_of  # noqa: PLC0415 - see above

    command = pager_of(os.environ)
    if command is None or fits(text, size):
        return False
    sys.stdout.flush()
    return page(text, command, os.environ, encoding=sys.stdout.encoding)


_PIECES_BYTES: Final = 65_536


def print_pieces(pieces: Iterable[str]) -> None:
    """Print text on stdout as it comes, without ever holding all of it."""
    waiting, size = [], 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size > _PIECES_BYTES:
            _write("".join(waiting))
            waiting, size = [], 0
    _write("".join(waiting))


def writes_ascii_json() -> bool:
    """Whether stdout has an encoding that cannot hold every character: JSON then has escapes, which say the same."""
    return not _is_utf8()


def use_utf8() -> None:
    """Let what follows on stdout be UTF-8, as files for other programs are."""
    if not _is_utf8():
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr] # a file is there


def _is_utf8() -> bool:
    return sys.stdout.encoding.lower().replace("-", "") == "utf8"


def print_json(document: Mapping[str, object] | Sequence[object]) -> None:
    """Print one JSON document on stdout; a list has a line for each of its members."""
    is_plain = writes_ascii_json()
    if isinstance(document, Mapping):
        text = json.dumps(document, indent=2, ensure_ascii=is_plain, allow_nan=False)
    elif document:
        members = ",\n".join(json.dumps(item, ensure_ascii=is_plain, allow_nan=False) for item in document)
        text = f"[\n{members}\n]"
    else:
        text = "[]"
    _write(text + "\n")


def discard_output() -> None:
    """Let what could not be written go, so that Python does not try again when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def note(line: str) -> None:
    """Say something on stderr that is not the result."""
    sys.stderr.write(only_coloured(line) + "\n")


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        raise OutputError(error.strerror or str(error)) from error


def json_value(value: object) -> object:
    """A stored value as JSON can hold it: bytes in hex, what is not a number as text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
