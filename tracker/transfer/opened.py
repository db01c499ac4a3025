"""Open a file that is to be taken in, for reading only.

Always true: what keeps a file from being read is a SourceError.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from tracker.transfer.errors import SourceError

SQLITE_HEADER: Final = b"SQLite format 3\0"
_HEAD_BYTES: Final = 4096


def read_head(path: Path) -> bytes:
    """How a file begins. Raises SourceError."""
    try:
        # A pipe could be read only once.
        if path.exists() and not path.is_file():
            raise SourceError(path, "it is no file", "write it to a file first, and take that in")
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError as error:
        raise unreadable(path, error) from error


@contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """A file as text in UTF-8, with its line ends as they are. Raises SourceError."""
    try:
        file = path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise unreadable(path, error) from error
    with file:
        yield file


def unreadable(path: Path, error: OSError) -> SourceError:
    """What is said of a file that cannot be read."""
    return SourceError(path, f"it cannot be read: {error.strerror or error}", "check its name and permissions")
