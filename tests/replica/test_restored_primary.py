"""A primary that went back to an older copy: what it had acknowledged and no base holds is sent again, in order."""

from pathlib import Path

import pytest

from replica import UnreachableError
from sqld import Server
from tests.replica.team import Item, Team, Truth, add, all_synced, change, synced
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


def _fail(*_arguments: object, **_options: object) -> None:
    raise UnreachableError("the network went down before the pull")
