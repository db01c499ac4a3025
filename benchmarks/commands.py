"""Cold processes of td: what a person or an agent waits for, with a thousand issues and with a hundred thousand.

The budgets in milliseconds are of a machine on which a process that imports typer takes 70 ms (DESIGN 16). So each
command is measured in turns with such a process, and held to the ratio: `td list` to 150 : 70.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from benchmarks.ground import BODY, Result, held, in_turns_s, median_s, show
from tracker import Issue, Priority, Tracker, open_tracker

FEW: Final = 1_000
MANY: Final = 100_000
_TYPER_MS: Final = 70
_SHORT_MS: Final = 150
_SYNC_MS: Final = 250
_MUTATION_ROWS: Final = 2_500
_TIMES: Final = 15

Td = Callable[..., None]


def few(directory: Path, url: str) -> Iterator[Result]:
    """With 1,000 issues: the commands that have a budget, and a sync with nothing to do."""
    td = _seeded(directory / "few", url, FEW)
    yield _held("`td sync` with nothing to do", lambda: td("sync"), _SYNC_MS)
    yield from _short(td, FEW)


def many(directory: Path, url: str) -> Iterator[Result]:
    """With 100,000 issues: the same."""
    yield from _short(_seeded(directory / "many", url, MANY), MANY)


def _short(td: Td, stored: int) -> Iterator[Result]:
    of = "" if stored == FEW else f", {stored:,} stored"
    yield _held(f"`td list` of 1,000 issues{of}", lambda: td("list", "--limit", "1000"))
    yield _held(f"`td create`{of}", lambda: td("create", "An issue that was made while somebody waited"))
    yield _held(f"`td show`{of}", lambda: td("show", _id(0)))
    # The first search makes the index.
    td("search", "listed")
    yield _told(f"`td search`{of}", lambda: td("search", "listed", "--limit", "50"))
    yield _told(f"`td query`{of}", lambda: td("query", "SELECT status, count(*) FROM issues GROUP BY status"))
    yield _told(
        f"`td list --filter`{of}", lambda: td("list", "--filter", "label(backend) AND priority <= P1", "-n", "50")
    )


def _held(path: str, call: Callable[[], None], budget_ms: int = _SHORT_MS) -> Result:
    ours, typer = in_turns_s(call, _import_typer, _TIMES)
    at_most, budget = budget_ms / _TYPER_MS, f"≤ {budget_ms} ms where `import typer` takes {_TYPER_MS}"
    return held(path, ours, typer, name="a process that imports typer:", at_most=at_most, budget=budget)


def _import_typer() -> None:
    subprocess.run([sys.executable, "-c", "import typer"], check=True)


def _told(path: str, call: Callable[[], None]) -> Result:
    return Result(path, show(median_s(call, _TIMES)), "wall, cold process", "–", "no budget", None)


def _seeded(directory: Path, url: str, issues: int) -> Td:
    """A td with so many issues that the primary has too; returns what runs its commands."""
    directory.mkdir()
    program = str(Path(sys.executable).with_name("td"))
    environment = {**os.environ, "TD_WORK_DIR": str(directory)}
    # As on a user's machine: the second call finds compiled modules.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    nothing = subprocess.DEVNULL

    def td(*arguments: str) -> None:
        command = [program, *arguments]
        # Its hints are for people: here they would stand among the figures.
        subprocess.run(command, check=True, stdout=nothing, stderr=nothing, env=environment, cwd=directory)

    td("init", "--mode", "libsql", "--url", url)
    with open_tracker(directory / ".todos", mode="libsql", url=url) as tracker:
        for start in range(0, issues, _MUTATION_ROWS):
            _create(tracker, range(start, min(start + _MUTATION_ROWS, issues)))
        report = tracker.replica.sync(deadline_s=900)
        assert report.error is None, report
    return td


def _create(tracker: Tracker, numbers: range) -> None:
    """Issues as a backlog has them: a few urgent ones, a text each, a label on every third."""
    priorities = list(Priority)
    with tracker.transaction() as tx:
        for number in numbers:
            issue = Issue(
                id=_id(number),
                title=f"An issue to be listed, number {number}",
                description=BODY,
                priority=priorities[number % len(priorities)],
                labels=frozenset({"backend"} if number % 3 == 0 else ()),
                created_at=tracker.now(),
                creator_session=tracker.session,
            )
            tx.insert(issue)


def _id(number: int) -> str:
    return f"td-{number:08d}"
