"""I1: every acknowledged mutation is, in the end, once on the primary or parked as a conflict, whole."""

import pytest

from replica import Replica, UnreachableError
from replica.history import CONFLICTS
from replica.hrana import Step
from replica.primary import Primary, Refusal
from tests.replica.team import Item, Team, Truth, add, all_synced, change, remove, rows_of, synced


def _held_once(truth: Truth, mutations: list[str]) -> None:
    """Each mutation was applied or parked, and none of them twice."""
    applied = truth.applied()
    assert [mutation for mutation in applied if mutation in mutations] == mutations
    assert len(set(truth.parked())) == len(truth.parked())


def _pending(member: Replica) -> list[str]:
    return [mutation.id for mutation in member.pending()]


def test_i1_a_refused_mutation_behind_a_conflicting_one_is_parked_too(team: Team, truth: Truth) -> None:
    """One parked mutation in a batch is no reason to stop at another that the primary refuses."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item = add(laptop, "Milk")
    add(laptop, "Bread", code="bread")
    all_synced(laptop, desktop)
    change(desktop, item.id, title="Oat milk")
    synced(desktop)
    change(laptop, item.id, title="Rice milk")
    add(laptop, "Rye bread", code="bread")
    add(laptop, "Butter")
    pending = _pending(laptop)

    report = synced(laptop)

    assert (report.pushed, report.parked) == (3, 2)
    assert truth.parked() == pending[:2]
    _held_once(truth, pending)


def test_i1_what_a_unique_constraint_refuses_is_parked_with_all_that_was_in_it(team: Team, truth: Truth) -> None:
    """The primary's reason is told, and nothing of the row is lost."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    add(desktop, "Bread", code="bread")
    synced(desktop)
    add(laptop, "Rye bread", code="bread", body="with seeds", tags={"a"})
    pending = _pending(laptop)

    report = synced(laptop)

    (conflict,) = laptop.conflicts()
    assert report.parked == 1
    assert conflict.mutation_id == pending[0]
    assert "UNIQUE constraint failed: items.code" in conflict.reason
    assert conflict.changes[0].new_values() == {
        "title": "Rye bread", "body": "with seeds", "tags": '["a"]', "stars": 0, "code": "bread",
    }  # fmt: skip
    assert [item.title for item in laptop.select(Item)] == ["Bread"]


def test_i1_what_a_check_refuses_after_a_merge_is_parked(team: Team, truth: Truth) -> None:
    """Each of two subtractions is allowed; together they break the CHECK, so the later one waits for a person."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    change(desktop, item.id, stars=-600)
    change(laptop, item.id, stars=-600)
    pending = _pending(laptop)
    synced(desktop)

    synced(laptop)

    assert truth.parked() == pending
    assert truth.run("SELECT stars FROM items") == [["-600"]]
    assert "CHECK constraint failed" in laptop.conflicts()[0].reason


def test_i1_a_delete_against_an_update_is_parked_either_way_round(team: Team, truth: Truth) -> None:
    """Who comes second is asked; neither the delete nor the update wins by coming first or last."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    first, second = add(laptop, "Milk"), add(laptop, "Bread")
    all_synced(laptop, desktop)
    remove(desktop, first.id)
    change(desktop, second.id, title="Rye bread")
    change(laptop, first.id, title="Oat milk")
    remove(laptop, second.id)
    pending = _pending(laptop)
    synced(desktop)

    all_synced(laptop, desktop)

    update, delete = desktop.conflicts()
    assert truth.parked() == pending
    assert (update.row_id, update.reason) == (first.id, "changed here, deleted on the primary")
    assert (delete.row_id, delete.reason) == (second.id, "deleted here, changed on the primary")
    assert update.changes[0].fields == {"title": ("Milk", "Oat milk")}
    assert delete.changes[0].fields["title"] == ("Bread", None)
    assert truth.title(second.id) == "Rye bread"


def test_i1_the_same_row_deleted_by_two_is_deleted_once_and_no_conflict(team: Team, truth: Truth) -> None:
    """Both wanted the same."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    mutations = [remove(desktop, item.id), remove(laptop, item.id)]

    all_synced(desktop, laptop)

    assert truth.parked() == []
    _held_once(truth, mutations)


def test_i1_a_chain_behind_a_parked_change_goes_on_where_it_can(team: Team, truth: Truth) -> None:
    """Of three pending changes to one row the first clashes; the second and third do not need it and arrive."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    change(desktop, item.id, title="Oat milk")
    synced(desktop)
    chain = [
        change(laptop, item.id, title="Rice milk"),
        change(laptop, item.id, body="two litres"),
        change(laptop, item.id, tags={"shop"}),
    ]

    report = synced(laptop)

    assert report.parked == 1
    assert truth.parked() == chain[:1]
    assert truth.run("SELECT title, body, tags FROM items") == [["Oat milk", "two litres", '["shop"]']]
    _held_once(truth, chain)


def test_i1_a_change_that_needs_a_parked_one_is_parked_behind_it(team: Team, truth: Truth) -> None:
    """An update of a row whose insert is parked has no row to go to, and is kept with the row as its author saw it."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    add(desktop, "Bread", code="bread")
    synced(desktop)
    item = add(laptop, "Rye bread", code="bread")
    change(laptop, item.id, body="with seeds")
    pending = _pending(laptop)

    synced(laptop)

    assert truth.parked() == pending
    _held_once(truth, pending)
    laptop.resolve(laptop.conflicts()[0].id, {"code": "rye"})
    laptop.resolve(laptop.conflicts()[0].id, "mine")
    synced(laptop)
    assert truth.run(f"SELECT title, body, code FROM items WHERE id = '{item.id}'") == [
        ["Rye bread", "with seeds", "rye"]
    ]


def test_i1_a_row_inserted_and_deleted_behind_its_parked_insert_stays_away(team: Team, truth: Truth) -> None:
    """The delete has nothing to delete on the primary; it is recorded and done."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    all_synced(laptop, desktop)
    add(desktop, "Bread", id="same")
    synced(desktop)
    add(laptop, "Cake", id="same")
    remove(laptop, "same")
    pending = _pending(laptop)

    all_synced(laptop, desktop)

    assert truth.title("same") == "Bread"
    _held_once(truth, pending)


