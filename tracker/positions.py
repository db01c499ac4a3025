"""Where cards stand on a board: whole numbers with room between them. Pure.

Always true:
- cards are in the order of their positions, and those of one position in the order of their ids, on every machine;
- to move a card is to write its own position, so that two people who move two cards never meet in one row; only where
  there is no room left are all of them written anew.
"""

from collections.abc import Mapping
from typing import Final

GAP: Final = 65_536
"""How far apart cards are put."""
# Far enough from the ends of what SQLite can store that no step from here leaves it.
_POSITION_MAX: Final = 2**62


def ordered(positions: Mapping[str, int]) -> list[str]:
    """The cards in their order."""
    return sorted(positions, key=lambda card: (positions[card], card))


def moved(positions: Mapping[str, int], card: str, index: int) -> dict[str, int]:
    """The positions to write so that `card` has `index` others before it, and the others keep their order.

    Args:
        positions: where each card stands; `card` may be among them.
        card: which one is moved.
        index: from 0; beyond the last it is the last.

    Returns:
        The card's own position, or those of all cards that must make room; none where it stands there already.
    """
    before = ordered(positions)
    others = [other for other in before if other != card]
    wanted = [*others[:index], card, *others[index:]]
    if wanted == before:
        return {}
    place = wanted.index(card)
    low = positions[wanted[place - 1]] if place else None
    high = positions[wanted[place + 1]] if place + 1 < len(wanted) else None
    found = _between(low, high)
    if found is not None:
        return {card: found}
    spaced = {each: GAP * number for number, each in enumerate(wanted, 1)}
    return {each: position for each, position in spaced.items() if positions.get(each) != position}


def _between(low: int | None, high: int | None) -> int | None:
    """A number between two neighbours, or beyond the only one; None where there is no room."""
    if low is not None and high is not None:
        found = (low + high) // 2
    elif high is not None:
        found = high - GAP
    else:
        found = GAP if low is None else low + GAP
    has_room = (low is None or low < found) and (high is None or found < high)
    return found if has_room and abs(found) <= _POSITION_MAX else None
