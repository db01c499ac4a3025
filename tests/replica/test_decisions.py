"""A decision about a conflict does what the person was asked, and nothing else."""

from pathlib import Path

import pytest

from replica import ConflictError, InputError, Replica
from replica.outcome import Choice
from replica.transaction import Transaction
from sqld import Server
from tests.replica.team import Item, Team, Truth, add, all_synced, change, clash, remove, rows_of, synced
from tests.simulation.primary_control import PrimaryControl


def test_i4_a_decision_never_overwrites_a_value_the_person_was_not_shown(team: Team, truth: Truth) -> None:
    """If the primary's value has moved on, the conflict shows the new one, and asks again."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    change(desktop, item.id, title="Oat")
    change(laptop, item.id, title="Rice")
    synced(desktop)
    synced(laptop)
    change(desktop, item.id, title="IMPORTANT")
    synced(desktop)
    synced(laptop)
    (conflict,) = laptop.conflicts()

    with pytest.raises(ConflictError):
        laptop.resolve(conflict.id, "mine")

    (shown,) = laptop.conflicts()
    assert shown.fields["title"].theirs == "IMPORTANT"
    laptop.resolve(conflict.id, "mine")
    synced(laptop)
    assert truth.title(item.id) == "Rice"


def test_theirs_is_the_value_that_was_shown_also_when_the_row_came_to_be_as_mine(team: Team, truth: Truth) -> None:
    """They came round to mine, and mine is what is not wanted any more: what is there now is to be looked at first."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    change(desktop, item.id, title="Oat")
    change(laptop, item.id, title="Rice")
    all_synced(desktop, laptop)
    change(desktop, item.id, title="Rice")
    all_synced(desktop, laptop)
    (conflict,) = laptop.conflicts()

    with pytest.raises(ConflictError):
        laptop.resolve(conflict.id, "theirs")

    laptop.resolve(conflict.id, {"title": "Oat"})
    synced(laptop)
    assert truth.title(item.id) == "Oat"


