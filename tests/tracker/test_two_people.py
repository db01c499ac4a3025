"""Two people, one primary that comes and goes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Literal

import pytest

from sqld import Server
from tests.tracker.clock import Clock
from tracker import Issue, IssueEdit, IssueFilter, NotFoundError, Priority, ReplicaError, Status, Tracker, open_tracker

EVERYTHING = IssueFilter(with_closed=True, with_deleted=True)


@pytest.fixture
def laptop(tmp_path: Path, primary_server: Server, clock: Clock) -> Iterator[Tracker]:
    """One of the two."""
    with opened(tmp_path, "laptop", primary_server, clock) as tracker:
        yield tracker


@pytest.fixture
def desktop(tmp_path: Path, primary_server: Server, clock: Clock) -> Iterator[Tracker]:
    """The other."""
    with opened(tmp_path, "desktop", primary_server, clock) as tracker:
        yield tracker


@contextmanager
def opened(tmp_path: Path, name: str, server: Server, clock: Clock) -> Iterator[Tracker]:
    """The tracker of one of them."""
    with open_tracker(
        tmp_path / name, mode="libsql", url=server.url, session=f"ses_{name}_000001", machine=name, clock=clock
    ) as tracker:
        yield tracker


def sync(*trackers: Tracker) -> None:
    """Sync each in turn."""
    for tracker in trackers:
        report = tracker.replica.sync()
        assert report.error is None, report.error


def shared_issue(laptop: Tracker, desktop: Tracker, title: str = "Oat milk") -> Issue:
    """An issue that both have."""
    made = laptop.create(title, description="one\ntwo\nthree\nfour\n")
    sync(laptop, desktop)
    return made


def agreed(laptop: Tracker, desktop: Tracker) -> list[Issue]:
    """All issues, after both have everything; they must be the same."""
    sync(laptop, desktop, laptop)
    assert laptop.find(EVERYTHING) == desktop.find(EVERYTHING)
    assert not laptop.replica.pending()
    assert not desktop.replica.pending()
    return laptop.find(EVERYTHING)


def test_what_is_written_offline_is_pending_until_it_is_on_the_primary(laptop: Tracker, primary_server: Server) -> None:
    """And is there for its author all the time."""
    primary_server.stop()
    made = laptop.create("Oat milk")
    report = laptop.replica.sync(deadline_s=10)
    assert isinstance(report.error, ReplicaError)
    assert (report.error.code, laptop.pending_ids()) == ("unreachable", {made.id})

    primary_server.start()
    sync(laptop)

    assert laptop.pending_ids() == set()
    assert laptop.find(IssueFilter()) == [made]


def test_different_fields_merge(laptop: Tracker, desktop: Tracker) -> None:
    """Also labels, which are sets, and lines of one description."""
    made = shared_issue(laptop, desktop)
    laptop.update(
        made.id, IssueEdit(priority=Priority.P0, add_labels=frozenset({"a"}), description="ONE\ntwo\nthree\nfour\n")
    )
    desktop.update(
        made.id, IssueEdit(status=Status.BLOCKED, add_labels=frozenset({"b"}), description="one\ntwo\nthree\nFOUR\n")
    )

    (issue,) = agreed(laptop, desktop)

    assert (issue.priority, issue.status, issue.labels) == (Priority.P0, Status.BLOCKED, frozenset({"a", "b"}))
    assert issue.description == "ONE\ntwo\nthree\nFOUR\n"


@pytest.mark.parametrize("move", ["close", "delete"])
def test_two_who_close_or_delete_the_same_issue_agree(
    laptop: Tracker, desktop: Tracker, clock: Clock, move: str
) -> None:
    """That they did so at two moments is nothing to decide: the earlier one counts."""
    made = shared_issue(laptop, desktop)
    desktop.move(move, [made.id])
    earlier = clock.now
    clock.pass_seconds(60)
    laptop.move(move, [made.id])

    (issue,) = agreed(laptop, desktop)

    assert laptop.replica.conflicts() == []
    moment = issue.closed_at or issue.deleted_at
    assert isinstance(moment, datetime)
    assert moment.timestamp() == earlier


@pytest.mark.parametrize(
    ("choice", "kept"),
    [("mine", ("Soy milk", False)), ("theirs", ("Soy milk", True)), ({"deleted_at": None}, ("Soy milk", False))],
)
def test_a_change_to_an_issue_that_was_deleted_meanwhile_is_for_a_person_to_decide(
    laptop: Tracker, desktop: Tracker, choice: Literal["mine", "theirs"] | dict[str, object], kept: tuple[str, bool]
) -> None:
    """It does not go out of sight with the issue: bring it back, or let it stay deleted."""
    made = shared_issue(laptop, desktop)
    laptop.move("delete", [made.id])
    desktop.update(made.id, IssueEdit(title="Soy milk"))
    sync(laptop, desktop)

    (conflict,) = desktop.replica.conflicts()

    assert conflict.reason == "changed here, deleted on the primary"
    assert list(conflict.fields) == ["deleted_at"]
    assert (conflict.mine_by.machine, conflict.theirs_by and conflict.theirs_by.machine) == ("desktop", "laptop")
    desktop.resolve(conflict, choice)
    (issue,) = agreed(laptop, desktop)
    assert (issue.title, issue.deleted_at is not None) == kept
    assert laptop.replica.conflicts() == desktop.replica.conflicts() == []


@pytest.mark.parametrize(("choice", "is_deleted"), [("mine", True), ("theirs", False)])
def test_deleting_what_was_changed_meanwhile_is_for_a_person_to_decide(
    laptop: Tracker, desktop: Tracker, choice: Literal["mine", "theirs"], *, is_deleted: bool
) -> None:
    """Who deleted it has not seen the change."""
    made = shared_issue(laptop, desktop)
    laptop.update(made.id, IssueEdit(title="Soy milk"))
    desktop.move("delete", [made.id])
    sync(laptop, desktop)

    (conflict,) = desktop.replica.conflicts()

    assert conflict.reason == "deleted here, changed on the primary"
    desktop.resolve(conflict, choice)
    (issue,) = agreed(laptop, desktop)
    assert (issue.title, issue.deleted_at is not None) == ("Soy milk", is_deleted)


@pytest.mark.parametrize(("choice", "title"), [("mine", "July"), ("theirs", "June"), ({"title": "August"}, "August")])
def test_the_same_field_is_for_a_person_to_decide(
    laptop: Tracker, desktop: Tracker, choice: object, title: str
) -> None:
    """And what the person decides reaches both."""
    made = shared_issue(laptop, desktop, "May")
    laptop.update(made.id, IssueEdit(title="June"))
    desktop.update(made.id, IssueEdit(title="July"))
    sync(laptop, desktop)
    conflict = desktop.find_conflict(made.id[:6])
    field = conflict.fields["title"]
    assert (field.before, field.mine, field.theirs) == ("May", "July", "June")
    assert (conflict.mine_by.machine, conflict.theirs_by and conflict.theirs_by.machine) == ("desktop", "laptop")

    desktop.resolve(conflict, choice)  # type: ignore[arg-type] # one of the three, from the list above

    assert [issue.title for issue in agreed(laptop, desktop)] == [title]
    assert laptop.replica.conflicts() == desktop.replica.conflicts() == []


def test_a_teammate_can_settle_a_conflict(laptop: Tracker, desktop: Tracker) -> None:
    """It is kept on the primary too."""
    made = shared_issue(laptop, desktop, "May")
    laptop.update(made.id, IssueEdit(title="June"))
    desktop.update(made.id, IssueEdit(title="July"))
    sync(laptop, desktop, laptop)

    laptop.resolve(laptop.find_conflict(made.id), "mine")

    assert [issue.title for issue in agreed(laptop, desktop)] == ["July"]


@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_a_settled_status_keeps_its_moment_of_closing_in_step(
    laptop: Tracker, desktop: Tracker, choice: object
) -> None:
    """The two fields merge each for itself, and must still agree."""
    made = shared_issue(laptop, desktop)
    laptop.update(made.id, IssueEdit(status=Status.BLOCKED))
    desktop.move("close", [made.id])
    sync(laptop, desktop)

    desktop.resolve(desktop.find_conflict(made.id), choice)  # type: ignore[arg-type] # one of the two above

    (issue,) = agreed(laptop, desktop)
    assert (issue.status is Status.CLOSED) == (issue.closed_at is not None) == (choice == "mine")


def test_a_conflict_that_is_not_there_is_not_found(laptop: Tracker) -> None:
    """By its id or by its issue."""
    with pytest.raises(NotFoundError):
        laptop.find_conflict("zzz")
