"""Stamps: moments as fixed-width UTC text with microseconds.

Always true:
- the order of two stamps as text is their order in time;
- the stamp of a change is later than the stamp it replaces, whatever the clock says.
"""

from datetime import datetime, timedelta
from typing import Final, NewType
from zlib import crc32

from replica.errors import InputError

Stamp = NewType("Stamp", str)
"""A moment, as `2026-11-21T05:07:12.123456Z`."""

# Naive on purpose: everything here is UTC, and the text of an aware one would have to lose its "+00:00".
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - see above
_MICROSECOND: Final = timedelta(microseconds=1)


def stamp_at(seconds: float) -> Stamp:
    """Return the stamp of a moment given in seconds since 1970, UTC, to the nearest microsecond.

    Raises:
        InputError: the moment is outside the years 1 to 9999, or not a number.
    """
    try:
        moment = _EPOCH + timedelta(microseconds=round(seconds * 1_000_000))
    except (OverflowError, ValueError) as error:
        raise InputError(f"the clock says {seconds} s since 1970, which no stamp can hold") from error
    return _text(moment)


def next_stamp(now: Stamp, before: Stamp | None, *, step_us: int = 1) -> Stamp:
    """Return the stamp for a change made at `now` to a row last changed at `before`.

    That is `now`, or one microsecond after `before` where the clock is behind it, so that a slow clock
    cannot make a change look unchanged. A row whose `before` is no stamp, having been written by another
    program, gets `now`.

    step_us: how far to go beyond `before`, in microseconds. Where two authors change the same row after a clock far
    ahead, one microsecond each would give both changes one stamp, and the compare-and-swap could not tell them apart;
    so callers draw it at random.

    Raises:
        InputError: `before` is the last microsecond of the year 9999.
    """
    if before is None or now > before:
        return now
    moment = _moment(before)
    if moment is None:
        return now
    try:
        return _text(moment + step_us * _MICROSECOND)
    except OverflowError as error:
        raise InputError(f"no stamp comes after {before}") from error


def aside(stamp: str, other: str) -> str:
    """Return a stamp of up to a second after `stamp`, the same for the same two texts, and else another one.

    At the end of time, and for a text that is no stamp, `stamp` itself.
    """
    moment = _moment(stamp)
    if moment is None:
        return stamp
    try:
        return _text(moment + (1 + crc32(other.encode()) % 999_983) * _MICROSECOND)
    except OverflowError:
        return stamp


def _text(moment: datetime) -> Stamp:
    return Stamp(moment.isoformat("T", "microseconds") + "Z")


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.removesuffix("Z"))
        # fromisoformat reads many forms; only the one we write keeps text order and time order the same.
        return moment if _text(moment) == text else None
    except ValueError:
        return None
