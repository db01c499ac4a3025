"""Two people, one primary that comes and goes."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal

import pytest

from sqld import Server
from tests.tracker.clock import Clock
from tests.tracker.pair import EVERYTHING, agreed, sync
from tracker import (
    AmbiguousIdError,
    InputError,
    Issue,
    IssueEdit,
    IssueFilter,
    NotFoundError,
    Priority,
    ReplicaError,
    Status,
    Tracker,
    UndoRefusedError,
    UnreachableError,
    decisions,
    moves,
    other_fields,
    reviews,
    views,
)


def shared_issue(laptop: Tracker, desktop: Tracker, title: str = "Oat milk") -> Issue:
    """An issue that both have."""
    made = laptop.create(title, description="one\ntwo\nthree\nfour\n")
    sync(laptop, desktop)
    return made


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
    moves.close(desktop, [made.id]) if move == "close" else desktop.delete([made.id])
    earlier = clock.now
    clock.pass_seconds(60)
    moves.close(laptop, [made.id]) if move == "close" else laptop.delete([made.id])

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
    laptop.delete([made.id])
    desktop.update(made.id, IssueEdit(title="Soy milk"))
    sync(laptop, desktop)

    (conflict,) = desktop.replica.conflicts()

    assert conflict.reason == "changed here, deleted on the primary"
    assert list(conflict.fields) == ["deleted_at"]
    assert (conflict.mine_by.machine, conflict.theirs_by and conflict.theirs_by.machine) == ("desktop", "laptop")
    decisions.settle(desktop, conflict, choice)
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
    desktop.delete([made.id])
    sync(laptop, desktop)

    (conflict,) = desktop.replica.conflicts()

    assert conflict.reason == "deleted here, changed on the primary"
    decisions.settle(desktop, conflict, choice)
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
    conflict = decisions.find(desktop, made.id[:6])
    field = conflict.fields["title"]
    assert (field.before, field.mine, field.theirs) == ("May", "July", "June")
    assert (conflict.mine_by.machine, conflict.theirs_by and conflict.theirs_by.machine) == ("desktop", "laptop")

    decisions.settle(desktop, conflict, choice)  # type: ignore[arg-type] # one of the three, from the list above

    assert [issue.title for issue in agreed(laptop, desktop)] == [title]
    assert laptop.replica.conflicts() == desktop.replica.conflicts() == []


def test_a_teammate_can_settle_a_conflict(laptop: Tracker, desktop: Tracker) -> None:
    """It is kept on the primary too."""
    made = shared_issue(laptop, desktop, "May")
    laptop.update(made.id, IssueEdit(title="June"))
    desktop.update(made.id, IssueEdit(title="July"))
    sync(laptop, desktop, laptop)

    decisions.settle(laptop, decisions.find(laptop, made.id), "mine")

    assert [issue.title for issue in agreed(laptop, desktop)] == ["July"]


@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_a_settled_status_keeps_its_moment_of_closing_in_step(
    laptop: Tracker, desktop: Tracker, choice: object
) -> None:
    """The two fields merge each for itself, and must still agree."""
    made = shared_issue(laptop, desktop)
    laptop.update(made.id, IssueEdit(status=Status.BLOCKED))
    moves.close(desktop, [made.id])
    sync(laptop, desktop)

    decisions.settle(desktop, decisions.find(desktop, made.id), choice)  # type: ignore[arg-type] # one of the two above

    (issue,) = agreed(laptop, desktop)
    assert (issue.status is Status.CLOSED) == (issue.closed_at is not None) == (choice == "mine")


def test_an_issue_with_two_conflicts_is_ambiguous(laptop: Tracker, desktop: Tracker) -> None:
    """Either is listed; each is found by its id."""
    made = shared_issue(laptop, desktop)
    laptop.update(made.id, IssueEdit(title="June", priority=Priority.P0))
    desktop.update(made.id, IssueEdit(title="July"))
    desktop.update(made.id, IssueEdit(priority=Priority.P4))
    sync(laptop, desktop)
    ids = [conflict.id for conflict in desktop.replica.conflicts()]
    assert len(ids) == 2

    with pytest.raises(AmbiguousIdError) as raised:
        decisions.find(desktop, made.id)

    assert all(conflict_id in str(raised.value) for conflict_id in ids)
    assert [decisions.find(desktop, conflict_id).id for conflict_id in ids] == ids


def test_what_comes_in_whichever_side_is_taken_is_told(laptop: Tracker, desktop: Tracker) -> None:
    """Nobody clashed there, so nobody decides."""
    made = shared_issue(laptop, desktop, "May")
    laptop.update(made.id, IssueEdit(title="June"))
    desktop.update(
        made.id, IssueEdit(title="July", priority=Priority.P0, add_labels=frozenset({"a"}), status=Status.CLOSED)
    )
    sync(laptop, desktop)
    conflict = decisions.find(desktop, made.id)
    others = {name: new for name, (_, new) in other_fields(conflict).items()}
    assert others == {"priority": "P0", "labels": '["a"]', "status": "closed"}

    decisions.settle(desktop, conflict, "theirs")

    (issue,) = agreed(laptop, desktop)
    assert (issue.title, issue.priority, issue.labels) == ("June", Priority.P0, frozenset({"a"}))


def test_an_issue_whose_creation_is_undone_keeps_what_a_teammate_said(laptop: Tracker, desktop: Tracker) -> None:
    """It is deleted as `td delete` deletes; restored, all of it is there again."""
    made = shared_issue(laptop, desktop)
    desktop.comment(made.id, "Soy, please.")

    undone = laptop.undo()

    assert undone.deleted == (made.id,)
    assert [change.fields.keys() for change in undone.mutation.changes] == [{"deleted_at"}]
    (issue,) = agreed(laptop, desktop)
    assert issue.deleted_at is not None
    laptop.undo(undone.mutation.id)
    assert [comment.text for comment in views.whole(laptop, made.id).comments] == ["Soy, please."]
    assert laptop.get(made.id).deleted_at is None


def test_a_creation_that_the_primary_has_and_the_copy_here_does_not_is_undone_alike(
    laptop: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pull that failed, or cannot be had on this machine, makes no difference."""

    def fail(*_arguments: object, **_options: object) -> None:
        raise UnreachableError("the network went down before the pull")

    made = laptop.create("Oat milk")
    with monkeypatch.context() as patched:
        patched.setattr("replica.base.pull", fail)
        assert laptop.replica.sync().pushed == 1

    undone = laptop.undo()

    assert undone.deleted == (made.id,)
    sync(laptop)
    assert [issue.deleted_at is not None for issue in laptop.find(EVERYTHING)] == [True]


