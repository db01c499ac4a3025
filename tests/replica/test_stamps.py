"""Stamps: their order, their precision, and what becomes of clocks that are slow or mad."""

from datetime import UTC, datetime, timedelta
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replica.errors import InputError
from replica.stamps import Stamp, aside, next_stamp, stamp_at

LAST: Stamp = Stamp("9999-12-31T23:59:59.999999Z")
NOON: Stamp = Stamp("2026-11-21T12:00:00.000000Z")

# From 1900 to 2041: as long as a float of seconds tells single microseconds apart.
microseconds = st.integers(-(2**51), 2**51)
stamps = microseconds.map(lambda count: stamp_at(count / 1_000_000))


def test_a_stamp_is_fixed_width_utc_text_with_microseconds() -> None:
    """The form is the one that the design names."""
    assert stamp_at(1795237632.123456) == "2026-11-21T05:07:12.123456Z"
    assert stamp_at(0) == "1970-01-01T00:00:00.000000Z"


@given(count=microseconds)
def test_no_microsecond_of_the_clock_is_lost(count: int) -> None:
    """A stamp is to the microsecond what the clock said."""
    stamp = stamp_at(count / 1_000_000)

    moment = datetime.fromisoformat(stamp) - datetime(1970, 1, 1, tzinfo=UTC)
    assert moment == timedelta(microseconds=count)


@given(one=microseconds, step=st.integers(-2, 2) | microseconds)
def test_text_order_is_time_order(one: int, step: int) -> None:
    """Stamps compare as text as their moments compare, down to one microsecond."""
    other = one + step if abs(step) <= 2 else step
    first, second = stamp_at(one / 1_000_000), stamp_at(other / 1_000_000)

    assert (first < second) == (one < other)
    assert (first == second) == (one == other)


@given(now=stamps, before=stamps)
def test_the_next_stamp_is_later_than_the_one_before_and_never_earlier_than_now(now: Stamp, before: Stamp) -> None:
    """A slow clock cannot make a change look unchanged."""
    stamp = next_stamp(now, before)

    assert stamp > before
    assert stamp >= now
    assert len(stamp) == len(NOON)


@given(now=stamps, before=stamps)
def test_the_next_stamp_is_now_or_one_microsecond_after_the_one_before(now: Stamp, before: Stamp) -> None:
    """No stamp runs further ahead of the clock than it must."""
    stamp = next_stamp(now, before)

    assert stamp in {now, next_stamp(before, before)}
    assert (stamp == now) == (now > before)


def test_a_microsecond_carries_into_the_next_second_and_year() -> None:
    """The step is one of time, not of the last digit."""
    before = Stamp("2026-12-31T23:59:59.999999Z")

    assert next_stamp(NOON, before) == "2027-01-01T00:00:00.000000Z"


def test_a_row_without_a_stamp_gets_the_time_of_the_clock() -> None:
    """A new row has nothing to be later than."""
    assert next_stamp(NOON, None) == NOON
    assert next_stamp(NOON, Stamp("")) == NOON


@pytest.mark.parametrize("before", ["tomorrow", "2027-01-01", "2027-01-01T00:00:00Z", "é" * 27])
def test_a_row_whose_stamp_another_program_wrote_can_still_be_changed(before: str) -> None:
    """What cannot be read as a time is not counted from."""
    assert next_stamp(NOON, Stamp(before)) == NOON


def test_after_the_last_microsecond_of_the_year_9999_there_is_no_stamp() -> None:
    """An overflow is a typed error, not a shorter or longer text."""
    with pytest.raises(InputError, match="9999-12-31"):
        next_stamp(NOON, LAST)


@pytest.mark.parametrize("seconds", [253402300800.0, -1e12, 1e300, inf, -inf, nan])
def test_a_clock_outside_the_years_of_stamps_is_a_typed_error(seconds: float) -> None:
    """A mad clock is bad input, and says what it said."""
    with pytest.raises(InputError, match="clock"):
        stamp_at(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-21",
        "2026-11-21T05:07:12Z",
        "2026-11-21T05:07:12.123Z",
        "2026-11-21T05:07:12.123456",
        "2026-11-21T05:07:12.123456+00:00",
        "2026-11-21 05:07:12.123456Z",
        "2026-11-21t05:07:12.123456Z",
        "2026-02-30T05:07:12.123456Z",
        "2026-11-21T24:00:00.000000Z",
        "2026-W47-6T05:07:12.123456Z",
        "２026-11-21T05:07:12.123456Z",
        " 2026-11-21T05:07:12.123456Z",
        "2026-11-21T05:07:12.123456Z\n",
        "\ud800026-11-21T05:07:12.123456Z",
    ],
)
def test_another_form_of_a_time_is_no_stamp(text: str) -> None:
    """Only the one form keeps text order and time order the same; another counts as none."""
    assert next_stamp(NOON, Stamp(text)) == NOON


def test_a_stamp_aside_is_later_and_the_same_for_the_same() -> None:
    """And of another row it is another one; what cannot be moved stays."""
    stamp = stamp_at(1_000_000)

    assert stamp < aside(stamp, "one") < stamp_at(1_000_001.1)
    assert aside(stamp, "one") == aside(stamp, "one") != aside(stamp, "another")
    assert aside("9999-12-31T23:59:59.999999Z", "one") == "9999-12-31T23:59:59.999999Z"
    assert aside("no stamp", "one") == "no stamp"
