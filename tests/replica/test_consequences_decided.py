"""A consequence is parked, decided about and taken back with what it follows from, and gives way there too."""

import json

import pytest

from replica import ConflictError, Replica, Transaction
from replica.outcome import Choice
from tests.replica.epics import finish, parked, titles, two_members
from tests.replica.team import Item, Team, Truth, add, all_synced, change, remove, synced


@pytest.fixture
def pair(team: Team) -> tuple[Replica, Replica]:
    """Two who share a task and its epic."""
    return two_members(team)


@pytest.fixture
def laptop(pair: tuple[Replica, Replica]) -> Replica:
    """Who finishes the task."""
    return pair[0]


@pytest.fixture
def desktop(pair: tuple[Replica, Replica]) -> Replica:
    """Who is faster."""
    return pair[1]


def test_a_consequence_is_parked_with_what_it_follows_from_and_not_asked_about(
    truth: Truth, laptop: Replica, desktop: Replica
) -> None:
    """Though its own row was contested too; who settles it elsewhere knows what gives way."""
    change(desktop, "epic", title="blocked")

    conflict = parked(laptop, desktop)

    assert conflict.clashing == {("items", "task")}
    assert set(conflict.fields) == {"title"}
    assert [(one.row_id, one.yields) for one in conflict.changes] == [("task", False), ("epic", True)]
    assert titles(truth) == ("given up", "blocked")


def test_a_parked_consequence_can_be_read_by_a_program_that_knows_of_none(
    truth: Truth, laptop: Replica, desktop: Replica
) -> None:
    """It takes exactly six values for a change; what yields is told beside them."""
    parked(laptop, desktop)

    ((changes, yielding),) = truth.run("SELECT changes, yielding FROM _replica_conflicts")

    assert [len(one) for one in json.loads(str(changes))] == [6, 6]
    assert json.loads(str(yielding)) == ["items/epic"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("mine", ("done", "closed")),
        ({"title": "done"}, ("done", "closed")),
        ("theirs", ("given up", "open")),
        ({"title": "almost"}, ("almost", "open")),
    ],
)
def test_a_decision_for_what_the_author_wanted_brings_what_follows(
    truth: Truth, laptop: Replica, desktop: Replica, choice: Choice, expected: tuple[str, str]
) -> None:
    """Another decision does not: it is not what that was a consequence of."""
    conflict = parked(laptop, desktop)

    desktop.resolve(conflict.id, choice)

    all_synced(desktop, laptop)
    assert titles(truth) == expected
    assert truth.run("SELECT state FROM _replica_conflicts") == [["resolved"]]


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_decision_brings_no_consequence_whose_row_has_moved_on(
    truth: Truth, laptop: Replica, desktop: Replica, *, is_gone: bool
) -> None:
    """As when it was first synced; the rest is brought back."""
    conflict = parked(laptop, desktop, body="all done")
    if is_gone:
        remove(desktop, "epic")
    else:
        change(desktop, "epic", title="blocked")

    desktop.resolve(conflict.id, "mine")

    all_synced(desktop, laptop)
    assert titles(truth) == ("done", None if is_gone else "blocked")
    assert truth.run("SELECT count(*) FROM items WHERE body = 'all done'") == [["0"]]


def test_the_consequence_of_a_decision_gives_way_to_who_is_faster(
    truth: Truth, laptop: Replica, desktop: Replica
) -> None:
    """The decision itself arrives."""
    conflict = parked(laptop, desktop)
    synced(laptop)
    desktop.resolve(conflict.id, "mine")
    change(laptop, "epic", title="blocked")

    all_synced(laptop, desktop)

    assert titles(truth) == ("done", "blocked")
    assert truth.run("SELECT state FROM _replica_conflicts") == [["resolved"]]


@pytest.mark.parametrize(("choice", "stars"), [("mine", "1"), ("theirs", "0")])
def test_the_consequence_of_one_decision_made_twice_counts_once(
    truth: Truth, laptop: Replica, desktop: Replica, choice: Choice, stars: str
) -> None:
    """A counter shows it best."""
    conflict = parked(laptop, desktop, stars=1)
    synced(laptop)

    for member in (laptop, desktop):
        member.resolve(conflict.id, choice)

    all_synced(laptop, desktop)
    assert truth.run("SELECT stars FROM items WHERE id = 'epic'") == [[stars]]
    assert truth.run("SELECT state FROM _replica_conflicts") == [["resolved"]]


