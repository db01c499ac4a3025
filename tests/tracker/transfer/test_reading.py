"""How values are read: JSON in pieces, and moments in the forms that other programs write."""

import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.transfer import json_reader
from tracker.transfer.json_reader import JsonReader
from tracker.transfer.moments import parse_foreign_day, parse_foreign_moment

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize("piece", [1, 7])
@settings(max_examples=30)
@given(
    rows=st.dictionaries(st.text(max_size=5), st.lists(VALUES, max_size=4), max_size=3),
    indent=st.sampled_from([None, 2]),
)
def test_what_is_read_in_pieces_is_what_is_there(piece: int, rows: dict[str, list[object]], indent: int | None) -> None:
    """However small the pieces, and wherever they end."""
    file = io.StringIO(json.dumps(rows, indent=indent))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_reader, "_PIECE_CHARACTERS", piece)
        reader = JsonReader(file, Path("file"))

        found = {name: [reader.value() for _ in reader.elements()] for name in reader.names()}

    assert found == rows
    assert reader.peek() == ""


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02 03:04:05.123456789 +0000 UTC m=+0.100833084", datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        ("2026-01-02 03:04:05.7 -0700 PDT m=-1.5", datetime(2026, 1, 2, 10, 4, 5, 700000, tzinfo=UTC)),
        ("2026-01-02 03:04:05 -0700 -0700", datetime(2026, 1, 2, 10, 4, 5, tzinfo=UTC)),
        ("2026-01-02 03:04:05.999999999+02:00", datetime(2026, 1, 2, 1, 4, 5, 999999, tzinfo=UTC)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04Z", datetime(2026, 1, 2, 3, 4, tzinfo=UTC)),
        (" 2026-01-02 03:04:05 ", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)),
        ("2026-02-30", None),
        ("0001-01-01T00:00:00+23:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_moment_is_read_in_every_form_that_was_written(text: str, moment: datetime | None) -> None:
    """To the microsecond, in UTC; None for what is none."""
    assert parse_foreign_moment(text) == moment


@pytest.mark.parametrize(
    ("text", "day"),
    [("2026-01-02", date(2026, 1, 2)), ("2026-01-02T23:00:00-08:00", date(2026, 1, 2)), ("2/1/26", None)],
)
def test_a_day_is_the_one_that_is_written(text: str, day: date | None) -> None:
    """Not the one that it is elsewhere at that hour."""
    assert parse_foreign_day(text) == day


@settings(max_examples=50)
@given(text=st.text())
@pytest.mark.parametrize("parse", [parse_foreign_moment, parse_foreign_day])
def test_any_text_is_a_moment_or_none(parse: Callable[[str], date | None], text: str) -> None:
    """And never an error."""
    parse(text)
