"""A record with a field of every type, and Hypothesis strategies for all of its values."""

import math
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic import BaseModel

from replica import Record, Rule

INT64: Final = 2**63


class Colour(StrEnum):
    """Text with names."""

    RED = "red"
    GREEN = "grün"


class Size(IntEnum):
    """Numbers with names."""

    SMALL = -1
    HUGE = 2**40


class Level(Enum):
    """Numbers with names, which are no numbers in Python."""

    LOW = 1
    HIGH = 2


class Point(BaseModel):
    """A small document."""

    x: float
    name: str = ""


class Sample(Record, table="samples"):
    """A field of every type that a record may have."""

    text: str
    number: int
    real: float
    flag: bool
    data: bytes
    day: date
    moment: datetime
    colour: Colour
    size: Size
    level: Level
    words: list[str]
    pair: tuple[int, str]
    set_of_text: frozenset[str]
    set_of_numbers: set[int]
    document: dict[str, Any]  # any small JSON document
    point: Point
    text_or_none: str | None
    number_or_none: int | None
    real_or_none: float | None
    flag_or_none: bool | None
    data_or_none: bytes | None
    day_or_none: date | None
    moment_or_none: datetime | None
    colour_or_none: Colour | None
    words_or_none: list[str] | None
    set_or_none: Annotated[frozenset[str] | None, Rule.UNION]
    document_or_none: dict[str, Any] | None
    point_or_none: Point | None


COLUMNS: Final = """text TEXT NOT NULL, number INTEGER NOT NULL, real REAL NOT NULL, flag INTEGER NOT NULL,
data BLOB NOT NULL, day TEXT NOT NULL, moment TEXT NOT NULL, colour TEXT NOT NULL, size INTEGER NOT NULL,
level INTEGER NOT NULL, words TEXT NOT NULL, pair TEXT NOT NULL, set_of_text TEXT NOT NULL,
set_of_numbers TEXT NOT NULL, document TEXT NOT NULL, point TEXT NOT NULL, text_or_none TEXT, number_or_none INTEGER,
real_or_none REAL, flag_or_none INTEGER, data_or_none BLOB, day_or_none TEXT, moment_or_none TEXT,
colour_or_none TEXT, words_or_none TEXT, set_or_none TEXT, document_or_none TEXT, point_or_none TEXT"""

# "Cs" are the halves of surrogate pairs: no characters, and refused, as is NUL.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30) | st.sampled_from(
    [
        "",
        "\x01\x1f\x7f",
        "\U0001f600\U0010ffff",
        "\ufeff",
        "\u2028\r\n\t",
        "'\"\\;--",
        "null",
        "1e5",
        "[]",
        "\ufffe\uffff",
    ]
)
integers = st.integers(-INT64, INT64 - 1) | st.sampled_from([0, INT64 - 1, -INT64, 2**53 + 1, -(2**53) - 1])
seventeen_digits = st.tuples(st.integers(10**16, 10**17 - 1), st.integers(-340, 307)).map(
    lambda parts: float(f"{parts[0]}e{parts[1] - 16}")
)
# SQLite keeps no sign of zero, so neither does a record: see below.
finite = (
    st.floats(allow_nan=False, allow_infinity=False)
    | seventeen_digits
    | st.sampled_from([5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 0.1, 1e22, 9007199254740993.0])
).map(lambda value: value + 0.0)
reals = finite | st.sampled_from([math.inf, -math.inf])
offsets = st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-11, minutes=-30))])
moments = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=offsets)  # noqa: DTZ001 - bounds are naive
documents = st.dictionaries(
    texts,
    st.recursive(
        st.none() | st.booleans() | integers | finite | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=5,
    ),
    max_size=3,
)
points = st.builds(Point, x=finite, name=texts)


def optional(strategy: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Or nothing."""
    return st.none() | strategy


samples: SearchStrategy[Sample] = st.builds(
    Sample,
    id=st.just(""),
    updated_at=st.just(""),
    text=texts,
    number=integers,
    real=reals,
    flag=st.booleans(),
    data=st.binary(max_size=30),
    day=st.dates(),
    moment=moments,
    colour=st.sampled_from(Colour),
    size=st.sampled_from(Size),
    level=st.sampled_from(Level),
    words=st.lists(texts, max_size=3),
    pair=st.tuples(integers, texts),
    set_of_text=st.frozensets(texts, max_size=4),
    set_of_numbers=st.sets(integers, max_size=4),
    document=documents,
    point=points,
    text_or_none=optional(texts),
    number_or_none=optional(integers),
    real_or_none=optional(reals),
    flag_or_none=optional(st.booleans()),
    data_or_none=optional(st.binary(max_size=30)),
    day_or_none=optional(st.dates()),
    moment_or_none=optional(moments),
    colour_or_none=optional(st.sampled_from(Colour)),
    words_or_none=optional(st.lists(texts, max_size=2)),
    set_or_none=optional(st.frozensets(texts, max_size=2)),
    document_or_none=optional(documents),
    point_or_none=optional(points),
)
many_samples = st.lists(samples, min_size=1, max_size=6)

PLAIN: Final = Sample(
    text="text",
    number=1,
    real=1.5,
    flag=True,
    data=b"data",
    day=date(2026, 11, 21),
    moment=datetime(2026, 11, 21, 5, tzinfo=UTC),
    colour=Colour.RED,
    size=Size.SMALL,
    level=Level.LOW,
    words=["a"],
    pair=(1, "b"),
    set_of_text=frozenset("ab"),
    set_of_numbers={1, 2},
    document={"a": 1},
    point=Point(x=1.0),
    text_or_none=None,
    number_or_none=None,
    real_or_none=None,
    flag_or_none=None,
    data_or_none=None,
    day_or_none=None,
    moment_or_none=None,
    colour_or_none=None,
    words_or_none=None,
    set_or_none=None,
    document_or_none=None,
    point_or_none=None,
)
