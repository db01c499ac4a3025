"""Days as people type them: `2026-12-24`, `tomorrow`, `friday`, `+2w`.

Pure. Always true: what is typed is a day of the caller's own calendar, and a day that cannot be meant is an error.
"""

import re
from calendar import monthrange
from datetime import date, timedelta
from typing import Final

from tracker.errors import InvalidFieldError

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_STEP: Final = re.compile(r"\+(\d{1,4})([dwmy])")
_HINT: Final = "use 2026-12-24, today, tomorrow, friday, next-week, next-month, +3d, +2w or +1m"


def parse_day(field: str, typed: str, today: date) -> date:
    """The day that is meant, seen from `today`.

    A weekday is the next one, never today; next-week is the next Monday, next-month the first day of it; a step of
    months ends on the last day of a month that is shorter. Raises InvalidFieldError.
    """
    wanted = typed.strip().lower().replace("_", "-")
    named = {
        "today": today,
        "tomorrow": today + timedelta(days=1),
        "next-week": today + timedelta(days=7 - today.weekday()),
        "next-month": after_months(today.replace(day=1), 1),
    }
    if wanted in named:
        return named[wanted]
    if wanted in _WEEKDAYS:
        return today + timedelta(days=(_WEEKDAYS.index(wanted) - today.weekday() - 1) % 7 + 1)
    try:
        if step := _STEP.fullmatch(wanted):
            return _after(today, int(step[1]), step[2])
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", wanted):
            return date.fromisoformat(wanted)
    except (ValueError, OverflowError):
        pass
    raise InvalidFieldError(field, f"{typed[:40]!a} is no day", _HINT)


def after_months(day: date, months: int) -> date:
    """The same day so many months later; in a shorter month its last day. Raises ValueError beyond the year 9999."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    if not date.min.year <= year <= date.max.year:
        raise ValueError(f"there is no year {year}")
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _after(today: date, count: int, unit: str) -> date:
    if unit in "dw":
        return today + timedelta(days=count * (7 if unit == "w" else 1))
    return after_months(today, count * (12 if unit == "y" else 1))


def parse_span(field: str, typed: str) -> timedelta:
    """A length of time: `30m`, `8h`, `2d`, `1w`. Raises InvalidFieldError."""
    match = re.fullmatch(r"(\d{1,5})([mhdw])", typed.strip().lower())
    if match is None:
        raise InvalidFieldError(field, f"{typed[:40]!a} is no length of time", "use 30m, 8h, 2d or 1w")
    unit = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[match[2]]
    return timedelta(**{unit: int(match[1])})
