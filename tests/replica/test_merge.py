"""The laws of merging one field: order, identity, nothing lost, nothing invented."""

from collections.abc import Sequence
from itertools import permutations, product

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from replica.errors import InputError
from replica.merge import ABSENT, Absent, Clash, Merged, Side, merge_field
from replica.mutation import StoredValue
from replica.rules import Rule, canonical_set, set_elements

TYPE_TRAPS: list[StoredValue] = [None, 0, 1, 2, 0.0, -0.0, 1.0, 2.5, "", "1", "a", "[]", "null", b"", b"1"]

type_traps = st.sampled_from(TYPE_TRAPS)
integers = st.integers(-(2**63), 2**63 - 1)
small = st.integers(-3, 3)
sets = st.frozensets(st.sampled_from(["a", "b", "c", "d", "é", 1, 2, 10])).map(canonical_set)
texts = st.lists(st.sampled_from(["a", "b", "c", "a\r", ""]), max_size=7).map("\n".join)
anything = type_traps | integers | st.floats(allow_nan=False) | st.text(max_size=3) | st.binary(max_size=3) | sets

VALUES: dict[Rule, SearchStrategy[StoredValue]] = {
    Rule.KEEP: type_traps,
    Rule.LAST: type_traps,
    Rule.UNION: sets | st.none(),
    Rule.TEXT: texts,
    Rule.MAX: small | st.none() | st.floats(-3, 3).map(round).map(float) | st.sampled_from(["a", "b"]),
    Rule.MIN: small | st.none() | st.floats(-3, 3).map(round).map(float) | st.sampled_from(["a", "b"]),
    Rule.SUM: small | st.integers(-(2**59), 2**59),
    Rule.DELETED: st.none() | st.sampled_from(["dawn", "noon"]),
}
SYMMETRIC = [Rule.LAST, Rule.UNION, Rule.TEXT, Rule.MAX, Rule.MIN, Rule.SUM, Rule.DELETED]

every_rule = pytest.mark.parametrize("rule", list(Rule))


def side(value: StoredValue, number: int = 1, minute: int = 0) -> Side:
    """Return a side's value, made at a minute of one hour by mutation `number`."""
    return Side(value, f"2026-11-21T05:{minute:02}:00.000000Z", f"mutation-{number}")


def shown(outcome: Merged | Clash) -> object:
    """Return an outcome to compare by: a clash is a clash, a value has its type."""
    return (type(outcome.value), outcome.value) if isinstance(outcome, Merged) else "clash"


def merged(rule: Rule, before: StoredValue | Absent, mine: StoredValue, theirs: StoredValue) -> StoredValue:
    """Return the merged value, where there must be one."""
    outcome = merge_field(rule, before, side(mine), side(theirs, 2))
    assert isinstance(outcome, Merged)
    return outcome.value


def members(text: StoredValue) -> set[str]:
    """Return the elements of a stored set; null is the empty one."""
    assert text is None or isinstance(text, str)
    return set(set_elements(text)) if text else set()


@pytest.mark.parametrize("rule", SYMMETRIC)
@given(data=st.data(), minutes=st.tuples(st.integers(0, 2), st.integers(0, 2)))
def test_it_makes_no_difference_which_side_is_mine(rule: Rule, data: st.DataObject, minutes: tuple[int, int]) -> None:
    """Whoever pushes first, the field comes out the same."""
    before = data.draw(VALUES[rule] | st.just(ABSENT))
    one = side(data.draw(VALUES[rule]), 1, minutes[0])
    other = side(data.draw(VALUES[rule]), 2, minutes[1])

    assert shown(merge_field(rule, before, one, other)) == shown(merge_field(rule, before, other, one))


@every_rule
@given(before=anything, changed=anything)
def test_an_unchanged_side_decides_nothing(rule: Rule, before: StoredValue, changed: StoredValue) -> None:
    """The other side's value is the result, under every rule and whatever the clocks say."""
    early, late = side(before, 1, 0), side(before, 1, 59)
    change = side(changed, 2, 30)

    for unchanged in (early, late):
        assert shown(merge_field(rule, before, unchanged, change)) == shown(Merged(changed))
        assert shown(merge_field(rule, before, change, unchanged)) == shown(Merged(changed))


