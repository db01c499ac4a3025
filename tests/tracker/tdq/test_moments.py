"""What people call a time is the stretch of time that they mean."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.tdq.moments import Days, Moments, days_named, moments_named

BERLIN = ZoneInfo("Europe/Berlin")
# A Saturday; it is the 22nd already in Berlin.
NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "start", "end"),
    [
        ("2026-05-01", date(2026, 5, 1), date(2026, 5, 2)),
        ("today", date(2026, 11, 22), date(2026, 11, 23)),
        ("yesterday", date(2026, 11, 21), date(2026, 11, 22)),
        ("TOMORROW", date(2026, 11, 23), date(2026, 11, 24)),
        ("monday", date(2026, 11, 23), date(2026, 11, 24)),
        ("sunday", date(2026, 11, 29), date(2026, 11, 30)),
        ("this_week", date(2026, 11, 16), date(2026, 11, 23)),
        ("last_week", date(2026, 11, 9), date(2026, 11, 16)),
        ("next-week", date(2026, 11, 23), date(2026, 11, 30)),
        ("this_month", date(2026, 11, 1), date(2026, 12, 1)),
        ("last_month", date(2026, 10, 1), date(2026, 11, 1)),
        ("next_month", date(2026, 12, 1), date(2027, 1, 1)),
        ("-7d", date(2026, 11, 15), date(2026, 11, 16)),
        ("+2w", date(2026, 12, 6), date(2026, 12, 7)),
        ("-9m", date(2026, 2, 22), date(2026, 2, 23)),
        ("+1y", date(2027, 11, 22), date(2027, 11, 23)),
        ("-1h", date(2026, 11, 21), date(2026, 11, 22)),
        ("now", date(2026, 11, 22), date(2026, 11, 23)),
    ],
)
def test_a_day_is_one_of_the_place(typed: str, start: date, end: date) -> None:
    """Of where the person is, not of where the clock of the database is."""
    now = NOW - timedelta(minutes=30) if typed == "-1h" else NOW

    assert days_named(typed, now, BERLIN) == Days(start, end)


def test_a_date_is_the_whole_day_where_it_is_short() -> None:
    """When the clocks are put forward, a day has 23 hours."""
    found = moments_named("2026-03-29", NOW, BERLIN)

    assert found == Moments(datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC))


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("-6h", NOW - timedelta(hours=6)),
        ("now", NOW),
        ("2026-05-01T12:00:00Z", datetime(2026, 5, 1, 12, tzinfo=UTC)),
        ("2026-05-01T12:00:00.000001+02:00", datetime(2026, 5, 1, 10, 0, 0, 1, tzinfo=UTC)),
        ("2026-05-01t12:00", datetime(2026, 5, 1, 10, tzinfo=UTC)),
    ],
)
def test_a_moment_is_one_microsecond(typed: str, moment: datetime) -> None:
    """Without a time zone it is of the place."""
    assert moments_named(typed, NOW, BERLIN) == Moments(moment, moment + timedelta(microseconds=1))


def test_without_a_zone_the_days_are_those_of_this_machine() -> None:
    """As every other program there counts them."""
    found = moments_named("2026-05-01", NOW, None)

    assert found == Moments(
        datetime(2026, 5, 1).astimezone(UTC),
        datetime(2026, 5, 2).astimezone(UTC),
    )


@pytest.mark.parametrize(
    "typed",
    [
        *("banana", "2026-13-45", "2026-02-30", "", "7d", "-7", "-7x", "20260501", "2026-05"),
        *("9999-12-31", "0001-01-01", "-999999y", "+999999w", "2026-05-01T25:00"),
    ],
)
def test_what_names_no_time_is_none(typed: str) -> None:
    """Nor does what is outside the years 1 to 9999."""
    assert moments_named(typed, NOW, ZoneInfo("Asia/Tokyo")) is None


@given(typed=st.text(max_size=20) | st.from_regex(r"[+-]\d{1,7}[dwmyh]|\d{4}-\d\d-\d\d(T[\d:.]+Z?)?", fullmatch=True))
def test_no_text_ends_in_an_error(typed: str) -> None:
    """It names a stretch that ends after its start, or none."""
    days, moments = days_named(typed, NOW, BERLIN), moments_named(typed, NOW, BERLIN)

    assert days is None or days.start < days.end
    assert moments is None or moments.start < moments.end