def test_i1_a_mutation_of_which_every_field_was_merged_away_is_still_recorded(team: Team, truth: Truth) -> None:
    """Two people typed the same; the second change has nothing left to do, and counts as done."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    change(desktop, item.id, title="Oat milk")
    synced(desktop)
    chain = [change(laptop, item.id, title="Oat milk"), change(laptop, item.id, body="two litres")]

    all_synced(laptop, desktop)

    assert truth.parked() == []
    _held_once(truth, chain)
    assert rows_of(laptop) == rows_of(desktop) == truth.rows()
    assert desktop.get(Item, item.id).body == "two litres"


def test_i1_a_mutation_that_only_its_own_order_of_changes_allows_arrives(team: Team, truth: Truth) -> None:
    """One row gives up a unique code that another takes in the same transaction."""
    laptop = team.join("laptop")
    old = add(laptop, "Bread", code="bread")
    synced(laptop)
    with laptop.transaction() as tx:
        tx.delete(tx.get(Item, old.id))
        tx.insert(Item(title="Rye bread", code="bread"))

    report = synced(laptop)

    assert report.parked == 0
    assert truth.run("SELECT title, code FROM items") == [["Rye bread", "bread"]]


def test_i1_i5_of_a_mutation_of_several_rows_all_is_parked_if_one_conflicts(team: Team, truth: Truth) -> None:
    """An insert, an update and a delete in one transaction, and only the update clashes."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    clashing, deleted = add(laptop, "Milk"), add(laptop, "Bread")
    all_synced(laptop, desktop)
    change(desktop, clashing.id, title="Oat milk")
    synced(desktop)
    with laptop.transaction() as tx:
        inserted = tx.insert(Item(title="Butter"))
        tx.update(tx.get(Item, clashing.id), title="Rice milk")
        tx.delete(tx.get(Item, deleted.id))
    pending = _pending(laptop)

    synced(laptop)

    assert truth.parked() == pending
    assert truth.title(inserted.id) is None
    assert (truth.title(clashing.id), truth.title(deleted.id)) == ("Oat milk", "Bread")
    (conflict,) = laptop.conflicts()
    assert len(conflict.changes) == 3
    laptop.resolve(conflict.id, "mine")
    all_synced(laptop, desktop)
    assert truth.title(inserted.id) == "Butter"
    assert (truth.title(clashing.id), truth.title(deleted.id)) == ("Rice milk", None)


def test_i2_what_was_applied_in_its_own_order_is_not_parked_though_the_reply_is_lost(
    laptop: Replica, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The repeat is refused as known, which is no reason to ask a person: a decision would count it twice."""
    old, counter = add(laptop, "old", code="x"), add(laptop, "counter", stars=1)
    synced(laptop)
    with laptop.transaction() as tx:
        tx.delete(tx.get(Item, old.id))
        tx.insert(Item(title="new", code="x"))
        tx.update(tx.get(Item, counter.id), stars=2)
    with monkeypatch.context() as patched:
        _lose_the_reply_of_one_commit(patched)
        patched.setattr("replica.base.pull", _fail)

        report = laptop.sync()

    assert (report.pushed, report.parked) == (1, 0)
    assert sorted((item.title, item.stars) for item in laptop.select(Item)) == [("counter", 2), ("new", 0)]
    assert (truth.parked(), laptop.conflicts()) == ([], [])
    synced(laptop)
    assert rows_of(laptop) == truth.rows()


def test_i1_what_a_late_request_applies_is_not_parked_here(
    laptop: Replica, desktop: Replica, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was refused and parked; then the network brings the first request again, and nothing is in its way."""
    bread = add(desktop, "Bread", code="bread")
    all_synced(desktop, laptop)
    with laptop.transaction() as tx:
        tx.insert(Item(title="Rye bread", code="bread"))
    apply, sent = Primary.apply, list[list[Step] | None]()

    def apply_late(primary: Primary, steps: list[Step] | None) -> Refusal | None:
        sent.append(steps)
        if any(CONFLICTS in step.statement.sql for step in steps or ()):
            truth.run(f"DELETE FROM items WHERE id = '{bread.id}'")
            assert apply(primary, sent[0]) is None
        return apply(primary, steps)

    with monkeypatch.context() as patched:
        patched.setattr(Primary, "apply", apply_late)
        patched.setattr("replica.base.pull", _fail)

        report = laptop.sync()

    assert (report.pushed, report.parked) == (1, 0)
    assert (truth.parked(), laptop.conflicts()) == ([], [])
    assert sorted(item.title for item in laptop.select(Item)) == ["Bread", "Rye bread"]
    synced(laptop)
    assert rows_of(laptop) == truth.rows()


def _lose_the_reply_of_one_commit(patched: pytest.MonkeyPatch) -> None:
    """Let the first push that goes well look as if nobody had answered it."""
    apply, losses = Primary.apply, iter([True])

    def apply_and_lose(primary: Primary, steps: list[Step] | None) -> Refusal | None:
        refusal = apply(primary, steps)
        if refusal is None and next(losses, False):
            raise UnreachableError("the reply was lost")
        return refusal

    patched.setattr(Primary, "apply", apply_and_lose)


def _fail(*_arguments: object, **_options: object) -> None:
    raise UnreachableError("the network went down before the pull")
