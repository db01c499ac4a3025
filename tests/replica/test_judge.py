"""A version takes the place of another only if it was made of it."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from replica.moving.judge import Judgement, Link, Verdict, judge, replacement
from replica.mutation import Change, Kind, Mutation, Row
from replica.stamps import stamp_at

KEY = ("items", "milk")
NOBODY = Mutation("", "ses_a", "laptop00", stamp_at(0), 1, ())


class Past:
    """A row and all that was done to it."""

    def __init__(self, row: Row | None = None, links: Sequence[Link] = ()) -> None:
        self.row, self.links = row, list(links)

    def after(self, at: int, **values: str | None) -> "Past":
        """The same, and one more change: an insert, an update, or, with no values, a delete."""
        seen = "" if self.row is None else str(self.row["updated_at"])
        stamp = stamp_at(at)
        if not values:
            assert self.row is not None
            fields = {name: (value, None) for name, value in self.row.items() if name not in ("id", "updated_at")}
            change = Change(*KEY, Kind.DELETE, seen, stamp, fields)
            row: Row | None = None
        else:
            before = self.row or dict.fromkeys(values)
            kind = Kind.INSERT if self.row is None else Kind.UPDATE
            change = Change(*KEY, kind, seen, stamp, {name: (before[name], new) for name, new in values.items()})
            row = {**before, **values, "id": "milk", "updated_at": stamp}
        link = Link(Mutation(f"m{at}", "ses_a", "laptop00", stamp, 1, (change,)))
        return Past(row, [*self.links, link])


def judged(mine: Past, theirs: Past) -> Judgement:
    """How one stands to the other."""
    return judge(KEY, mine.row, theirs.row, mine.links, theirs.links, NOBODY)


BORN = Past().after(1, title="Milk", body="")


@st.composite
def pasts(draw: st.DrawFn, *, start: Past = BORN, at: int = 2) -> list[Past]:
    """A row after each of some changes, one made of the other: updates, deletes, inserts again."""
    steps = [start]
    for offset in range(draw(st.integers(1, 6))):
        last = steps[-1]
        is_delete = last.row is not None and draw(st.integers(0, 4)) == 0
        values = {} if is_delete else {name: draw(st.sampled_from(["", "a", "b"])) for name in ("title", "body")}
        steps.append(last.after(at + offset, **values))
    return steps


@given(st.data())
def test_of_two_moments_of_one_past_the_later_is_ahead(data: st.DataObject) -> None:
    """Whichever two, and from either side."""
    steps = data.draw(pasts())
    first = data.draw(st.integers(0, len(steps) - 2))
    second = data.draw(st.integers(first + 1, len(steps) - 1))

    assert judged(steps[second], steps[first]).verdict is Verdict.AHEAD
    assert judged(steps[first], steps[second]).verdict is Verdict.BEHIND


@given(st.data())
def test_two_that_parted_never_take_the_place_of_each_other(data: st.DataObject) -> None:
    """What I changed since is what is left to merge: it leads from what both have to what I have."""
    shared = data.draw(pasts())[-1]
    mine = data.draw(pasts(start=shared, at=100))[-1]
    theirs = data.draw(pasts(start=shared, at=200))[-1]

    found = judged(mine, theirs)

    assert found.verdict is not Verdict.AHEAD
    if found.mine is None:
        return
    (change,) = found.mine.changes
    assert change.stamp == (stamp_at(0) if not mine.links else mine.links[-1].change.stamp)
    if change.kind is Kind.UPDATE:
        assert shared.row is not None
        assert mine.row is not None
        assert change.seen == shared.row["updated_at"]
        assert {**shared.row, **change.new_values(), "updated_at": change.stamp} == mine.row


@given(st.data())
def test_what_is_left_to_merge_has_the_same_id_each_time(data: st.DataObject) -> None:
    """So that it is sent once, however often the move is broken off; and another change has another id."""
    shared = data.draw(pasts())[-1]
    theirs = shared.after(200, title="theirs", body="")
    mine = shared.after(100, title="mine", body="")
    later = mine.after(101, title="later", body="")

    first, again, other = (judged(past, theirs).mine for past in (mine, mine, later))

    assert first is not None
    assert other is not None
    assert first == again
    assert first.id != other.id


def test_two_rows_with_one_stamp_and_other_content_are_apart() -> None:
    """Nobody can tell what was changed, so all of mine is kept."""
    mine, theirs = Past().after(1, title="Milk"), Past().after(1, title="Bread")

    found = judged(mine, theirs)

    assert found.mine is not None
    assert (found.verdict, found.mine.changes[0].kind) == (Verdict.APART, Kind.INSERT)


def test_a_row_without_a_history_is_apart_from_another() -> None:
    """Written by another program, or its history was pruned."""
    row: Row = {"id": "milk", "updated_at": stamp_at(5), "title": "Milk"}

    found = judged(Past(row), Past().after(7, title="Bread"))

    assert found.verdict is Verdict.APART
    assert found.mine is not None
    assert found.mine.changes[0].new_values() == {"title": "Milk"}


def test_a_row_that_they_never_had_from_me_is_not_mine_to_delete() -> None:
    """I had another one under its id, and deleted that."""
    mine = Past().after(1, title="Milk").after(2)

    assert judged(mine, Past().after(3, title="Bread")) == Judgement(Verdict.BEHIND)


def test_a_replacement_compares_the_version_that_it_replaces() -> None:
    """So that one who was faster is not overwritten."""
    older, newer = BORN, BORN.after(2, title="Oat milk")

    found = replacement(newer.row, older.row)

    assert (found.kind, found.seen, found.stamp) == (Kind.UPDATE, stamp_at(1), stamp_at(2))
    assert replacement(None, older.row).kind is Kind.DELETE
    assert replacement(newer.row, None).kind is Kind.INSERT
