"""Conflicts: what they say, and how they are settled, by whom, and when two people settle one at once."""

import shutil

import pytest

from replica import ConflictError, InputError, Record, Replica, UnreachableError, open_replica
from tests.replica.team import MIGRATIONS, Item, Team, Truth, add, all_synced, change, clash, remove, rows_of, synced


class Thing(Record, table="things"):
    """What a newer program keeps instead of items."""

    name: str


def test_a_conflict_says_what_clashed_and_who_changed_it_from_where_and_when(laptop: Replica, desktop: Replica) -> None:
    """Everything that a person needs to decide, on the replica of whoever looks."""
    conflict = clash(laptop, desktop)

    (seen_by_teammate,) = desktop.conflicts()
    assert seen_by_teammate == conflict
    (title,) = conflict.fields.values()
    assert list(conflict.fields) == ["title"]
    assert (title.before, title.mine, title.theirs) == ("Milk", "Rice milk", "Oat milk")
    assert conflict.mine_by.machine == "laptop00"
    assert conflict.mine_by.session == laptop.session
    assert conflict.theirs_by is not None
    assert conflict.theirs_by.machine == "desktop0"
    entries = {entry.machine: entry for entry in laptop.history(Item, conflict.row_id)}
    assert conflict.theirs_by.at == entries["desktop0"].at


@pytest.mark.parametrize(
    ("choice", "title"), [("mine", "Rice milk"), ("theirs", "Oat milk"), ({"title": "Soy milk"}, "Soy milk")]
)
def test_a_conflict_is_settled_as_chosen_and_closed_for_everyone(
    laptop: Replica, desktop: Replica, truth: Truth, choice: str, title: str
) -> None:
    """The rest of the mutation is merged, whatever is chosen for what clashed."""
    conflict = clash(laptop, desktop, tags={"shop"}, stars=2)

    laptop.resolve(conflict.id[:13], choice)  # type: ignore[arg-type] # parametrized: a word, or values by name
    all_synced(laptop, desktop)

    for member in (laptop, desktop):
        assert member.conflicts() == []
        item = member.get(Item, conflict.row_id)
        assert (item.title, sorted(item.tags), item.stars) == (title, ["shop"], 2)
    assert rows_of(laptop) == rows_of(desktop) == truth.rows()


def test_a_teammate_settles_what_was_parked_on_another_machine(laptop: Replica, desktop: Replica, truth: Truth) -> None:
    """The conflict is on the primary with all that was in the mutation, so its author need not be there."""
    conflict = clash(laptop, desktop, body="two litres")
    laptop.close()

    desktop.resolve(conflict.id, "mine")
    synced(desktop)

    assert truth.run("SELECT title, body FROM items") == [["Rice milk", "two litres"]]
    assert desktop.conflicts() == []


def test_a_choice_that_leaves_a_clashing_field_open_is_refused(laptop: Replica, desktop: Replica) -> None:
    """Nothing is written, and the message names the field."""
    conflict = clash(laptop, desktop)

    with pytest.raises(InputError, match="title"):
        laptop.resolve(conflict.id, {"body": "x"})
    with pytest.raises(InputError, match="no field colour"):
        laptop.resolve(conflict.id, {"colour": "x"})

    assert len(laptop.conflicts()) == 1
    assert laptop.pending() == []


def test_a_conflict_that_was_settled_is_not_settled_again(laptop: Replica, desktop: Replica) -> None:
    """The refusal says by whom and when."""
    conflict = clash(laptop, desktop)
    laptop.resolve(conflict.id, "mine")

    with pytest.raises(InputError, match=laptop.session):
        laptop.resolve(conflict.id, "theirs")


def test_two_who_settle_a_conflict_alike_bring_it_in_once_and_need_not_be_asked(
    laptop: Replica, desktop: Replica, truth: Truth
) -> None:
    """I1: the parked mutation counts once, and the second decision, which changes nothing, is in the history."""
    conflict = clash(laptop, desktop, stars=1)
    desktop.resolve(conflict.id, "mine")
    second = laptop.resolve(conflict.id, "mine")
    synced(desktop)

    report = synced(laptop)

    assert report.parked == 0
    assert truth.run("SELECT title, stars FROM items") == [["Rice milk", "1"]]
    assert second.id in truth.applied()
    all_synced(laptop, desktop)
    assert laptop.conflicts() == desktop.conflicts() == []
    assert rows_of(laptop) == rows_of(desktop) == truth.rows()


