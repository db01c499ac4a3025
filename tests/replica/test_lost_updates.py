"""I4: no committed change overwrites a value that its author had not seen, except under a named rule."""

from collections.abc import Callable

import pytest

from replica import Replica, UnreachableError
from tests.replica.team import Item, Team, Truth, add, all_synced, change, remove, synced


@pytest.fixture
def without_pull(monkeypatch: pytest.MonkeyPatch) -> Callable[[Replica], None]:
    """Sync a replica up to the pull, as where there is no libsql client, or the network fails right then."""

    def no_pull(*_arguments: object, **_options: object) -> None:
        raise UnreachableError("the network went down before the pull")

    def sync(member: Replica) -> None:
        with monkeypatch.context() as patched:
            patched.setattr("replica.base.pull", no_pull)
            assert isinstance(member.sync().error, UnreachableError)

    return sync


def test_i4_what_a_merge_found_on_the_primary_is_shown_before_it_is_pulled(
    team: Team, truth: Truth, without_pull: Callable[[Replica], None]
) -> None:
    """The merged row carries the primary's stamp, so whoever writes to it next must have seen all of it."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    change(desktop, item.id, title="Oat milk")
    synced(desktop)
    change(laptop, item.id, body="two litres")

    without_pull(laptop)

    assert laptop.get(Item, item.id).title == "Oat milk"
    assert laptop.get(Item, item.id).body == "two litres"


def test_i4_a_value_that_arrived_with_a_merge_is_not_overwritten_unseen(
    team: Team, truth: Truth, without_pull: Callable[[Replica], None]
) -> None:
    """The author read the row before the sync merged it; the write comes after, and must not win by its stamp."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    change(desktop, item.id, tags={"shop"})
    synced(desktop)
    change(laptop, item.id, body="two litres")
    without_pull(laptop)

    change(laptop, item.id, tags=laptop.get(Item, item.id).tags | {"urgent"})
    all_synced(laptop, desktop)

    assert desktop.get(Item, item.id).tags == {"shop", "urgent"}


def test_i4_an_insert_that_met_another_insert_shows_what_the_other_had(
    team: Team, truth: Truth, without_pull: Callable[[Replica], None]
) -> None:
    """Where the rules let the other's value stand, the overlay shows it, too, and not the one that was typed here."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    all_synced(laptop, desktop)
    add(desktop, "Milk", id="same", tags={"a", "b"})
    synced(desktop)
    add(laptop, "Milk", id="same", tags={"a"})

    without_pull(laptop)

    assert laptop.get(Item, "same").tags == {"a", "b"}


def test_i4_equal_stamps_of_two_authors_are_not_taken_for_one_version(team: Team, truth: Truth) -> None:
    """After a write from a clock far ahead all stamps are one microsecond apart, so two authors make the same ones."""
    ahead = team.join("ahead", clock=lambda: 4_000_000_000.0)
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item = add(ahead, "Milk")
    all_synced(ahead, laptop, desktop)
    change(laptop, item.id, title="Oat milk")
    change(desktop, item.id, title="Rice milk")
    change(desktop, item.id, title="Soy milk")
    synced(laptop)

    report = synced(desktop)

    assert truth.title(item.id) == "Oat milk"
    assert report.parked == 2


def test_i4_a_row_that_was_made_and_deleted_offline_meets_the_one_made_meanwhile(team: Team, truth: Truth) -> None:
    """Together the two come to nothing, and still the history must not tell of a row that was never there."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    add(desktop, "theirs", id="same")
    synced(desktop)
    add(laptop, "mine", id="same")
    remove(laptop, "same")

    report = synced(laptop)

    assert report.parked == 2
    assert truth.title("same") == "theirs"
    assert [entry.kind for entry in laptop.history(Item, "same")] == ["insert"]