@pytest.mark.parametrize("rule", [rule for rule in Rule if rule is not Rule.SUM])
@given(before=anything | st.just(ABSENT), value=anything)
def test_two_equal_changes_are_one(rule: Rule, before: StoredValue | Absent, value: StoredValue) -> None:
    """Two people who agree do not clash."""
    assert shown(merge_field(rule, before, side(value, 1), side(value, 2))) == shown(Merged(value))


@pytest.mark.parametrize("rule", [Rule.KEEP, Rule.LAST, Rule.UNION, Rule.MAX, Rule.MIN])
# Under `KEEP` most of what is drawn clashes, and has no result.
@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(data=st.data())
def test_merging_the_result_again_changes_nothing(rule: Rule, data: st.DataObject) -> None:
    """A rebase that is repeated after a crash does no harm; `SUM` and `TEXT` lean on exactly-once instead."""
    before = data.draw(VALUES[rule] | st.just(ABSENT))
    mine, theirs = side(data.draw(VALUES[rule]), 1, 1), side(data.draw(VALUES[rule]), 2, 2)
    first = merge_field(rule, before, mine, theirs)
    assume(isinstance(first, Merged))
    assert isinstance(first, Merged)

    again = merge_field(rule, before, side(first.value, 1, 1), theirs)

    assert shown(again) == shown(first)


@pytest.mark.parametrize("rule", [Rule.LAST, Rule.UNION, Rule.MAX, Rule.MIN, Rule.SUM])
@given(data=st.data(), minutes=st.tuples(*[st.integers(1, 3)] * 3))
def test_three_clients_reach_the_same_value_in_any_order(
    rule: Rule, data: st.DataObject, minutes: tuple[int, int, int]
) -> None:
    """Each rebases on the row as it finds it, and the last one's row is the same row."""
    values = VALUES[rule]
    if rule in {Rule.MAX, Rule.MIN}:
        values = data.draw(st.sampled_from([small | st.none(), st.sampled_from(["a", "b", "c"])]))
    before = data.draw(values)
    sides = [side(data.draw(values), number, minutes[number]) for number in range(3)]

    outcomes = {shown(pushed_in_order(rule, before, order)) for order in permutations(sides)}

    assert len(outcomes) == 1


def pushed_in_order(rule: Rule, before: StoredValue, sides: Sequence[Side]) -> Merged:
    """Return the primary's value after each side was merged into it in turn."""
    row = Side(before, "", "")
    for mine in sides:
        if shown(Merged(mine.value)) == shown(Merged(before)):
            continue
        outcome = merge_field(rule, before, mine, row)
        assert isinstance(outcome, Merged)
        # The primary records every change, also one that set what was there already: the later author counts.
        latest = max((mine.at, mine.by), (row.at, row.by))
        row = Side(outcome.value, *latest)
    return Merged(row.value)


@pytest.mark.parametrize("rule", [Rule.KEEP, Rule.LAST, Rule.MAX, Rule.MIN])
@given(before=anything, mine=anything, theirs=anything, minutes=st.permutations([1, 2]))
def test_no_value_is_invented(
    rule: Rule, before: StoredValue, mine: StoredValue, theirs: StoredValue, minutes: list[int]
) -> None:
    """What these rules choose is what one of the two wrote, to the type."""
    outcome = merge_field(rule, before, side(mine, 1, minutes[0]), side(theirs, 2, minutes[1]))

    assert isinstance(outcome, Clash) or shown(outcome) in (shown(Merged(mine)), shown(Merged(theirs)))


