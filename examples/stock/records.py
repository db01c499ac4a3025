"""The rows of `stock`, and how each field merges when two people changed it."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from replica import Record, Rule


class Item(Record, table="items", id_prefix="it-"):
    """Something on a shelf."""

    name: str  # no rule: two new names are kept until somebody decides
    amount: Annotated[int, Rule.SUM] = 0  # one takes 3, another puts 10: both count
    minimum: int = 0
    labels: Annotated[frozenset[str], Rule.UNION] = frozenset()
    note: Annotated[str, Rule.TEXT] = ""  # merged line by line
    counted_on: Annotated[date | None, Rule.MAX] = None  # the later day


class State(StrEnum):
    """What becomes of an order."""

    NONE = "none"
    WANTED = "wanted"
    ORDERED = "ordered"


class Order(Record, table="orders"):
    """Whether more of an item is wanted; its id is that of the item."""

    state: State = State.NONE
