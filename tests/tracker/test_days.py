"""Days as people type them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.days import after_months, parse_day, parse_span
from tracker.errors import InvalidFieldError

SATURDAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("2026-12-24", date(2026, 12, 24)),
        ("today", SATURDAY),
        ("Tomorrow", date(2026, 11, 22)),
        ("saturday", date(2026, 11, 28)),
        ("sunday", date(2026, 11, 22)),
        ("friday", date(2026, 11, 27)),
        ("next-week", date(2026, 11, 23)),
        ("next_month", date(2026, 12, 1)),
        ("+3d", date(2026, 11, 24)),
        ("+2w", date(2026, 12, 5)),
        ("+1m", date(2026, 12, 21)),
        ("+1y", date(2027, 11, 21)),
    ],
)
def test_a_day_that_is_named(typed: str, day: date) -> None:
    """Seen from a Saturday."""
    assert parse_day("due", typed, SATURDAY) == day


@pytest.mark.parametrize("typed", ["", "soon", "2026-02-30", "2026-2-3", "+1x", "+9999y", "20261224", "-1d"])
def test_what_is_no_day_is_refused(typed: str) -> None:
    """With the forms that are known."""
    with pytest.raises(InvalidFieldError, match="no day") as refused:
        parse_day("due", typed, SATURDAY)
    assert "2026-12-24" in refused.value.hint


@given(st.dates(max_value=date(9000, 1, 1)), st.integers(0, 500))
def test_a_step_of_months_stays_in_its_month(day: date, months: int) -> None:
    """On the same day of it, or its last."""
    after = after_months(day, months)

    assert (after.year * 12 + after.month) - (day.year * 12 + day.month) == months
    assert after.day == day.day or (after.day < day.day and (after + timedelta(days=1)).day == 1)


def test_a_length_of_time() -> None:
    """With its unit."""
    assert parse_span("stale", "90m") == timedelta(minutes=90)
    assert parse_span("stale", "2W") == timedelta(weeks=2)
    with pytest.raises(InvalidFieldError):
        parse_span("stale", "soon")