def test_an_undo_that_is_refused_names_who_changed_what(laptop: Tracker, desktop: Tracker, clock: Clock) -> None:
    """For the creation as for any other change."""
    made = shared_issue(laptop, desktop, "May")
    laptop.update(made.id, IssueEdit(title="June", priority=Priority.P0))
    sync(laptop, desktop)
    clock.pass_seconds(60)
    desktop.update(made.id, IssueEdit(title="July"))
    sync(desktop, laptop)
    created, updated = (entry.mutation_id for entry in laptop.history(made.id)[1][:2])

    for mutation_id, names in ((None, "title by"), (updated, "title by"), (created, "priority by ses_laptop_000001")):
        with pytest.raises(UndoRefusedError) as raised:
            laptop.undo(mutation_id)
        assert f"{made.id} was changed again since: " in str(raised.value)
        assert names in str(raised.value)
        assert "ses_desktop_000001 on desktop at 2026-" in str(raised.value)
    assert [issue.title for issue in agreed(laptop, desktop)] == ["July"]


def test_a_settled_conflict_says_that_nothing_is_left(laptop: Tracker, desktop: Tracker) -> None:
    """And where to look."""
    made = shared_issue(laptop, desktop, "May")
    laptop.update(made.id, IssueEdit(title="June"))
    desktop.update(made.id, IssueEdit(title="July"))
    sync(laptop, desktop)
    conflict = decisions.find(desktop, made.id)
    decisions.settle(desktop, conflict, "mine")

    with pytest.raises(InputError) as raised:
        decisions.settle(desktop, conflict, "theirs")

    assert raised.value.hint == f"nothing is left to decide; td history {made.id} shows what came of it"
    assert not decisions.is_open(desktop, conflict)


@pytest.mark.parametrize("choice", ["mine", "theirs", {"status": Status.OPEN}])
def test_settling_a_status_is_one_mutation(laptop: Tracker, desktop: Tracker, choice: object) -> None:
    """With the moment of closing in step, so that one undo takes all of it back."""
    made = shared_issue(laptop, desktop)
    laptop.update(made.id, IssueEdit(status=Status.BLOCKED))
    moves.close(desktop, [made.id])
    sync(laptop, desktop)
    before = len(desktop.replica.pending())

    mutation = decisions.settle(desktop, decisions.find(desktop, made.id), choice)  # type: ignore[arg-type] # one of those above

    assert [waiting.id for waiting in desktop.replica.pending()[before:]] == [mutation.id]
    (issue,) = agreed(laptop, desktop)
    assert (issue.status is Status.CLOSED) == (issue.closed_at is not None)


def test_a_conflict_that_is_not_there_is_not_found(laptop: Tracker) -> None:
    """By its id or by its issue."""
    with pytest.raises(NotFoundError):
        decisions.find(laptop, "zzz")


SIDES: Mapping[str, Callable[[Tracker, str], object]] = {
    "block": lambda tracker, issue_id: moves.block(tracker, [issue_id]),
    "unstart": lambda tracker, issue_id: moves.unstart(tracker, [issue_id]),
    "take over": lambda tracker, issue_id: moves.start(tracker, [issue_id], is_forced=True),
    "close": lambda tracker, issue_id: moves.close(tracker, [issue_id], exception="done"),
    "review": lambda tracker, issue_id: reviews.request(tracker, [issue_id]),
}


@pytest.mark.parametrize(
    ("mine", "theirs", "choice"),
    [
        ("block", "close", "mine"),
        ("unstart", "review", "theirs"),
        ("take over", "unstart", "mine"),
        ("review", "close", "mine"),
        ("close", "unstart", "theirs"),
    ],
)
def test_a_settled_status_has_all_that_belongs_to_it(
    laptop: Tracker, desktop: Tracker, mine: str, theirs: str, choice: Literal["mine", "theirs"]
) -> None:
    """Each field merges for itself, and all must agree: who has it, who closed it, since when."""
    made = shared_issue(laptop, desktop)
    moves.start(laptop, [made.id])
    sync(laptop, desktop)
    SIDES[theirs](laptop, made.id)
    SIDES[mine](desktop, made.id)
    sync(laptop, desktop)

    for conflict in desktop.replica.conflicts():
        decisions.settle(desktop, conflict, choice)

    (issue,) = agreed(laptop, desktop)
    assert (issue.status is Status.CLOSED) == (issue.closed_at is not None) == (issue.closed_by_session is not None)
    assert issue.status is not Status.OPEN or issue.implementer_session is None
    assert issue.status not in (Status.IN_PROGRESS, Status.IN_REVIEW) or issue.implementer_session is not None
    assert issue.status is not Status.IN_REVIEW or issue.review_requested_by is not None
    assert not desktop.replica.conflicts()
