"""What people call a time, and the stretch of time that they mean.

Always true:
- a date is the whole day of it in the given time zone, a week is from Monday on, and a stretch ends before its `end`;
- a moment is a stretch of one microsecond, so that both are compared in one way;
- nothing here looks at a clock: what is relative is relative to the `now` that is given.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from tracker.days import after_months

_MICROSECOND: Final = timedelta(microseconds=1)
_DAY: Final = timedelta(days=1)
_RELATIVE: Final = re.compile(r"([+-])(\d{1,6})([dwmyh])")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

ADVICE: Final = (
    "give a date as 2026-05-01, today, yesterday, tomorrow, monday, this_week, last_week, next_week, this_month, "
    "last_month, next_month, -7d, +2w, -1m or -6h"
)


@dataclass(frozen=True, slots=True)
class Moments:
    """From `start` on, and before `end`, in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Days:
    """From the day `start` on, and before the day `end`."""

    start: date
    end: date


def moments_named(typed: str, now: datetime, zone: tzinfo | None) -> Moments | None:
    """The stretch of time that `typed` names; None if it names none, or one outside the years 1 to 9999.

    zone: where the days are days; None is where this machine is.
    """
    try:
        found = _named(typed.lower(), now, zone)
        if isinstance(found, Days):
            return Moments(_midnight(found.start, zone), _midnight(found.end, zone))
        return None if found is None else Moments(found.astimezone(UTC), found.astimezone(UTC) + _MICROSECOND)
    except (OverflowError, ValueError, OSError):
        return None


def days_named(typed: str, now: datetime, zone: tzinfo | None) -> Days | None:
    """The days that `typed` names: of a moment, the day that it is in. None as for `moments_named`."""
    try:
        found = _named(typed.lower(), now, zone)
        return _day(found.astimezone(zone).date()) if isinstance(found, datetime) else found
    except (OverflowError, ValueError, OSError):
        return None


def _named(typed: str, now: datetime, zone: tzinfo | None) -> Days | datetime | None:
    today = now.astimezone(zone).date()
    period = _PERIODS.get(typed.replace("-", "_"))
    if period is not None:
        return period(today)
    if typed == "now":
        return now
    relative = _RELATIVE.fullmatch(typed)
    if relative:
        return _relative(int(relative[1] + relative[2]), relative[3], today, now)
    if _DATE.fullmatch(typed):
        return _day(date.fromisoformat(typed))
    if typed[:1].isdigit() and "t" in typed:
        moment = datetime.fromisoformat(typed.upper())
        return _in_zone(moment, zone) if moment.tzinfo is None else moment
    return None


def _relative(count: int, unit: str, today: date, now: datetime) -> Days | datetime:
    if unit == "h":
        return now + timedelta(hours=count)
    if unit in "my":
        return _day(after_months(today, count * (12 if unit == "y" else 1)))
    return _day(today + _DAY * count * (7 if unit == "w" else 1))


def _day(day: date) -> Days:
    return Days(day, day + _DAY)


def _next(weekday: int) -> Callable[[date], Days]:
    """A day of the week: always one to come, as whoever puts something off until Monday means."""
    return lambda today: _day(today + _DAY * ((weekday - today.weekday() - 1) % 7 + 1))


def _week(today: date, weeks: int) -> Days:
    monday = today - _DAY * today.weekday() + _DAY * 7 * weeks
    return Days(monday, monday + _DAY * 7)


def _month(today: date, months: int) -> Days:
    first = today.replace(day=1)
    return Days(after_months(first, months), after_months(first, months + 1))


def _midnight(day: date, zone: tzinfo | None) -> datetime:
    return _in_zone(datetime(day.year, day.month, day.day), zone).astimezone(UTC)  # noqa: DTZ001 - the next call adds it


def _in_zone(naive: datetime, zone: tzinfo | None) -> datetime:
    # A naive moment is one of this machine's time zone to Python, with its summer times.
    return naive.astimezone() if zone is None else naive.replace(tzinfo=zone)


_PERIODS: Final[Mapping[str, Callable[[date], Days]]] = {
    "today": _day,
    "yesterday": lambda today: _day(today - _DAY),
    "tomorrow": lambda today: _day(today + _DAY),
    "this_week": lambda today: _week(today, 0),
    "last_week": lambda today: _week(today, -1),
    "next_week": lambda today: _week(today, 1),
    "this_month": lambda today: _month(today, 0),
    "last_month": lambda today: _month(today, -1),
    "next_month": lambda today: _month(today, 1),
    **{name: _next(number) for number, name in enumerate(_WEEKDAYS)},
}
