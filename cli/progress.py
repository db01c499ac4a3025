"""A sign of life on stderr while something takes long.

Always true: it is shown on a terminal only, and leaves no trace there.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_CLEAR: str = "\r\x1b[K"


@contextmanager
def working(doing: str, *, quiet: bool = False) -> Iterator[None]:
    """Say what is being done while the block runs."""
    is_shown = not quiet and sys.stderr.isatty()
    if is_shown:
        sys.stderr.write(f"{doing} ... (Ctrl-C stops it; nothing is lost)")
        sys.stderr.flush()
    try:
        yield
    finally:
        if is_shown:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
