"""The story `td demo` tells: two replicas, one primary that goes away and comes back, and a conflict.

Always true: every sentence that claims something is checked before it is told, and what does not hold raises
StoryError.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from cli.errors import StoryError
from tracker import (
    Conflict,
    Issue,
    IssueEdit,
    IssueFilter,
    Priority,
    Status,
    SyncReport,
    Tracker,
    UnreachableError,
    decisions,
    new_session_id,
    open_tracker,
)

EVERYTHING: Final = IssueFilter(with_closed=True, with_deleted=True, with_deferred=True)
_LAPTOP: Final = "laptop"
_DESKTOP: Final = "desktop"


class Teller(Protocol):
    """Who tells the story to its audience."""

    def chapter(self, title: str) -> None:
        """Begin a new chapter."""

    def say(self, who: str, text: str) -> None:
        """Tell what `who` did, or what it came to."""

    def conflict(self, conflict: Conflict) -> None:
        """Show a conflict: both values, who made them, and from where."""

    def table(self, holders: Sequence[str], issues: Sequence[Issue]) -> None:
        """Show the issues that all `holders` have."""


class Primary(Protocol):
    """The primary, as far as the story needs it."""

    @property
    def url(self) -> str:
        """Where it answers."""

    def start(self) -> None:
        """Start it again, on the same port and data."""

    def stop(self) -> None:
        """Stop it."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """Who takes part: the two replicas, the primary they share, and who tells it."""

    laptop: Tracker
    desktop: Tracker
    primary: Primary
    teller: Teller


@dataclass(frozen=True, slots=True)
class _Plot:
    """The two issues that both see before the primary goes away."""

    login_id: str
    launch_id: str


def tell(teller: Teller, primary: Primary, directory: Path) -> list[Issue]:
    """Play the story on the running, empty `primary` with replicas in `directory`; the issues it ends with.

    Raises:
        StoryError: something did not come out as it is told.
        ReplicaError: something did not work at all.
    """
    with ExitStack() as opened:
        laptop, desktop = (opened.enter_context(_open(directory, name, primary)) for name in (_LAPTOP, _DESKTOP))
        stage = _Stage(laptop, desktop, primary, teller)
        plot = _share(stage)
        primary.stop()
        _work_offline(stage, plot)
        primary.start()
        conflict = _come_together(stage, plot)
        _settle(stage, plot, conflict)
        return _compare(stage, opened, directory)


def _open(directory: Path, name: str, primary: Primary) -> Tracker:
    session = new_session_id(name)
    return open_tracker(directory / name, mode="libsql", url=primary.url, session=session, machine=name)


def _share(stage: _Stage) -> _Plot:
    stage.teller.chapter("Two replicas, one primary")
    stage.teller.say("primary", f"a real sqld answers at {stage.primary.url}")
    login = stage.laptop.create("The login page is slow", priority=Priority.P2)
    launch = stage.laptop.create("Launch in May")
    stage.teller.say(_LAPTOP, f'created {login.id} "{login.title}" and {launch.id} "{launch.title}"')
    stage.teller.say(_LAPTOP, _told_sync(_sync(stage.laptop)))
    stage.teller.say(_DESKTOP, _told_sync(_sync(stage.desktop)))
    for issue in (login, launch):
        _expect(f"{issue.id} on the desktop", issue, stage.desktop.get(issue.id))
    stage.teller.say(_DESKTOP, "sees both issues")
    return _Plot(login.id, launch.id)


def _work_offline(stage: _Stage, plot: _Plot) -> None:
    stage.teller.chapter("The primary is gone: both go on working")
    _timed(stage, _LAPTOP, "set the login page to P0", lambda: stage.laptop.update(plot.login_id, _EDITS["urgent"]))
    _timed(
        stage, _DESKTOP, "started work on the login page", lambda: stage.desktop.update(plot.login_id, _EDITS["begun"])
    )
    _timed(
        stage,
        _LAPTOP,
        'renamed the launch to "Launch in June"',
        lambda: stage.laptop.update(plot.launch_id, _EDITS["june"]),
    )
    _timed(
        stage,
        _DESKTOP,
        'renamed the launch to "Launch in July"',
        lambda: stage.desktop.update(plot.launch_id, _EDITS["july"]),
    )
    _timed(stage, _LAPTOP, 'created "Write the release notes"', lambda: stage.laptop.create("Write the release notes"))
    _timed(stage, _DESKTOP, 'created "Book a room"', lambda: stage.desktop.create("Book a room"))
    for name, tracker in ((_LAPTOP, stage.laptop), (_DESKTOP, stage.desktop)):
        report = tracker.replica.sync(deadline_s=10)
        _expect(
            f"why the {name} cannot sync", UnreachableError.code, None if report.error is None else report.error.code
        )
        _expect(f"how much waits on the {name}", 3, report.pending)
        stage.teller.say(name, f"tried to sync: the primary does not answer, {report.pending} changes wait")


def _come_together(stage: _Stage, plot: _Plot) -> Conflict:
    stage.teller.chapter("The primary is back: both sync")
    first = _sync(stage.laptop)
    stage.teller.say(_LAPTOP, _told_sync(first))
    second = _sync(stage.desktop)
    stage.teller.say(_DESKTOP, _told_sync(second))
    _expect("the merged changes of the desktop", (1, 1), (second.merged, second.parked))
    login = stage.desktop.get(plot.login_id)
    _expect("both changes of the login page", (Priority.P0, Status.IN_PROGRESS), (login.priority, login.status))
    stage.teller.say(_DESKTOP, f"the login page is {login.priority} and {login.status}: different fields are merged")
    conflicts = stage.desktop.replica.conflicts()
    _expect("one conflict", 1, len(conflicts))
    stage.teller.say(_DESKTOP, "the launch has two new titles: the same field is for a person to decide")
    stage.teller.conflict(conflicts[0])
    return conflicts[0]


def _settle(stage: _Stage, plot: _Plot, conflict: Conflict) -> None:
    field, theirs_by = conflict.fields.get("title"), conflict.theirs_by
    _expect("the row in conflict", plot.launch_id, conflict.row_id)
    _expect("the value of the desktop", "Launch in July", field and field.mine)
    _expect("the value of the laptop", "Launch in June", field and field.theirs)
    _expect("where the one came from", _DESKTOP, conflict.mine_by.machine)
    _expect("where the other came from", _LAPTOP, theirs_by and theirs_by.machine)
    stage.teller.chapter("A person decides")
    decisions.settle(stage.desktop, conflict, {"title": "Launch on July 1st"})
    stage.teller.say(_DESKTOP, 'settled it with a third title: "Launch on July 1st"')
    for name, tracker in ((_DESKTOP, stage.desktop), (_LAPTOP, stage.laptop), (_DESKTOP, stage.desktop)):
        stage.teller.say(name, _told_sync(_sync(tracker)))


def _compare(stage: _Stage, opened: ExitStack, directory: Path) -> list[Issue]:
    stage.teller.chapter("All three hold the same")
    remote = open_tracker(directory / "primary", mode="remote", url=stage.primary.url)
    opened.enter_context(remote)
    issues = remote.find(EVERYTHING)
    for name, tracker in ((_LAPTOP, stage.laptop), (_DESKTOP, stage.desktop)):
        _expect(f"the issues of the {name}", issues, tracker.find(EVERYTHING))
        status = tracker.replica.status()
        _expect(f"what waits on the {name}", (0, 0), (status.pending, status.conflicts))
    _expect("four issues", 4, len(issues))
    stage.teller.table((_LAPTOP, _DESKTOP, "primary"), issues)
    return issues


_EDITS: Final = {
    "urgent": IssueEdit(priority=Priority.P0),
    "begun": IssueEdit(status=Status.IN_PROGRESS),
    "june": IssueEdit(title="Launch in June"),
    "july": IssueEdit(title="Launch in July"),
}


def _sync(tracker: Tracker) -> SyncReport:
    report = tracker.replica.sync()
    if report.error is not None:
        raise report.error
    return report


def _told_sync(report: SyncReport) -> str:
    counts = (
        (report.pushed - report.merged - report.parked, "sent"),
        (report.merged, "merged"),
        (report.parked, "in conflict"),
        (report.pulled, "fetched"),
    )
    return "synced: " + (", ".join(f"{count} {name}" for count, name in counts if count) or "nothing new")


def _timed(stage: _Stage, who: str, did: str, change: Callable[[], Issue]) -> None:
    start = time.perf_counter()
    change()
    stage.teller.say(who, f"{did} ({(time.perf_counter() - start) * 1000:.1f} ms)")


def _expect(what: str, expected: object, found: object) -> None:
    if expected != found:
        raise StoryError(f"{what}: {expected}", str(found))