@pytest.mark.parametrize("again", ["mine", "theirs"])
def test_two_who_settle_a_conflict_differently_do_not_bring_it_in_twice(
    laptop: Replica, desktop: Replica, truth: Truth, again: str
) -> None:
    """I1: the later decision is parked, and closing it changes no counter."""
    conflict = clash(laptop, desktop, stars=1)
    desktop.resolve(conflict.id, {"title": "Soy milk"})
    laptop.resolve(conflict.id, "mine")
    synced(desktop)

    assert synced(laptop).parked == 1
    (parked,) = laptop.conflicts()
    laptop.resolve(parked.id, "mine" if again == "mine" else "theirs")
    all_synced(laptop, desktop)

    title = "Rice milk" if again == "mine" else "Soy milk"
    assert truth.run("SELECT title, stars FROM items") == [[title, "1"]]
    assert laptop.conflicts() == desktop.conflicts() == []
    assert rows_of(laptop) == rows_of(desktop) == truth.rows()


@pytest.mark.parametrize("second", ["mine", "theirs"])
def test_a_conflict_settled_twice_is_shown_as_one_about_the_row(
    laptop: Replica, desktop: Replica, truth: Truth, second: str
) -> None:
    """With both decisions, and nothing of how conflicts are stored; another value can be set."""
    conflict = clash(laptop, desktop)
    desktop.resolve(conflict.id, {"title": "Soy milk"})
    laptop.resolve(conflict.id, "mine" if second == "mine" else "theirs")
    all_synced(desktop, laptop)

    (parked,) = laptop.conflicts()

    assert (parked.table, parked.row_id) == ("items", conflict.row_id)
    assert set(parked.fields) == ({"title"} if second == "mine" else set())
    assert f"settled here with {second}" in parked.reason
    assert f"by {desktop.session}" in parked.reason
    laptop.resolve(parked.id, {"title": "Nut milk"})
    all_synced(laptop, desktop)
    assert truth.title(conflict.row_id) == "Nut milk"
    assert laptop.conflicts() == desktop.conflicts() == []


