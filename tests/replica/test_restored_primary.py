"""A primary that went back to an older copy: what it had acknowledged and no base holds is sent again, in order."""

from pathlib import Path

import pytest

from replica import UnreachableError
from replica.hrana import Step
from replica.primary import Primary, Refusal
from replica.pull import pull
from sqld import Server
from tests.replica.team import Item, Team, Truth, add, all_synced, change, remove, rows_of, synced
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


@pytest.mark.parametrize("act", ["remove", "change"])
def test_i1_what_was_merged_and_not_sent_is_merged_anew_with_the_primary_as_it_is_then(
    team: Team, truth: Truth, primary_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    """A restore that no base shows took back what left it nothing to do."""
    primary = PrimaryControl(primary_server, tmp_path)
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    primary.back_up()
    for member in (desktop, laptop):
        if act == "remove":
            remove(member, item.id)
        else:
            change(member, item.id, title="Oat milk")
    synced(desktop)
    with monkeypatch.context() as patched:
        _let_one_push_through(patched)
        assert isinstance(laptop.sync().error, UnreachableError)
    primary.restore(keeps_log_id=True)

    synced(laptop)

    assert truth.title(item.id) == (None if act == "remove" else "Oat milk")
    assert rows_of(laptop) == truth.rows()


def test_i1_what_is_remembered_as_sent_is_what_was_sent(
    team: Team, truth: Truth, primary_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Merged into nothing, then sent as it was made, since that was lost; and then lost itself, with the base here."""
    primary = PrimaryControl(primary_server, tmp_path)
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    primary.back_up()
    for member in (desktop, laptop):
        change(member, item.id, title="Oat milk")
    synced(desktop)
    with monkeypatch.context() as patched:
        _let_one_push_through(patched)
        assert isinstance(laptop.sync().error, UnreachableError)
    desktop.close()
    primary.restore(keeps_log_id=True)
    synced(laptop)
    assert truth.title(item.id) == "Oat milk"
    laptop.close()
    primary.restore(keeps_log_id=True)
    for each in team.directory_of("laptop").glob("replica.db*"):
        each.unlink()
    laptop = team.join("laptop")
    synced(laptop)

    laptop.recovery.resend_lost()
    synced(laptop)

    assert truth.title(item.id) == "Oat milk"
    assert rows_of(laptop) == truth.rows()


def test_i4_a_change_shown_over_what_the_primary_then_lost_is_no_ground_to_overwrite_what_came_back(
    team: Team, truth: Truth, primary_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written during a pull, it is shown on the pulled row; a restore takes that away, and it fits what is left."""
    primary = PrimaryControl(primary_server, tmp_path)
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    primary.back_up()
    change(desktop, item.id, title="Oat milk")
    synced(desktop)
    beside = team.join("laptop")
    writes = iter([item.id])

    def write_and_pull(*arguments: object, **options: object) -> None:
        for row_id in writes:
            change(beside, row_id, stars=1)
        pull(*arguments, **options)  # type: ignore[arg-type] # passed on

    with monkeypatch.context() as patched:
        patched.setattr("replica.base.pull", write_and_pull)
        assert laptop.sync().pending == 1
    assert laptop.get(Item, item.id).title == "Oat milk"
    primary.restore(keeps_log_id=True)
    with monkeypatch.context() as patched:
        patched.setattr("replica.base.pull", _fail)
        assert laptop.sync().pushed == 1
    shown = laptop.get(Item, item.id)
    change(laptop, item.id, title="Rice milk")

    synced(laptop)

    assert (shown.title, shown.stars) == ("Oat milk", 1)
    assert truth.run("SELECT title, stars FROM items") == [["Milk", "1"]]
    (conflict,) = laptop.conflicts()
    (title,) = conflict.fields.values()
    assert (title.before, title.mine, title.theirs) == ("Oat milk", "Rice milk", "Milk")


def _let_one_push_through(patched: pytest.MonkeyPatch) -> None:
    """Let the primary refuse what is stale, and be gone when it is sent merged."""
    apply, pushes = Primary.apply, iter([True])

    def apply_once(primary: Primary, steps: list[Step] | None) -> Refusal | None:
        if next(pushes, False):
            return apply(primary, steps)
        raise UnreachableError("the network went down before the merged push")

    patched.setattr(Primary, "apply", apply_once)
    patched.setattr("replica.delivery._ATTEMPTS", 0)


def _fail(*_arguments: object, **_options: object) -> None:
    raise UnreachableError("the network went down before the pull")