def test_taking_theirs_in_one_row_keeps_what_was_not_asked_about_in_others(team: Team, truth: Truth) -> None:
    """An insert and a delete that clash with nothing are the author's, whatever becomes of the clashing title."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item, unwanted = add(laptop, "Milk"), add(laptop, "unwanted")
    all_synced(laptop, desktop)
    change(desktop, item.id, title="Oat")
    synced(desktop)
    with laptop.transaction() as tx:
        tx.update(tx.get(Item, item.id), title="Rice")
        tx.insert(Item(title="new"))
        tx.delete(tx.get(Item, unwanted.id))
    synced(laptop)

    laptop.resolve(laptop.conflicts()[0].id, "theirs")

    synced(laptop)
    assert truth.run("SELECT title FROM items ORDER BY title") == [["Oat"], ["new"]]


def test_i4_two_authors_never_give_one_row_the_same_stamp(team: Team) -> None:
    """After a clock far ahead every stamp follows the last one closely; by how much is drawn by each author."""
    laptop, desktop = team.join("laptop", clock=lambda: 1_000.0), team.join("desktop", clock=lambda: 1_000.0)
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)

    change(laptop, item.id, title="Rice")
    change(desktop, item.id, title="Oat")

    assert laptop.get(Item, item.id).updated_at != desktop.get(Item, item.id).updated_at


def test_what_a_conflict_showed_of_others_is_no_conflict_of_its_own_once_a_restore_took_it_away(
    team: Team, truth: Truth, primary_server: Server, tmp_path: Path
) -> None:
    """Nobody wrote it; a decision, on the other hand, comes back whole."""
    primary = PrimaryControl(primary_server, tmp_path)
    laptop, desktop = team.join("laptop"), team.join("desktop")
    add(laptop, "Bread")
    all_synced(laptop, desktop)
    primary.back_up()
    conflict = clash(laptop, desktop)
    change(desktop, conflict.row_id, title="Nut milk")
    synced(desktop)
    laptop.resolve(conflict.id, "mine")
    with pytest.raises(ConflictError):
        desktop.resolve(conflict.id, "mine")
    primary.restore(keeps_log_id=True)

    all_synced(laptop, desktop, laptop)

    (parked,) = laptop.conflicts()
    assert parked.table == "items"
    laptop.resolve(parked.id, "mine")
    synced(laptop)
    decided = f"SELECT state, outcome, resolved_by FROM _replica_conflicts WHERE id = '{conflict.id}'"
    assert truth.run(decided) == [["resolved", "mine", laptop.session]]
    assert laptop.conflicts() == []


@pytest.mark.parametrize(
    ("choice", "title"), [("mine", "Rice milk"), ("theirs", None), ({"title": "Soy milk"}, "Soy milk")]
)
def test_a_row_that_was_deleted_while_its_conflict_was_open_is_brought_back_or_left_alone(
    laptop: Replica, desktop: Replica, truth: Truth, choice: Choice, title: str | None
) -> None:
    """As it was when it was deleted, with the change on it that was parked; history knows it whole."""
    conflict = clash(laptop, desktop, stars=1)
    change(desktop, conflict.row_id, body="two litres", stars=5)
    remove(desktop, conflict.row_id)
    all_synced(desktop, laptop)
    with pytest.raises(ConflictError):
        laptop.resolve(conflict.id, choice)

    laptop.resolve(conflict.id, choice)
    all_synced(laptop, desktop)

    expected = [] if title is None else [[title, "two litres", "6"]]
    assert truth.run("SELECT title, body, stars FROM items") == expected
    assert laptop.conflicts() == desktop.conflicts() == []


def test_a_deleted_row_that_nobody_knows_any_more_can_only_be_left_alone(
    laptop: Replica, desktop: Replica, truth: Truth
) -> None:
    """Half a row is not brought back."""
    conflict = clash(laptop, desktop)
    remove(desktop, conflict.row_id)
    synced(desktop)
    truth.run("DELETE FROM _replica_changes WHERE kind = 'delete'")
    add(desktop, "Bread")
    all_synced(desktop, laptop)
    with pytest.raises(ConflictError):
        laptop.resolve(conflict.id, "mine")

    with pytest.raises(InputError, match="not kept whole"):
        laptop.resolve(conflict.id, "mine")

    laptop.resolve(conflict.id, "theirs")
    assert laptop.conflicts() == []


@pytest.mark.parametrize("choice", ["mine", "theirs", {"title": "Soy milk"}])
def test_i1_what_one_did_beside_a_decision_that_another_made_alike_comes_in(
    laptop: Replica, desktop: Replica, truth: Truth, choice: Choice
) -> None:
    """In other rows, and in the very row that it was about; what the decision brings in still comes once."""
    conflict = clash(laptop, desktop, stars=1)
    bread = add(laptop, "Bread", stars=1)
    all_synced(laptop, desktop)

    def beside(tx: Transaction) -> None:
        tx.insert(Item(title="Butter"))
        for row_id, stars in ((conflict.row_id, 10), (bread.id, 100)):
            item = tx.get(Item, row_id)
            tx.update(item, stars=item.stars + stars, tags={"seen"})

    desktop.resolve(conflict.id, choice)
    synced(desktop)
    laptop.resolve(conflict.id, choice, then=beside)
    report = synced(laptop)

    assert report.parked == 0
    title = {"mine": "Rice milk", "theirs": "Oat milk"}.get(str(choice), "Soy milk")
    rows = [["Bread", "101", '["seen"]'], ["Butter", "0", "[]"], [title, "11", '["seen"]']]
    assert sorted(truth.run("SELECT title, stars, tags FROM items")) == sorted(rows)
    all_synced(laptop, desktop)
    assert laptop.conflicts() == desktop.conflicts() == []
    assert rows_of(laptop) == rows_of(desktop) == truth.rows()


@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_i1_what_one_did_beside_a_decision_made_alike_is_parked_without_it_where_it_clashes(
    laptop: Replica, desktop: Replica, truth: Truth, choice: Choice
) -> None:
    """The decision stands, and is not asked about again."""
    conflict = clash(laptop, desktop, stars=1)
    bread = add(laptop, "Bread")
    all_synced(laptop, desktop)
    desktop.resolve(conflict.id, "mine", then=lambda tx: _rename(tx, bread.id, "Rye bread"))
    synced(desktop)
    laptop.resolve(conflict.id, "mine", then=lambda tx: _rename(tx, bread.id, "Spelt bread"))

    synced(laptop)

    (parked,) = laptop.conflicts()
    assert (parked.row_id, list(parked.fields)) == (bread.id, ["title"])
    laptop.resolve(parked.id, choice)
    all_synced(laptop, desktop)
    assert truth.title(bread.id) == ("Spelt bread" if choice == "mine" else "Rye bread")
    assert truth.run(f"SELECT title, stars FROM items WHERE id = '{conflict.row_id}'") == [["Rice milk", "1"]]
    assert laptop.conflicts() == desktop.conflicts() == []


def test_i1_what_one_did_beside_a_second_decision_comes_in_with_it(
    laptop: Replica, desktop: Replica, truth: Truth
) -> None:
    """The two decided differently, and the second is what is to be."""
    conflict = clash(laptop, desktop, stars=1)
    bread = add(laptop, "Bread")
    all_synced(laptop, desktop)
    desktop.resolve(conflict.id, {"title": "Soy milk"})
    synced(desktop)
    laptop.resolve(conflict.id, "mine", then=lambda tx: _rename(tx, bread.id, "Rye bread"))
    synced(laptop)
    (parked,) = laptop.conflicts()

    laptop.resolve(parked.id, "mine")
    all_synced(laptop, desktop)

    assert truth.run("SELECT title, stars FROM items ORDER BY title") == [["Rice milk", "1"], ["Rye bread", "0"]]
    settled_by = f"SELECT resolved_by FROM _replica_conflicts WHERE id = '{conflict.id}'"
    assert truth.run(settled_by) == [[desktop.session]]
    assert laptop.conflicts() == desktop.conflicts() == []


def _rename(tx: Transaction, item_id: str, title: str) -> None:
    tx.update(tx.get(Item, item_id), title=title)
