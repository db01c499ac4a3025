"""Rebase and push planning, pure: laws that hold for every history of two authors on a few rows."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import replace
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from replica.conflict_row import ConflictRow
from replica.conflicts import Author, Conflict, conflict_from, field_name, is_parked
from replica.mutation import Change, Kind, Mutation, Row, StoredValue, encode_changes
from replica.push import cut_batches, has_effect, net_changes, plan_push
from replica.rebase import Ground, Key, Means, Rebased, Touch, rebase, row_after
from replica.rules import Rule
from replica.stamps import Stamp, next_stamp, stamp_at

Rows = dict[Key, Row | None]
Act = tuple[str, str, dict[str, StoredValue]]
Acts = list[list[Act]]

_RULES: Mapping[str, Rule] = {"title": Rule.KEEP, "body": Rule.LAST, "stars": Rule.SUM}
_NEW: dict[str, StoredValue] = {"title": "new", "body": "", "stars": 0}
_IDS = ("a", "b", "c")

_update = st.fixed_dictionaries(
    {}, optional={"title": st.sampled_from("xyz"), "body": st.sampled_from("pq"), "stars": st.integers(-3, 3)}
)
_kinds = st.sampled_from(["insert", "update", "update", "update", "follow", "follow", "delete"])
_step = st.tuples(st.sampled_from(_IDS), _kinds, _update)
_mutation = st.lists(_step, min_size=1, max_size=3, unique_by=lambda step: step[0])
_mutations = st.lists(_mutation, max_size=5)


def _changes(rows: Rows, steps: Iterable[Act], now: Stamp) -> list[Change]:
    """What an author does to the rows as they see them; what makes no sense there they leave out."""
    changes = []
    for row_id, kind, values in steps:
        row = rows.get(("items", row_id))
        if (row is None) is not (kind == "insert"):
            continue
        seen = "" if row is None else str(row["updated_at"])
        stamp = next_stamp(now, Stamp(seen) if seen else None)
        fields: dict[str, tuple[StoredValue, StoredValue]]
        if row is None:
            fields = {name: (None, value) for name, value in (_NEW | values).items()}
        elif kind == "delete":
            fields = {name: (row[name], None) for name in _NEW}
        else:
            fields = {name: (row[name], value) for name, value in values.items() if row[name] != value}
        if fields:
            does = Kind.UPDATE if kind == "follow" else Kind(kind)
            changes.append(Change("items", row_id, does, seen, stamp, fields, yields=kind == "follow"))
    return changes


def _act(rows: Rows, history: Iterable[list[Act]], who: str) -> list[Mutation]:
    made = []
    for number, steps in enumerate(history):
        # Both authors have the same clock, so that equal stamps of different authors do occur.
        now = stamp_at(1_000_000 + number)
        changes = _changes(rows, steps, now)
        if changes:
            made.append(Mutation(f"{who}{number}", f"ses_{who}", who, now, 1, tuple(changes)))
            rows.update({(one.table, one.row_id): row_after(rows.get((one.table, one.row_id)), one) for one in changes})
    return made


def _base() -> Rows:
    start = stamp_at(999_999)
    return {("items", row_id): {"id": row_id, "updated_at": start, **_NEW} for row_id in _IDS[:2]}


class _Meeting:
    """One author's pending mutations, and the primary that another author was faster to change."""

    def __init__(self, mine: Acts, theirs: Acts) -> None:
        self.mine_rows, self.their_rows = _base(), _base()
        self.mutations = _act(self.mine_rows, mine, "mine")
        self.touches: dict[Key, list[Touch]] = {}
        for mutation in _act(self.their_rows, theirs, "theirs"):
            author = Author(mutation.session, mutation.machine, mutation.made_at)
            for one in mutation.changes:
                touch = Touch(author, mutation.id, one.kind, frozenset(one.fields))
                self.touches.setdefault((one.table, one.row_id), []).append(touch)

    def rebase(
        self,
        mutations: list[Mutation],
        refused: Mapping[str, str] | None = None,
        *,
        earlier: Iterable[Mutation] = (),
        alone: Iterable[str] = (),
        at: int = 2_000_000,
    ) -> Rebased:
        numbers = count()
        means = Means(
            lambda _: _RULES, stamp_at(at), self.mine_rows.get, lambda: f"conflict {next(numbers)}", lambda: 1
        )
        ground = deepcopy(Ground(self.their_rows, self.touches))
        return rebase(mutations, ground, means, refused, earlier, alone=set(alone))


