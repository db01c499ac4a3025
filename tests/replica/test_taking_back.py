"""Taking a decision back: whoever does it, a conflict's outcome comes in once and goes out once."""

from typing import Literal

import pytest

from replica import InputError, Replica
from replica.transaction import Transaction
from tests.replica.team import Item, Truth, all_synced, change, clash, rows_of, synced

Choice = Literal["mine", "theirs"]


@pytest.mark.parametrize("outcome", ["mine", "theirs"])
@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_i4_to_take_a_decision_back_never_opens_again_what_another_has_settled(
    laptop: Replica, desktop: Replica, truth: Truth, outcome: Choice, choice: Choice
) -> None:
    """Who took it back saw their own decision alone; that they did is parked in turn, for them to say what is to be."""
    conflict = clash(laptop, desktop, stars=1)
    desktop.resolve(conflict.id, "mine")
    synced(desktop)
    laptop.resolve(conflict.id, outcome)
    laptop.undo()

    synced(laptop)

    title, stars = "Rice milk", "1"
    assert truth.run("SELECT title, stars FROM items") == [[title, stars]]
    settled = f"SELECT state, resolved_by FROM _replica_conflicts WHERE id = '{conflict.id}'"
    assert truth.run(settled) == [["resolved", desktop.session]]
    *_, parked = laptop.conflicts()
    assert f"taken back here, settled since by {desktop.session}" in parked.reason
    for each in laptop.conflicts():
        laptop.resolve(each.id, choice)
    all_synced(laptop, desktop)
    assert [each.id for each in laptop.conflicts()] == ([conflict.id] if choice == "mine" else [])
    assert rows_of(laptop) == rows_of(desktop) == truth.rows()


def test_two_who_take_a_decision_back_do_so_once(laptop: Replica, desktop: Replica, truth: Truth) -> None:
    """What was counted with it is taken off once."""
    conflict = clash(laptop, desktop, stars=1)
    settled = laptop.resolve(conflict.id, "mine")
    all_synced(laptop, desktop)
    desktop.undo(settled.id)
    laptop.undo(settled.id)

    all_synced(desktop, laptop, desktop)

    assert truth.run("SELECT title, stars FROM items") == [["Oat milk", "0"]]
    assert [each.id for each in laptop.conflicts()] == [each.id for each in desktop.conflicts()] == [conflict.id]
    laptop.resolve(conflict.id, "mine")
    all_synced(laptop, desktop)
    assert truth.run("SELECT title, stars FROM items") == [["Rice milk", "1"]]
    assert rows_of(laptop) == rows_of(desktop) == truth.rows()


def test_a_decision_that_both_took_back_and_one_made_again_comes_in_once(
    laptop: Replica, desktop: Replica, truth: Truth
) -> None:
    """Before any of it was synced."""
    conflict = clash(laptop, desktop, stars=1)
    settled = laptop.resolve(conflict.id, "mine")
    all_synced(laptop, desktop)
    desktop.undo(settled.id)
    synced(desktop)
    laptop.undo(settled.id)
    laptop.resolve(conflict.id, {"title": "Soy milk"})

    all_synced(laptop, desktop)

    assert truth.run("SELECT title, stars FROM items") == [["Soy milk", "1"]]


@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_a_decision_that_was_taken_back_here_and_then_there_too_is_taken_back_once(
    laptop: Replica, desktop: Replica, truth: Truth, choice: Choice
) -> None:
    """Whatever is said then about the first of the two, which was parked."""
    conflict = clash(laptop, desktop, stars=1)
    other = desktop.resolve(conflict.id, "mine")
    synced(desktop)
    laptop.resolve(conflict.id, "mine")
    laptop.undo()
    synced(laptop)
    desktop.undo(other.id)
    all_synced(desktop, laptop)
    assert truth.run("SELECT title, stars FROM items") == [["Oat milk", "0"]]

    for each in laptop.conflicts():
        if each.id != conflict.id:
            laptop.resolve(each.id, choice)
    all_synced(laptop, desktop)

    assert truth.run("SELECT title, stars FROM items") == [["Oat milk", "0"]]
    assert [each.id for each in laptop.conflicts()] == [conflict.id]