def test_what_is_done_beside_a_decision_that_lets_a_consequence_go_is_done(
    truth: Truth, laptop: Replica, desktop: Replica
) -> None:
    """Though another decided the same, and though it is what the consequence was: nobody has done it before."""
    conflict = parked(laptop, desktop)
    synced(laptop)
    laptop.resolve(conflict.id, "theirs")
    desktop.resolve(conflict.id, "theirs", then=_close)

    all_synced(laptop, desktop)

    assert titles(truth) == ("given up", "closed")


def _close(tx: Transaction) -> None:
    tx.update(tx.get(Item, "epic"), title="closed")


def test_a_second_decision_brings_no_more_of_a_consequence_than_it_was(
    truth: Truth, laptop: Replica, desktop: Replica
) -> None:
    """Mine after somebody else's mine with other values: the counter went up with the first."""
    conflict = parked(laptop, desktop, stars=1)
    synced(laptop)
    laptop.resolve(conflict.id, "mine")
    desktop.resolve(conflict.id, {"title": "done"})
    all_synced(laptop, desktop)
    (second,) = desktop.conflicts()

    desktop.resolve(second.id, "mine")

    all_synced(desktop, laptop)
    assert titles(truth) == ("done", "closed")
    assert truth.run("SELECT stars FROM items WHERE id = 'epic'") == [["1"]]


def test_a_mutation_that_is_refused_for_itself_is_parked_with_its_consequences(
    truth: Truth, laptop: Replica, desktop: Replica
) -> None:
    """Only what was refused is asked about."""
    add(desktop, "other", code="A")
    with laptop.transaction() as tx:
        tx.update(tx.get(Item, "task"), code="A")
        tx.follow(tx.get(Item, "epic"), title="closed")

    all_synced(desktop, laptop)

    (conflict,) = desktop.conflicts()
    assert set(conflict.clashing) == {("items", "task")}
    assert len(conflict.changes) == 2
    assert titles(truth) == ("to do", "open")
    desktop.resolve(conflict.id, {"code": "B"})
    all_synced(desktop, laptop)
    assert titles(truth) == ("to do", "closed")


@pytest.mark.parametrize("is_synced", [True, False])
def test_taking_back_takes_back_what_followed(truth: Truth, laptop: Replica, *, is_synced: bool) -> None:
    """And taking that back brings both again."""
    mutation_id = finish(laptop)
    if is_synced:
        synced(laptop)

    back = laptop.undo(mutation_id)

    synced(laptop)
    assert titles(truth) == ("to do", "open")
    laptop.undo(back.id)
    synced(laptop)
    assert titles(truth) == ("done", "closed")


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_consequence_that_was_overtaken_does_not_keep_the_rest_from_being_taken_back(
    truth: Truth, laptop: Replica, desktop: Replica, *, is_gone: bool
) -> None:
    """It stays as somebody else left it."""
    finish(laptop)
    all_synced(laptop, desktop)
    if is_gone:
        remove(desktop, "epic")
    else:
        change(desktop, "epic", title="blocked")
    all_synced(desktop, laptop)

    laptop.undo(next(entry.mutation_id for entry in reversed(laptop.history(Item, "task"))))

    synced(laptop)
    assert titles(truth) == ("to do", None if is_gone else "blocked")


def test_a_consequence_that_is_overtaken_while_it_is_taken_back_gives_way(
    truth: Truth, laptop: Replica, desktop: Replica
) -> None:
    """The inverse of a consequence is one."""
    mutation_id = finish(laptop)
    all_synced(laptop, desktop)
    change(desktop, "epic", title="blocked")
    back = laptop.undo(mutation_id)

    all_synced(desktop, laptop)

    assert [one.yields for one in back.changes] == [True, False]
    assert titles(truth) == ("to do", "blocked")
    assert truth.parked() == []


def test_what_a_consequence_follows_from_is_not_taken_back_over_a_later_change(
    laptop: Replica,
) -> None:
    """As ever."""
    mutation_id = finish(laptop)
    change(laptop, "task", title="done again")

    with pytest.raises(ConflictError):
        laptop.undo(mutation_id)