def _apply(rows: Rows, mutations: Iterable[Mutation]) -> Rows:
    """What the primary does, change by change; a compare-and-swap that does not match fails the test."""
    after = dict(rows)
    for mutation in mutations:
        for one in mutation.changes:
            key = (one.table, one.row_id)
            row = after.get(key)
            if has_effect(one):
                assert (row is None) is (one.kind is Kind.INSERT), one
                assert row is None or row["updated_at"] == one.seen, one
            after[key] = row_after(row, one)
    return after


@given(_mutations, _mutations)
def test_every_mutation_comes_out_once_in_its_place_as_it_was_merged_or_parked(mine: Acts, theirs: Acts) -> None:
    """I1, I7: ids and order are kept, and a parked one holds all that was in it."""
    meeting = _Meeting(mine, theirs)

    result = meeting.rebase(meeting.mutations)

    assert [one.id for one in result.mutations] == [one.id for one in meeting.mutations]
    assert set(result.parked).isdisjoint(result.merged)
    for before, after in zip(meeting.mutations, result.mutations, strict=True):
        assert (before.id in result.parked) is is_parked(after)
        if is_parked(after):
            (insert,) = after.changes
            values = insert.new_values()
            assert _parked_as(after).changes == before.changes
            assert set(values) == {column.name for column in ConflictRow.replica_columns}
            assert values["mutation_id"] == before.id
        else:
            assert [(one.table, one.row_id, one.yields) for one in after.changes] == [
                (one.table, one.row_id, one.yields) for one in before.changes
            ]
            assert before.id in result.merged or after == before


@given(_mutations, _mutations)
def test_what_comes_out_fits_the_primary_and_fits_it_again(mine: Acts, theirs: Acts) -> None:
    """Every compare-and-swap matches, and a second rebase has nothing left to do."""
    meeting = _Meeting(mine, theirs)

    result = meeting.rebase(meeting.mutations)

    _apply(meeting.their_rows, result.mutations)
    assert plan_push(result.mutations) is not None
    again = meeting.rebase(result.mutations)
    assert again.mutations == result.mutations
    assert (again.merged, again.parked) == ([], [])


@given(_mutations, _mutations)
def test_a_later_round_over_the_same_rows_comes_to_the_same(mine: Acts, theirs: Acts) -> None:
    """From what their author made, as each; or rounds would never end, since each takes stamps of its own time."""
    meeting = _Meeting(mine, theirs)
    first = meeting.rebase(meeting.mutations)
    pairs = zip(meeting.mutations, first.mutations, strict=True)
    made = [parked if made.id in first.parked else made for made, parked in pairs]

    later = meeting.rebase(made, earlier=first.mutations, at=3_000_000)

    assert later.mutations == first.mutations


@given(_mutations, _mutations)
def test_the_net_changes_are_the_changes_one_by_one(mine: Acts, theirs: Acts) -> None:
    """The set-based push leaves the rows that the mutations, each by itself, would have left."""
    meeting = _Meeting(mine, theirs)
    result = meeting.rebase(meeting.mutations)

    one_by_one = _apply(meeting.their_rows, result.mutations)

    at_once = dict(meeting.their_rows)
    for key, net in net_changes(result.mutations).items():
        row = at_once.get(key)
        assert (row is None) is (net.kind is Kind.INSERT)
        assert row is None or row["updated_at"] == net.seen
        kept: Row = row or {}
        at_once[key] = (
            None if net.kind is Kind.DELETE else {**kept, "id": key[1], "updated_at": net.stamp, **net.values}
        )
    for key in {*at_once, *one_by_one}:
        assert at_once.get(key) == one_by_one.get(key)


@given(_mutations, _mutations)
def test_i4_no_value_is_replaced_by_one_who_had_not_seen_it(mine: Acts, theirs: Acts) -> None:
    """A field without a rule changes only from what its author saw before, also where stamps happen to be equal."""
    meeting = _Meeting(mine, theirs)
    result = meeting.rebase(meeting.mutations)
    rows = dict(meeting.their_rows)

    for before, after in zip(meeting.mutations, result.mutations, strict=True):
        for one in () if is_parked(after) else before.changes:
            row = rows.get((one.table, one.row_id))
            is_kept = not one.yields or has_effect(_change_of(after, one))
            if row is not None and "title" in one.fields and one.kind is not Kind.INSERT and is_kept:
                assert row["title"] in one.fields["title"], one
        rows = _apply(rows, [after])