@every_rule
@given(before=anything | st.just(ABSENT), mine=anything, theirs=anything)
@example(before='["a"]', mine='["\\ud800"]', theirs='["b"]')
@example(before='["a"]', mine="[1e999]", theirs='["b"]')
@example(before='["a"]', mine="[" * 100_000, theirs='["b"]')
@example(before='["a"]', mine="[" + "9" * 5000 + "]", theirs='["b"]')
@example(before='["a"]', mine="[NaN]", theirs='{"b": 1}')
@example(before=2**63 - 1, mine=-(2**63), theirs=-(2**63))
def test_what_a_rule_cannot_merge_is_a_clash_and_never_an_exception(
    rule: Rule, before: StoredValue | Absent, mine: StoredValue, theirs: StoredValue
) -> None:
    """Values of any type, from anyone's program, come out storable or with all three versions kept."""
    outcome = merge_field(rule, before, side(mine), side(theirs, 2))

    if isinstance(outcome, Clash):
        assert outcome == Clash(before, side(mine), side(theirs, 2))
    elif isinstance(outcome.value, int):
        assert -(2**63) <= outcome.value < 2**63
    elif isinstance(outcome.value, str):
        outcome.value.encode()


def test_keep_clashes_wherever_the_two_changes_differ() -> None:
    """1, 1.0 and "1" are different values, so that one is never taken for the other unchanged."""
    for before, mine, theirs in product(TYPE_TRAPS, repeat=3):
        old, ours, found = shown(Merged(before)), shown(Merged(mine)), shown(Merged(theirs))

        outcome = merge_field(Rule.KEEP, before, side(mine), side(theirs, 2))

        assert isinstance(outcome, Clash) == (len({old, ours, found}) == 3)


@pytest.mark.parametrize(
    ("mine", "theirs", "winner"),
    [
        (side("mine", 1, 5), side("theirs", 2, 4), "mine"),
        (side("mine", 1, 4), side("theirs", 2, 5), "theirs"),
        (side("mine", 1, 5), side("theirs", 2, 5), "theirs"),
        (side("mine", 3, 5), side("theirs", 2, 5), "mine"),
    ],
)
def test_last_takes_the_later_change_and_of_two_at_once_the_greater_mutation(
    mine: Side, theirs: Side, winner: str
) -> None:
    """The stamp decides, then the mutation's id, so that every client picks the same."""
    assert merge_field(Rule.LAST, "before", mine, theirs) == Merged(winner)


@given(before=sets | st.none() | st.just(ABSENT), mine=sets | st.none(), theirs=sets | st.none())
def test_union_keeps_every_add_and_every_remove(
    before: str | Absent | None, mine: str | None, theirs: str | None
) -> None:
    """An element is in the result unless someone removed it, and what someone added is."""
    old = set() if isinstance(before, Absent) else members(before)
    ours, found = members(mine), members(theirs)

    result = members(merged(Rule.UNION, before, mine, theirs))

    assert (ours | found) - old <= result
    assert result & old == old & ours & found


@pytest.mark.parametrize(
    ("before", "mine", "theirs", "result"),
    [
        ('["a"]', '["a","b"]', '["a","c"]', '["a","b","c"]'),
        ('["a","b"]', '["b"]', '["a","b","c"]', '["b","c"]'),
        (ABSENT, '["a"]', '["b"]', '["a","b"]'),
        (None, "[]", '["b"]', '["b"]'),
        ('["a"]', None, '["a","b"]', '["b"]'),
        ('["b", "a"]', '["c","a","b"]', '["b"]', '["b","c"]'),
        ("[1]", "[1,true]", "[1.0,1]", "[1,1.0,true]"),
        ("[]", '["\\u00e9"]', '["é","z"]', '["z","é"]'),
    ],
)
def test_union_writes_its_result_canonically(
    before: StoredValue | Absent, mine: StoredValue, theirs: StoredValue, result: str
) -> None:
    """Whatever text the sets came in, equal sets end as equal text."""
    assert merged(Rule.UNION, before, mine, theirs) == result


