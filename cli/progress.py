"""A sign of life on stderr while something takes long.

Always true: it is shown on a terminal only, and leaves no trace there.
"""

import sys
from collections.abc import Callable, Iterator
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


@contextmanager
def measured(*, quiet: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """What shows how much is done, while the block runs: called with what is done, how much of it, and of how much."""
    is_shown = not quiet and sys.stderr.isatty()
    shown = ""

    def show(doing: str, done: int, total: int) -> None:
        nonlocal shown
        line = f"{doing} ... {100 * done // max(total, 1)} %"
        if is_shown and line != shown:
            shown = line
            sys.stderr.write(_CLEAR + line)
            sys.stderr.flush()

    try:
        yield show
    finally:
        if shown:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()


@contextmanager
def bar(*, quiet: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """A bar with the time that is left: called with what is done, how much of it, and of how much; 0 if unknown."""
    if quiet or not sys.stderr.isatty():
        yield lambda _doing, _done, _total: None
        return
    # Only a terminal pays for it.
    from rich.console import Console  # noqa: PLC0415 - see above
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda doing, done, total: progress.update(task, description=doing, completed=done, total=total or None)
