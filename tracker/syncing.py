"""Sync, and mend what only came about where the work of several met.

Always true: what is mended is sent in the same call, so that everybody has it as soon as they sync.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from replica import Mode, SyncReport
from tracker.arrivals import Arrived, arrived_since
from tracker.tracker import Tracker

if TYPE_CHECKING:
    from tracker.reconcile import Mended

_WITH_A_REPLICA = frozenset({Mode.LIBSQL, Mode.TURSO})


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync did, and what was mended after it."""

    report: SyncReport
    mended: list[Mended]


def sync(tracker: Tracker, *, deadline_s: float = 60.0, adopt_primary: bool = False) -> Synced:
    """Trade changes with the primary, as `Replica.sync` does, and mend what came about by it."""
    report = tracker.replica.sync(deadline_s=deadline_s, adopt_primary=adopt_primary)
    if report.error is not None or tracker.replica.status().mode not in _WITH_A_REPLICA:
        return Synced(report, [])
    arrived = arrived_since(tracker, tracker.here.reconciled())
    mended = _mend(tracker, arrived) if arrived.issues or arrived.dependencies else []
    tracker.here.set_reconciled(arrived.last)
    if mended:
        report = _both(report, tracker.replica.sync(deadline_s=deadline_s))
    return Synced(report, mended)


def _mend(tracker: Tracker, arrived: Arrived) -> list[Mended]:
    from tracker.reconcile import mend  # noqa: PLC0415 - a sync that brings nothing does not pay for it

    return mend(tracker, arrived)


def _both(first: SyncReport, second: SyncReport) -> SyncReport:
    return replace(
        second,
        pushed=first.pushed + second.pushed,
        merged=first.merged + second.merged,
        parked=first.parked + second.parked,
        pulled=first.pulled + second.pulled,
        lost=first.lost + second.lost,
    )