def test_equal_sets_have_equal_text() -> None:
    """Numbers in numeric order, then text in the order of its characters; 1, 1.0 and true are three."""
    assert canonical_set(["b", 10, "a", 9, "b"]) == '[9,10,"a","b"]'
    assert canonical_set([1, 1.5, None]) == "[1,1.5,null]"
    assert canonical_set(iter([True])) == "[true]"
    assert canonical_set([]) == "[]"


@pytest.mark.parametrize("element", [float("inf"), "\ud800", object(), b"bytes"])
def test_a_set_that_cannot_be_stored_is_bad_input(element: object) -> None:
    """It is refused where it is made, not in the database."""
    with pytest.raises(InputError):
        canonical_set([element])


@given(before=small, mine=small, theirs=small)
def test_max_and_min_take_the_larger_and_the_smaller_of_two_changes(before: int, mine: int, theirs: int) -> None:
    """The value before only tells whether a side changed anything."""
    assume(before not in {mine, theirs})

    assert merged(Rule.MAX, before, mine, theirs) == max(mine, theirs)
    assert merged(Rule.MIN, before, mine, theirs) == min(mine, theirs)


@pytest.mark.parametrize(
    ("mine", "theirs", "largest", "smallest"),
    [
        (None, 5, 5, 5),
        (5, None, 5, 5),
        ("2026-01-01", "2025-01-01", "2026-01-01", "2025-01-01"),
        (b"a", b"b", b"b", b"a"),
        (2**53 + 1, float(2**53), 2**53 + 1, float(2**53)),
        (2, 2.0, 2, 2),
    ],
)
def test_max_and_min_order_numbers_exactly_and_text_and_bytes_as_sqlite_does(
    mine: StoredValue, theirs: StoredValue, largest: StoredValue, smallest: StoredValue
) -> None:
    """Null is ignored by both, and no integer is rounded to be compared."""
    assert shown(Merged(merged(Rule.MAX, 0, mine, theirs))) == shown(Merged(largest))
    assert shown(Merged(merged(Rule.MIN, 0, mine, theirs))) == shown(Merged(smallest))


@pytest.mark.parametrize(("mine", "theirs"), [(1, "1"), ("a", b"a"), (1.5, b"a")])
def test_max_and_min_do_not_order_values_of_different_kinds(mine: StoredValue, theirs: StoredValue) -> None:
    """There is no meant order between a number and a text."""
    for rule in (Rule.MAX, Rule.MIN):
        assert isinstance(merge_field(rule, None, side(mine), side(theirs, 2)), Clash)


@given(before=small, mine=small, theirs=small)
def test_sum_adds_both_differences(before: int, mine: int, theirs: int) -> None:
    """Nobody's count is lost, also where both counted to the same number."""
    assert merged(Rule.SUM, before, mine, theirs) == before + (mine - before) + (theirs - before)


@pytest.mark.parametrize(
    ("before", "mine", "theirs", "result"),
    [(1, 2, 2, 3), (None, 2, 3, 5), (ABSENT, 1, 1, 2), (ABSENT, None, 3, 3), (5, None, None, None)],
)
def test_sum_counts_from_nothing_where_there_was_nothing(
    before: StoredValue | Absent, mine: StoredValue, theirs: StoredValue, result: StoredValue
) -> None:
    """Null is 0 as long as nobody had counted, and two who both cleared a counter agree."""
    assert merged(Rule.SUM, before, mine, theirs) == result


@pytest.mark.parametrize(
    ("before", "mine", "theirs"),
    [(1, None, 2), (1, 2, None), (1, 2, "3"), (1, 2.0, 3), (1.0, 2.0, 3.0), (0, 2**63 - 1, 1), (0, -(2**63), -1)],
)
def test_sum_clashes_on_what_it_cannot_add(before: int, mine: StoredValue, theirs: StoredValue) -> None:
    """Clearing a counter is no difference, floats do not add up exactly, and 64 bits are all there is."""
    assert isinstance(merge_field(Rule.SUM, before, side(mine), side(theirs, 2)), Clash)
