"""A primary that went back to an older copy: what it had acknowledged and no base holds is sent again, in order."""

from pathlib import Path

import pytest

from replica import UnreachableError
from sqld import Server
from tests.replica.team import Item, Team, Truth, add, all_synced, change, rows_of, synced
from tests.simulation.primary_control import PrimaryControl


def test_i7_what_a_restored_primary_lost_goes_before_what_was_written_on_top_of_it(
    team: Team, truth: Truth, primary_server: Server, tmp_path: Path
) -> None:
    """Also where the base alone would not show the loss, and the next thing that happens is an online write."""
    primary = PrimaryControl(primary_server, tmp_path)
    laptop = team.join("laptop")
    add(laptop, "before")
    synced(laptop)
    primary.back_up()
    with laptop.transaction("online") as tx:
        item = tx.insert(Item(title="Milk"))
    lost = tx.mutation_id
    primary.restore(keeps_log_id=True)
    changed = change(laptop, item.id, title="Oat milk")

    with laptop.transaction("online") as tx:
        tx.insert(Item(title="Bread"))

    assert truth.applied()[1:] == [lost, changed, tx.mutation_id]
    assert truth.parked() == []
    synced(laptop)
    assert truth.title(item.id) == "Oat milk"


def test_i1_what_was_merged_into_a_value_that_the_primary_then_lost_is_merged_anew(
    team: Team, truth: Truth, primary_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both wrote the same, so mine had nothing to add; then theirs is lost with the primary, and mine waits here."""
    primary = PrimaryControl(primary_server, tmp_path)
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    primary.back_up()
    change(desktop, item.id, title="Oat milk")
    synced(desktop)
    change(laptop, item.id, title="Oat milk")
    with monkeypatch.context() as patched:
        patched.setattr("replica.base.pull", _fail)
        assert laptop.sync().pushed == 1
    primary.restore(keeps_log_id=True)

    synced(laptop)

    assert truth.title(item.id) == "Oat milk"


def test_i3_an_older_copy_that_came_to_the_same_last_change_by_another_way_is_noticed(
    team: Team, truth: Truth, primary_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last change alone would say that all is well: it was sent again, after others than before."""
    primary = PrimaryControl(primary_server, tmp_path)
    laptop, desktop, other = team.join("laptop"), team.join("desktop"), team.join("other")
    with laptop.transaction() as tx:
        items = [tx.insert(Item(title=f"item {number}", body="x" * 500)) for number in range(200)]
    all_synced(laptop, desktop, other)
    primary.back_up()
    change(other, items[20].id, title="lost")
    synced(other)
    change(laptop, items[60].id, title="last")
    with monkeypatch.context() as patched:
        patched.setattr("replica.base.pull", _fail)
        assert laptop.sync().pushed == 1
    synced(desktop)
    primary.restore(keeps_log_id=True)
    eve = team.join("eve")
    synced(eve)
    change(eve, items[120].id, title="instead")
    synced(eve)
    synced(laptop)
    for number in range(6):
        change(eve, items[150 + number].id, title=f"after {number}")
        synced(eve)

    synced(desktop)

    assert rows_of(desktop) == truth.rows()


def _fail(*_arguments: object, **_options: object) -> None:
    raise UnreachableError("the network went down before the pull")
