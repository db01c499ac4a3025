"""Positions on a board: whatever is moved, the order is that of a plain list."""

from hypothesis import example, given
from hypothesis import strategies as st

from tracker.positions import GAP, moved, ordered

CARDS = ("a", "b", "c", "d", "e")
cards = st.sampled_from(CARDS)
# Close together, or in one place as after two people put two cards there: room runs out at once.
crowded = st.dictionaries(cards, st.integers(-3, 3))
far = st.dictionaries(cards, st.integers(-(2**63), 2**63 - 1))
moves = st.lists(st.tuples(cards, st.integers(0, 6)), max_size=40)


@given(positions=crowded | far, steps=moves)
@example(positions={"a": 0, "b": 1}, steps=[("c", 1)])
@example(positions={"a": 2**63 - 1}, steps=[("b", 1)])
@example(positions={"a": -(2**63)}, steps=[("b", 0)])
def test_any_moves_give_the_order_of_a_list(positions: dict[str, int], steps: list[tuple[str, int]]) -> None:
    """And every position can be stored."""
    expected = ordered(positions)
    for card, index in steps:
        expected = [other for other in expected if other != card]
        expected.insert(index, card)

        positions |= moved(positions, card, index)

        assert ordered(positions) == expected
        assert all(-(2**63) <= position < 2**63 for position in positions.values())


@given(positions=crowded)
def test_cards_of_one_position_have_one_order_everywhere(positions: dict[str, int]) -> None:
    """In whichever order a machine reads them."""
    assert ordered(dict(reversed(positions.items()))) == ordered(positions)


@given(positions=crowded, card=cards, index=st.integers(0, 6))
def test_what_is_written_once_need_not_be_written_again(positions: dict[str, int], card: str, index: int) -> None:
    """A card that stands there already stays as it is."""
    positions |= moved(positions, card, index)

    assert moved(positions, card, index) == {}


@given(positions=st.dictionaries(cards, st.integers(-100, 100).map(lambda number: number * GAP)), card=cards)
def test_where_there_is_room_only_the_card_itself_is_written(positions: dict[str, int], card: str) -> None:
    """So that others who move other cards meanwhile are not disturbed."""
    # One card a position: two in one leave no room between them.
    positions = {name: number for number, name in {number: name for name, number in positions.items()}.items()}

    for index in range(len(CARDS)):
        assert set(moved(positions, card, index)) <= {card}


def test_positions_are_where_the_td_that_is_written_in_go_puts_them() -> None:
    """A gap above, a gap below, or in the middle."""
    two = {"a": GAP, "b": 2 * GAP}

    assert moved({}, "a", 0) == {"a": GAP}
    assert moved(two, "c", 0) == {"c": 0}
    assert moved(two, "c", 9) == {"c": 3 * GAP}
    assert moved(two, "c", 1) == {"c": GAP + GAP // 2}


def test_all_make_room_where_none_is_left() -> None:
    """After as many moves to one place as the gap can be halved; those that stand well are not written."""
    positions = {"a": GAP, "b": 2 * GAP, "c": 3 * GAP}
    count = 0
    while True:
        written = moved(positions, "b" if count % 2 else "c", 1)
        if len(written) > 1:
            break
        positions |= written
        count += 1

    assert count == 16
    assert sorted((positions | written).values()) == [GAP, 2 * GAP, 3 * GAP]
    assert "a" not in written