@given(_mutations, _mutations)
def test_counters_add_up_whoever_came_first(mine: Acts, theirs: Acts) -> None:
    """What the applied mutations of both authors added is what the counter has in the end."""
    meeting = _Meeting(mine, theirs)
    before = {key: row["stars"] for key, row in meeting.their_rows.items() if row is not None}
    result = meeting.rebase(meeting.mutations)

    after = _apply(meeting.their_rows, result.mutations)

    for key, stars in before.items():
        row = after.get(key)
        is_plain = all(
            one.kind is Kind.UPDATE
            for mutation in meeting.mutations
            for one in mutation.changes
            if (one.table, one.row_id) == key
        )
        if row is not None and is_plain:
            added = sum(
                int(str(one.fields["stars"][1])) - int(str(one.fields["stars"][0]))
                for mutation, applied in zip(meeting.mutations, result.mutations, strict=True)
                if mutation.id not in result.parked
                for one in mutation.changes
                if (one.table, one.row_id) == key and "stars" in one.fields
                if not one.yields or has_effect(_change_of(applied, one))
            )
            assert row["stars"] == int(str(stars)) + added


@given(_mutations, _mutations)
def test_a_refused_mutation_is_parked_whole_for_the_reason_given(mine: Acts, theirs: Acts) -> None:
    """And those behind it are laid over rows that do not have it."""
    meeting = _Meeting(mine, theirs)
    refused = {one.id: "the primary refuses it" for one in meeting.mutations[:1]}
    is_of_consequences = all(change.yields for one in meeting.mutations[:1] for change in one.changes)

    result = meeting.rebase(meeting.mutations, refused)

    assert is_of_consequences or set(refused) <= set(result.parked)
    for one in result.mutations[:1]:
        if is_of_consequences:
            assert not any(has_effect(change) for change in one.changes)
        else:
            assert one.changes[0].new_values()["reason"] == "the primary refuses it"
    _apply(meeting.their_rows, result.mutations)


@given(_mutations, _mutations)
def test_nobody_is_asked_about_a_consequence(mine: Acts, theirs: Acts) -> None:
    """What is parked is parked for what it does otherwise."""
    meeting = _Meeting(mine, theirs)

    result = meeting.rebase(meeting.mutations)

    for after in result.mutations:
        if is_parked(after):
            conflict = _parked_as(after)
            by_key = {(one.table, one.row_id): one for one in conflict.changes}
            assert conflict.clashing
            assert not any(by_key[key].yields for key in conflict.clashing)
            first = (conflict.table, conflict.row_id)
            followed = {field_name(*key, name, first=first) for key, c in by_key.items() if c.yields for name in _NEW}
            assert followed.isdisjoint(conflict.fields)


@given(_mutations, _mutations, st.booleans())
def test_consequences_change_nothing_of_what_they_follow_from(mine: Acts, theirs: Acts, are_apart: bool) -> None:  # noqa: FBT001 - drawn
    """Parked or not, and merged to the same, as if they had not been there."""
    meeting = _Meeting(mine, theirs)
    first = next((one for one in meeting.mutations if not all(c.yields for c in one.changes)), None)
    made = [] if first is None else [first]
    bare = [replace(one, changes=tuple(change for change in one.changes if not change.yields)) for one in made]

    result = meeting.rebase(made, alone=[one.id for one in made if are_apart])

    without = meeting.rebase(bare)
    assert result.parked == without.parked
    for with_them, alone in zip(result.mutations, without.mutations, strict=True):
        if not is_parked(with_them):
            assert tuple(change for change in with_them.changes if not change.yields) == alone.changes
            assert not are_apart or not any(has_effect(c) for c in with_them.changes if c.yields)


@given(_mutations, _mutations)
def test_a_consequence_is_done_whole_or_not_at_all(mine: Acts, theirs: Acts) -> None:
    """Its fields belong together: a counter beside a title that gave way does not count."""
    meeting = _Meeting(mine, theirs)
    result = meeting.rebase(meeting.mutations)
    rows = dict(meeting.their_rows)

    for before, after in zip(meeting.mutations, result.mutations, strict=True):
        rows = _apply(rows, [after])
        for one in () if is_parked(after) else before.changes:
            row = rows.get((one.table, one.row_id))
            if one.yields and has_effect(_change_of(after, one)):
                assert row is not None
                assert "title" not in one.fields or row["title"] == one.fields["title"][1]
                assert "stars" not in one.fields or "stars" in _change_of(after, one).fields


@given(_mutations)
def test_without_another_author_a_rebase_changes_nothing(
    mine: Acts,
) -> None:
    """The ground is what the author saw."""
    meeting = _Meeting(mine, [])

    result = meeting.rebase(meeting.mutations)

    assert result == Rebased(meeting.mutations, [], [])


@given(_mutations)
def test_batches_hold_every_mutation_once_and_in_order(
    mine: Acts,
) -> None:
    """However they are cut."""
    mutations = _Meeting(mine, []).mutations

    batches = cut_batches(mutations)

    assert [one for batch in batches for one in batch] == mutations
    assert all(batches)