def test_i6_a_decision_that_another_made_too_stays_seen_until_the_base_holds_it(
    laptop: Replica, desktop: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sync is cut off after its push: what is there counts, not what the old base shows."""
    conflict = clash(laptop, desktop, stars=1)
    desktop.resolve(conflict.id, "mine")
    synced(desktop)
    laptop.resolve(conflict.id, "mine")

    def fail(*_arguments: object, **_options: object) -> None:
        raise UnreachableError("the network went down before the pull")

    with monkeypatch.context() as patched:
        patched.setattr("replica.base.pull", fail)
        assert laptop.sync().pushed == 1

    item = laptop.get(Item, conflict.row_id)
    assert (item.title, item.stars) == ("Rice milk", 1)
    assert laptop.conflicts() == []


def test_each_field_of_a_conflict_tells_who_changed_it(team: Team, laptop: Replica, desktop: Replica) -> None:
    """Two others may have changed two fields, or two rows, and neither is to be taken for the other."""
    phone = team.join("phone")
    milk, bread = add(laptop, "Milk"), add(laptop, "Bread")
    all_synced(laptop, desktop, phone)
    change(desktop, milk.id, title="Oat milk")
    synced(desktop)
    synced(phone)
    with phone.transaction() as tx:
        tx.update(tx.get(Item, milk.id), code="m1")
        tx.update(tx.get(Item, bread.id), title="Rye")
    synced(phone)
    with laptop.transaction() as tx:
        tx.update(tx.get(Item, milk.id), title="Rice milk", code="m2")
        tx.update(tx.get(Item, bread.id), title="Spelt")

    synced(laptop)

    (conflict,) = laptop.conflicts()
    by = {name: clash.theirs_by and clash.theirs_by.machine for name, clash in conflict.fields.items()}
    assert by == {"title": "desktop0", "code": "phone000", f"items/{bread.id}.title": "phone000"}
    assert conflict.theirs_by is not None
    assert conflict.theirs_by.machine == "desktop0"


def test_a_conflict_that_shows_new_values_shows_whose_they_are(team: Team, laptop: Replica, desktop: Replica) -> None:
    """To everyone, once synced."""
    conflict = clash(laptop, desktop)
    phone = team.join("phone")
    synced(phone)
    change(phone, conflict.row_id, title="Soy milk")
    synced(phone)
    synced(laptop)

    with pytest.raises(ConflictError):
        laptop.resolve(conflict.id, "mine")
    all_synced(laptop, desktop)

    for member in (laptop, desktop):
        shown = member.conflict(conflict.id)
        assert shown.fields["title"].theirs == "Soy milk"
        assert shown.theirs_by is not None
        assert shown.fields["title"].theirs_by == shown.theirs_by
        assert shown.theirs_by.machine == "phone000"


def test_of_two_different_decisions_the_first_stands_and_the_second_is_asked_about(
    laptop: Replica, desktop: Replica, truth: Truth
) -> None:
    """I4: a decision is a write like any other, and no later one replaces it in silence."""
    conflict = clash(laptop, desktop)
    desktop.resolve(conflict.id, {"title": "Soy milk"})
    laptop.resolve(conflict.id, {"title": "Nut milk"})
    synced(desktop)

    synced(laptop)

    assert truth.title(conflict.row_id) == "Soy milk"
    (parked,) = laptop.conflicts()
    laptop.resolve(parked.id, "mine")
    synced(laptop)
    assert truth.title(conflict.row_id) == "Nut milk"


def test_a_decision_that_clashes_with_a_newer_change_is_parked_in_turn(
    laptop: Replica, desktop: Replica, truth: Truth
) -> None:
    """Settled again, it comes in, and both conflicts are closed by that one decision."""
    conflict = clash(laptop, desktop, stars=1)
    laptop.resolve(conflict.id, "mine")
    change(desktop, conflict.row_id, title="Soy milk")
    synced(desktop)

    synced(laptop)

    assert truth.title(conflict.row_id) == "Soy milk"
    newest = laptop.conflicts()[-1]
    assert newest.fields["title"].theirs == "Soy milk"
    laptop.resolve(newest.id, "mine")
    all_synced(laptop, desktop)
    assert truth.run("SELECT title, stars FROM items") == [["Rice milk", "1"]]
    assert laptop.conflicts() == desktop.conflicts() == []


@pytest.mark.parametrize(("choice", "title"), [("mine", "Rice milk"), ("theirs", None)])
def test_an_update_of_what_was_deleted_brings_it_back_or_lets_it_go(
    laptop: Replica, desktop: Replica, truth: Truth, choice: str, title: str | None
) -> None:
    """Brought back is the whole row as its author saw it, not only what was changed."""
    item = add(laptop, "Milk", body="two litres", tags={"shop"})
    all_synced(laptop, desktop)
    remove(desktop, item.id)
    change(laptop, item.id, title="Rice milk")
    all_synced(desktop, laptop)

    desktop.resolve(desktop.conflicts()[0].id, "mine" if choice == "mine" else "theirs")
    all_synced(desktop, laptop)

    assert truth.title(item.id) == title
    if title is not None:
        back = laptop.get(Item, item.id)
        assert (back.body, sorted(back.tags)) == ("two litres", ["shop"])


@pytest.mark.parametrize(("choice", "title"), [("mine", None), ("theirs", "Oat milk")])
def test_a_delete_of_what_was_changed_goes_through_or_not(
    laptop: Replica, desktop: Replica, truth: Truth, choice: str, title: str | None
) -> None:
    """Until it is decided, the row is there with the other's change."""
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    change(desktop, item.id, title="Oat milk")
    remove(laptop, item.id)
    all_synced(desktop, laptop)
    assert laptop.get(Item, item.id).title == "Oat milk"

    laptop.resolve(laptop.conflicts()[0].id, "mine" if choice == "mine" else "theirs")
    synced(laptop)

    assert truth.title(item.id) == title


def test_two_rows_made_under_one_id_merge_where_they_agree_and_clash_where_not(
    laptop: Replica, desktop: Replica, truth: Truth
) -> None:
    """Sets are united even so; the title is asked about."""
    all_synced(laptop, desktop)
    add(desktop, "Milk", id="same", tags={"a"})
    add(laptop, "Oat milk", id="same", tags={"b"})
    all_synced(desktop, laptop)
    (conflict,) = laptop.conflicts()
    assert list(conflict.fields) == ["title"]

    laptop.resolve(conflict.id, "mine")
    all_synced(laptop, desktop)

    assert truth.run("SELECT title, tags FROM items") == [["Oat milk", '["a","b"]']]


def test_a_conflict_of_several_rows_names_each_field_with_its_row(
    laptop: Replica, desktop: Replica, truth: Truth
) -> None:
    """And each can be given a value of its own."""
    first, second = add(laptop, "Milk"), add(laptop, "Bread")
    all_synced(laptop, desktop)
    for item, title in ((first, "Oat milk"), (second, "Rye bread")):
        change(desktop, item.id, title=title)
    with laptop.transaction() as tx:
        for item in (first, second):
            tx.update(tx.get(Item, item.id), title="mine")
    all_synced(desktop, laptop)
    (conflict,) = laptop.conflicts()
    assert list(conflict.fields) == ["title", f"items/{second.id}.title"]

    laptop.resolve(conflict.id, {"title": "one", f"items/{second.id}.title": "two"})
    synced(laptop)

    assert (truth.title(first.id), truth.title(second.id)) == ("one", "two")


def test_a_conflict_about_a_table_that_is_gone_can_be_let_go(laptop: Replica, team: Team, truth: Truth) -> None:
    """A newer schema dropped the table: "mine" says so, and "theirs" closes it."""
    item = add(laptop, "Milk")
    synced(laptop)
    change(laptop, item.id, title="Oat milk")
    laptop.close()

    _let_go(team)


def test_a_conflict_of_values_in_a_table_that_is_gone_can_be_let_go(laptop: Replica, team: Team, truth: Truth) -> None:
    """It arose while the table was there, so the values to decide about have moved on since: to nothing."""
    desktop = team.join("desktop")
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    change(desktop, item.id, title="Rice milk")
    change(laptop, item.id, title="Oat milk")
    all_synced(desktop, laptop)
    laptop.close()

    _let_go(team)


def test_a_decision_about_a_table_that_is_gone_ends_though_another_made_it_too(
    laptop: Replica, desktop: Replica, team: Team
) -> None:
    """Both took "mine", and one of them was upgraded before they could send it."""
    conflict = clash(laptop, desktop)
    desktop.resolve(conflict.id, "mine")
    synced(desktop)
    laptop.resolve(conflict.id, "mine")
    laptop.close()

    _let_go(team)


def _let_go(team: Team) -> None:
    newer = _open_newer(team)
    synced(newer)
    (conflict,) = newer.conflicts()

    with pytest.raises(InputError, match="no table items"):
        newer.resolve(conflict.id, "mine")
    newer.resolve(conflict.id, "theirs")
    synced(newer)

    assert newer.conflicts() == []
    newer.close()


def _open_newer(team: Team) -> Replica:
    """The laptop's replica, opened by a program that has another table instead."""
    folder = team.directory_of("migrations")
    shutil.copytree(MIGRATIONS, folder)
    (folder / "0002_things.sql").write_text(
        "DROP TABLE items; CREATE TABLE things (id TEXT PRIMARY KEY, updated_at TEXT NOT NULL, name TEXT NOT NULL);"
    )
    directory = team.directory_of("laptop")
    return open_replica(directory, records=[Thing], migrations=folder, mode="libsql", url=team.url, machine="laptop00")
