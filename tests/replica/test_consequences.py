"""A change that only follows from others of its mutation gives way to what somebody else did, and holds up nothing."""

import pytest

from replica import ConflictError, Kind, Replica
from tests.replica.epics import finish, titles, two_members
from tests.replica.notebook import Note
from tests.replica.notebook import add as add_note
from tests.replica.team import Item, Team, Truth, add, all_synced, change, remove, rows_of, synced


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


def test_a_consequence_gives_way_and_what_it_follows_from_arrives(
    truth: Truth, laptop: Replica, desktop: Replica
) -> None:
    """Whole, with its fields that nobody contested; nothing is parked, and everybody comes to see the same."""
    change(desktop, "epic", title="blocked")
    mutation_id = finish(laptop, body="all done", stars=5)
    synced(desktop)

    report = synced(laptop)

    assert (report.pushed, report.merged, report.parked) == (1, 1, 0)
    assert titles(truth) == ("done", "blocked")
    assert truth.run("SELECT body, stars FROM items WHERE id = 'epic'") == [["", "0"]]
    assert truth.applied().count(mutation_id) == 1
    all_synced(laptop, desktop)
    assert rows_of(laptop) == rows_of(desktop) == truth.rows()


def test_a_consequence_that_nobody_contested_is_done(truth: Truth, laptop: Replica) -> None:
    """As any other change."""
    finish(laptop)

    report = synced(laptop)

    assert (report.merged, titles(truth)) == (0, ("done", "closed"))


def test_a_consequence_is_merged_where_the_rules_of_the_fields_can(
    truth: Truth, laptop: Replica, desktop: Replica
) -> None:
    """Other fields, and those with a rule of their own, are no contest."""
    change(desktop, "epic", body="by desktop", stars=2, tags=frozenset({"big"}))
    finish(laptop, stars=1, tags=frozenset({"old"}))

    all_synced(desktop, laptop)

    row = truth.run("SELECT title, body, stars, tags FROM items WHERE id = 'epic'")
    assert row == [["closed", "by desktop", "3", '["big","old"]']]


def test_a_consequence_for_a_row_that_is_gone_gives_way(truth: Truth, laptop: Replica, desktop: Replica) -> None:
    """And does not bring it back."""
    remove(desktop, "epic")
    finish(laptop)

    all_synced(desktop, laptop)

    assert titles(truth) == ("done", None)
    assert rows_of(laptop) == truth.rows()


def test_a_mutation_of_nothing_but_consequences_that_give_way_is_acknowledged(
    truth: Truth, laptop: Replica, desktop: Replica
) -> None:
    """There is nothing left to do of it, and it is done."""
    change(desktop, "epic", title="blocked")
    with laptop.transaction() as tx:
        tx.follow(tx.get(Item, "epic"), title="closed")
        mutation_id = tx.mutation_id
    synced(desktop)

    report = synced(laptop)

    assert (report.pushed, report.parked, laptop.pending()) == (1, 0, [])
    assert truth.applied().count(mutation_id) == 1
    assert titles(truth) == ("to do", "blocked")


def test_what_was_done_after_a_consequence_that_gave_way_is_done(
    truth: Truth, laptop: Replica, desktop: Replica
) -> None:
    """It was laid over the consequence here, and is laid over what is there."""
    change(desktop, "epic", title="blocked")
    finish(laptop)
    change(laptop, "epic", body="by laptop")

    all_synced(desktop, laptop)

    assert truth.run("SELECT title, body FROM items WHERE id = 'epic'") == [["blocked", "by laptop"]]
    assert truth.parked() == []


def test_a_row_that_is_changed_otherwise_too_does_not_yield(truth: Truth, laptop: Replica, desktop: Replica) -> None:
    """Whichever came first in the transaction: an ordinary change is never given up unasked."""
    for first, second in (("update", "follow"), ("follow", "update")):
        change(desktop, "epic", title=f"blocked before {first}")
        with laptop.transaction() as tx:
            row = getattr(tx, first)(tx.get(Item, "epic"), title="closed")
            getattr(tx, second)(row, body=f"{first} and {second}")

        all_synced(desktop, laptop)

    assert len(truth.parked()) == 2
    assert [conflict.changes[0].yields for conflict in laptop.conflicts()] == [False, False]


def test_a_row_that_the_transaction_inserts_is_whole_with_what_follows(laptop: Replica) -> None:
    """One insert, that does not yield."""
    with laptop.transaction() as tx:
        tx.follow(tx.insert(Item(id="new", title="open")), title="closed")

    (made,) = laptop.pending()[0].changes
    assert (made.kind, made.yields, made.new_values()["title"]) == (Kind.INSERT, False, "closed")


def test_a_value_that_the_primary_refuses_in_a_consequence_does_not_park_the_rest(
    truth: Truth, laptop: Replica, desktop: Replica
) -> None:
    """The code is taken by now; only the primary knows."""
    add(desktop, "other", code="A")
    finish(laptop, code="A")
    change(laptop, "task", body="written after it")

    all_synced(desktop, laptop)

    assert titles(truth) == ("done", "open")
    assert truth.run("SELECT body FROM items WHERE id = 'task'") == [["written after it"]]
    assert truth.parked() == []
    assert rows_of(laptop) == truth.rows()


def test_an_online_write_compares_the_rows_of_consequences_too(truth: Truth, laptop: Replica, desktop: Replica) -> None:
    """Whoever asks for it now is told now, and decides anew."""
    change(desktop, "epic", title="blocked")
    synced(desktop)

    with pytest.raises(ConflictError) as caught:
        finish(laptop, writes="online")

    assert caught.value.row_id == "epic"
    assert titles(truth) == ("to do", "blocked")
    synced(laptop)
    finish(laptop, writes="online")
    assert titles(truth) == ("done", "closed")


def test_following_with_nothing_new_changes_nothing(notes: Replica) -> None:
    """No mutation is made of it."""
    note = add_note(notes, "open")

    with notes.transaction() as tx:
        assert tx.follow(note, title="open") == note

    assert notes.get(Note, note.id).updated_at == note.updated_at


def test_in_every_mode_a_consequence_is_done_kept_apart_and_taken_back(notes: Replica) -> None:
    """In a file and on the primary too, where nothing can move on between the two."""
    first, second = add_note(notes, "to do"), add_note(notes, "open")

    with notes.transaction() as tx:
        tx.update(first, title="done")
        followed = tx.follow(second, title="closed", stars=1)

    assert notes.get(Note, second.id) == followed
    made = notes.mutation()
    assert [one.yields for one in made.changes] == [False, True]
    notes.undo(made.id)
    assert [notes.get(Note, one.id).title for one in (first, second)] == ["to do", "open"]
