"""A primary that went back to an older copy: what it had acknowledged and no base holds is sent again, in order."""

from pathlib import Path

from sqld import Server
from tests.replica.team import Item, Team, Truth, add, change, synced
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