def test_a_parked_taking_back_can_be_settled_by_values(laptop: Replica, desktop: Replica, truth: Truth) -> None:
    """They are what the row is to be; what was decided stays decided."""
    conflict = clash(laptop, desktop, stars=1)
    desktop.resolve(conflict.id, "mine")
    synced(desktop)
    laptop.resolve(conflict.id, "mine")
    laptop.undo()
    synced(laptop)
    (parked,) = laptop.conflicts()

    laptop.resolve(parked.id, {"title": "Soy milk"})
    all_synced(laptop, desktop)

    assert laptop.conflicts() == []
    assert truth.run("SELECT title, stars FROM items") == [["Soy milk", "1"]]


def test_a_decision_taken_back_over_anothers_opens_the_conflict_as_it_was(
    laptop: Replica, desktop: Replica, truth: Truth
) -> None:
    """All that the other decision brought in goes, and nothing else: the two had different outcomes."""
    conflict = clash(laptop, desktop, stars=1)
    desktop.resolve(conflict.id, "mine")
    synced(desktop)
    laptop.resolve(conflict.id, "theirs")
    laptop.undo()
    synced(laptop)

    for each in laptop.conflicts():
        laptop.resolve(each.id, "mine" if "taken back" in each.reason else "theirs")
    all_synced(laptop, desktop)

    assert truth.run("SELECT title, stars FROM items") == [["Oat milk", "0"]]
    laptop.resolve(conflict.id, "theirs")
    all_synced(laptop, desktop)
    assert truth.run("SELECT title, stars FROM items") == [["Oat milk", "1"]]


@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_a_decision_taken_back_over_a_later_change_of_its_row_is_decided_whole(
    laptop: Replica, desktop: Replica, truth: Truth, choice: Choice
) -> None:
    """The conflict is open again with its outcome gone, or neither."""
    conflict = clash(laptop, desktop, stars=1)
    settled = laptop.resolve(conflict.id, "mine")
    all_synced(laptop, desktop)
    change(desktop, conflict.row_id, title="Nut milk")
    laptop.undo(settled.id)
    all_synced(desktop, laptop)
    (parked,) = laptop.conflicts()
    assert set(parked.fields) == {"title"}

    laptop.resolve(parked.id, choice)
    all_synced(laptop, desktop)

    is_open = choice == "mine"
    assert [each.id for each in laptop.conflicts()] == ([conflict.id] if is_open else [])
    assert truth.run("SELECT title, stars FROM items") == [["Oat milk", "0"] if is_open else ["Nut milk", "1"]]


def test_a_decision_that_history_knows_no_more_cannot_be_taken_back_and_can_be_left(
    laptop: Replica, desktop: Replica, truth: Truth
) -> None:
    """Who took back their own of the same conflict is told so."""
    conflict = clash(laptop, desktop, stars=1)
    desktop.resolve(conflict.id, "mine")
    synced(desktop)
    laptop.resolve(conflict.id, "mine")
    laptop.undo()
    synced(laptop)
    (parked,) = laptop.conflicts()
    truth.run(f"DELETE FROM _replica_changes WHERE row_id = '{conflict.id}' AND kind = 'update'")
    all_synced(laptop, desktop)

    with pytest.raises(InputError, match="no longer known"):
        laptop.resolve(parked.id, "mine")

    laptop.resolve(parked.id, "theirs")
    all_synced(laptop, desktop)
    assert laptop.conflicts() == []
    assert truth.run("SELECT title, stars FROM items") == [["Rice milk", "1"]]


@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_i1_what_one_did_beside_a_decision_and_took_back_with_it_goes_with_it(
    laptop: Replica, desktop: Replica, truth: Truth, choice: Choice
) -> None:
    """The other decided alike, so only that part of the decision came in, and only that part is not the other's."""
    conflict = clash(laptop, desktop, stars=1)
    desktop.resolve(conflict.id, "mine")
    synced(desktop)
    laptop.resolve(conflict.id, "mine", then=_add_butter)
    laptop.undo()
    synced(laptop)
    (parked,) = laptop.conflicts()

    laptop.resolve(parked.id, choice)
    all_synced(laptop, desktop)

    left = [["Oat milk", "0"]] if choice == "mine" else [["Butter", "0"], ["Rice milk", "1"]]
    assert truth.run("SELECT title, stars FROM items ORDER BY title") == left
    assert rows_of(laptop) == rows_of(desktop) == truth.rows()


def _add_butter(tx: Transaction) -> None:
    tx.insert(Item(title="Butter"))
