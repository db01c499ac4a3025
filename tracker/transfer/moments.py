"""Moments and days as other programs write them.

Always true: what is read is a moment in UTC or nothing; a moment without a zone is taken as UTC, as SQLite means it.
"""

import re
from datetime import UTC, date, datetime
from typing import Final

# Go's own text form: `2026-07-18 07:29:04.700000001 -0700 PDT m=+0.10`; SQLite's; RFC 3339.
_MOMENT: Final = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)"
    r"(?:[T ](?P<time>\d\d:\d\d(?::\d\d)?)(?:[.,](?P<fraction>\d{1,9})\d*)?)?"
    r"\s*(?P<zone>Z|[+-]\d\d:?\d\d)?"
    r"(?:\s+(?:[A-Z]{2,5}|[+-]\d{2,4}))?"
    r"(?:\s+m=[+-][\d.]+)?",
    re.IGNORECASE,
)


def parse_foreign_moment(text: str) -> datetime | None:
    """The moment that `text` names, to the microsecond; None for none."""
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        return None
    clock = match["time"] or "00:00:00"
    fraction = (match["fraction"] or "")[:6].ljust(6, "0")
    zone = (match["zone"] or "Z").upper()
    zone = "+00:00" if zone == "Z" else zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    try:
        whole = clock if len(clock) > 5 else f"{clock}:00"
        return datetime.fromisoformat(f"{match['day']}T{whole}.{fraction}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_foreign_day(text: str) -> date | None:
    """The day that `text` begins with, whatever hour of it follows; None for none."""
    match = _MOMENT.fullmatch(text.strip())
    try:
        return None if match is None else date.fromisoformat(match["day"])
    except ValueError:
        return None
