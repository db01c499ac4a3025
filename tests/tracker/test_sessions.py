"""Who works here: desks, which stay on this machine, and sessions, which others see."""

import multiprocessing
from pathlib import Path

import pytest

from tests.tracker.clock import Clock
from tests.tracker.pair import sync
from tracker import Desk, Here, IssueEdit, Tracker, moves, open_tracker, seen_at, sessions
from tracker.records import Session


def _ask(directory: Path, number: int, answers: "multiprocessing.SimpleQueue[str]") -> None:
    answers.put(Here(directory).desk("key", lambda: Desk(f"ses_{number}", "key")).session)


def test_who_asks_with_the_same_key_gets_the_same_session(tmp_path: Path) -> None:
    """Also several processes that ask at once."""
    spawn = multiprocessing.get_context("spawn")
    answers: multiprocessing.SimpleQueue[str] = spawn.SimpleQueue()
    asking = [spawn.Process(target=_ask, args=(tmp_path, number, answers)) for number in range(4)]
    for process in asking:
        process.start()
    for process in asking:
        process.join()

    assert len({answers.get() for _ in asking}) == 1


def test_another_branch_or_agent_is_another_session(tmp_path: Path) -> None:
    """Each with its own focus."""
    here = Here(tmp_path)
    keys = ("main|terminal", "main|claude_1", "topic|terminal")

    made = [here.desk(key, lambda key=key: Desk(f"ses {key}", key)) for key in keys]  # type: ignore[misc] # a lambda

    assert len({desk.session for desk in made}) == 3
    assert {desk.key for desk in here.desks()} == set(keys)


def test_a_desk_that_cannot_be_read_is_made_anew(tmp_path: Path) -> None:
    """It costs the focus, and nothing else."""
    here = Here(tmp_path)
    here.desk("key", lambda: Desk("ses_a", "key"))
    (path,) = (tmp_path / "here").glob("*.json")
    path.write_text("{")

    here.keep(here.desk("key", lambda: Desk("ses_b", "key")))

    assert here.desk("key", lambda: Desk("ses_c", "key")).session == "ses_b"


def test_the_first_change_of_a_session_tells_others_who_it_is(laptop: Tracker, desktop: Tracker) -> None:
    """In the same mutation, once."""
    laptop.create("one")
    laptop.create("two")
    sync(laptop, desktop)

    (row,) = desktop.replica.select(Session)

    assert (row.id, row.machine) == (laptop.session, "laptop")


def test_a_session_can_be_named_and_others_see_it(laptop: Tracker, desktop: Tracker) -> None:
    """Before it has changed anything, too."""
    sessions.name(laptop, "Ada at home")
    sync(laptop, desktop)

    assert [one.name for one in sessions.known(desktop) if one.id == laptop.session] == ["Ada at home"]


def test_a_new_session_remembers_the_one_before(tmp_path: Path, clock: Clock) -> None:
    """And has nothing in focus."""
    desk = Desk("ses_laptop_000001", "key", focus="td-00000000")
    with open_tracker(tmp_path, machine="laptop", clock=clock, desk=desk) as tracker:
        renewed = sessions.renew(tracker)

        assert (renewed.previous, renewed.focus) == ("ses_laptop_000001", None)
        assert tracker.here.desk("key", lambda: desk) == renewed


def test_idle_sessions_are_let_go_but_not_those_that_claim_something(
    tracker: Tracker, colleague: Tracker, clock: Clock
) -> None:
    """Shown first, and done when that is meant."""
    made = tracker.create("Oat milk")
    moves.start(colleague, [made.id])
    for desk in (colleague.desk, Desk("ses_idle_000001", "idle")):
        tracker.here.keep(desk)
    clock.pass_seconds(1)

    shown = sessions.clean_up(tracker, idle_since="9999", is_dry=True)
    assert len(tracker.here.desks()) == 2
    done = sessions.clean_up(tracker, idle_since="9999", is_dry=False)

    assert [one.id for one in shown] == [one.id for one in done] == ["ses_idle_000001"]
    assert [desk.session for desk in tracker.here.desks()] == [colleague.session]


def test_a_desk_is_written_once_a_minute_at_most() -> None:
    """A short command should not write a file each time."""
    desk = Desk("ses_a", "key", active_at="2026-11-21T05:00:10.000000Z")

    assert seen_at(desk, "2026-11-21T05:00:59.000000Z") is desk
    assert seen_at(desk, "2026-11-21T05:01:00.000000Z").active_at == "2026-11-21T05:01:00.000000Z"


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 61])
def test_a_name_is_one_short_line(tracker: Tracker, name: str) -> None:
    """It is shown in lists."""
    with pytest.raises(Exception, match="name"):
        sessions.name(tracker, name)


def test_who_a_session_is_stays_told_whatever_is_taken_back(tracker: Tracker, colleague: Tracker) -> None:
    """The first change of a session tells it, and may be taken back."""
    made = tracker.create("Oat milk")
    colleague.update(made.id, IssueEdit(title="Soy milk"))

    undone = colleague.undo()

    assert [change.table for change in undone.mutation.changes] == ["issues"]
    assert {row.id for row in tracker.replica.select(Session)} == {tracker.session, colleague.session}