def _parked_as(mutation: Mutation) -> Conflict:
    """The conflict that a parked mutation inserts."""
    (insert,) = mutation.changes
    return conflict_from(ConflictRow.model_validate({"id": insert.row_id, **insert.new_values()}))


def _change_of(mutation: Mutation, change: Change) -> Change:
    """What came of a change of a mutation that was not parked."""
    return next(one for one in mutation.changes if (one.table, one.row_id) == (change.table, change.row_id))


def test_a_later_change_wins_over_ones_own_earlier_one_though_one_between_was_parked() -> None:
    """`last` is held against when the earlier one was made, not against when it was merged."""
    updates: list[dict[str, StoredValue]] = [{"body": "p"}, {"stars": 3}, {"body": "q"}]
    meeting = _Meeting([[("c", "insert", {})], *([("c", "update", values)] for values in updates)], [])
    between = meeting.mutations[1]

    result = meeting.rebase(meeting.mutations, {between.id: "refused there"})

    assert (result.parked, result.merged) == ([between.id], [one.id for one in meeting.mutations[2:]])
    assert result.mutations[3].changes[0].fields == {"body": ("", "q")}


def test_a_row_at_the_end_of_time_is_parked_and_holds_up_nothing() -> None:
    """Nobody's clock comes there; somebody wrote the stamp by hand."""
    meeting = _Meeting([[("a", "update", {"stars": 1})], [("b", "update", {"stars": 1})]], [])
    end: Row = {"id": "a", "updated_at": "9999-12-31T23:59:59.999999Z", **_NEW, "stars": 7}
    meeting.their_rows["items", "a"] = end

    result = meeting.rebase(meeting.mutations)

    assert result.parked == [meeting.mutations[0].id]
    assert result.mutations[1] == meeting.mutations[1]


def test_a_decision_whose_outcome_another_brought_in_is_not_asked_about_once_its_conflict_is_gone() -> None:
    """A restore took the conflict away, which was about how to settle another one; that one is settled so by now."""
    meeting = _Meeting([], [])
    settled = {"id": "first", "updated_at": "2026", **_conflict("c", "resolved").to_row()}
    meeting.their_rows["_replica_conflicts", "first"] = settled
    fields: dict[str, tuple[StoredValue, StoredValue]] = {
        name: (None, value) for name, value in settled.items() if name not in ("id", "updated_at")
    }
    decided = (
        Change("_replica_conflicts", "first", Kind.INSERT, "", "2027", fields),
        Change("items", "c", Kind.INSERT, "", "2027", {name: (None, value) for name, value in _NEW.items()}),
        Change("_replica_conflicts", "second", Kind.UPDATE, "2026", "2027", {"state": ("open", "resolved")}),
    )

    result = meeting.rebase([Mutation("mine", "ses_mine", "mine", "2027", 1, decided)])

    assert result.parked == []
    assert not any(has_effect(change) for change in result.mutations[0].changes)


def _conflict(row_id: str, state: str) -> ConflictRow:
    """A conflict about the insert of a row."""
    change = Change("items", row_id, Kind.INSERT, "", "2026", {name: (None, value) for name, value in _NEW.items()})
    return ConflictRow(
        mutation_id="parked", table_name="items", row_id=row_id, reason="deleted there", clashing="[]", theirs="{}",
        changes=encode_changes((change,)), mine_rows="{}", mine_session="", mine_machine="", mine_at="",
        schema_version=1, theirs_session="", theirs_machine="", theirs_at="", state=state, outcome="mine",
    )  # fmt: skip


def test_a_consequence_for_a_row_that_was_marked_as_deleted_gives_way() -> None:
    """As for one that was removed; a mark is what an ordinary change of another field would be parked for."""
    follows = Change("items", "a", Kind.UPDATE, "2026", "2027", {"title": ("new", "closed")}, yields=True)
    marked: Row = {"id": "a", "updated_at": "2026-01-01T00:00:00.000000Z", "title": "new", "gone_at": "2026"}
    means = Means(lambda _: {"gone_at": Rule.DELETED}, stamp_at(2_000_000), lambda _: None, str)

    for change, parked in ((follows, []), (replace(follows, yields=False), ["mine"])):
        mutation = Mutation("mine", "ses_mine", "mine", "2027", 1, (change,))
        result = rebase([mutation], Ground({("items", "a"): marked}), means)

        assert result.parked == parked
        assert is_parked(result.mutations[0]) or not has_effect(result.mutations[0].changes[0])
