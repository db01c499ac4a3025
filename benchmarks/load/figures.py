"""What a run comes to: latencies, traffic and CPU, from what the clients noted. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from benchmarks.load.client import Load, Notes
from benchmarks.load.meter import Traffic
from benchmarks.load.verdict import Verdict

_PAIRS_MAX: Final = 500_000


@dataclass(frozen=True, slots=True)
class Used:
    """CPU in cores while the run was measured, and memory: clients are the workers with their pullers."""

    primary: float
    read_replica: float
    clients: float
    meter: float
    others: float
    primary_mb: float


@dataclass(frozen=True, slots=True)
class Figures:
    """One run. Times in seconds.

    syncs: all until the last one that was due had ended, as what passed on the wire was counted until then.
    ended_a_s: those that ended while clients wrote. The times are of those that were due while clients wrote; late: how
    long after it was due a sync began. unseen: pairs of a mutation and a client that it never reached.
    """

    load: Load
    syncs: int
    ended_a_s: float
    visible_p50: float
    visible_p99: float
    unseen: int
    sync_p50: float
    sync_p99: float
    late_p99: float
    traffic: Traffic
    used: Used
    errors: dict[str, int]
    sent_again: int
    verdict: Verdict

    def each_sync(self, total: int) -> float:
        """A total as an average over the syncs."""
        return total / max(1, self.syncs)


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that so large a part of all does not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(part * 1000) // 1000) - 1)] if ordered else 0.0


def figures_of(
    load: Load, notes: Sequence[Notes], places: dict[str, list[int]], span: tuple[float, float, float], *,
    traffic: Traffic, used: Used, verdict: Verdict,
) -> Figures:  # fmt: skip
    """Put together.

    places: of each mutation in the primary's history. span: when clients began and ended to write, and when the last
    sync had ended.
    """
    began, ended, finished = span
    syncs = [each for one in notes for each in one.syncs if began <= each.due < ended]
    counted = sum(began <= each.began and each.ended <= finished for one in notes for each in one.syncs)
    seen = list(_latencies(notes, {mutation: found[0] for mutation, found in places.items()}))
    visible = [each for each in seen if each is not None]
    taken = [each.ended - each.began for each in syncs]
    return Figures(
        load=load,
        syncs=counted,
        ended_a_s=sum(began <= each.ended < ended for one in notes for each in one.syncs) / (ended - began),
        visible_p50=percentile(visible, 0.5),
        visible_p99=percentile(visible, 0.99),
        unseen=len(seen) - len(visible),
        sync_p50=percentile(taken, 0.5),
        sync_p99=percentile(taken, 0.99),
        late_p99=percentile([each.began - each.due for each in syncs], 0.99),
        traffic=traffic,
        used=used,
        errors=dict(Counter(each.code for each in syncs if each.code)),
        sent_again=sum(each.pushed for one in notes for each in one.syncs) - verdict.acknowledged,
        verdict=verdict,
    )


def _latencies(notes: Sequence[Notes], place: dict[str, int]) -> Iterator[float | None]:
    """From each commit to the end of the sync that showed it, on every other client; None where none did."""
    # A base only grows, so what it had come to is sorted as its syncs are.
    reached = {one.name: list(accumulate((each.last_seq for each in one.syncs), max)) for one in notes}
    made = [(one.name, at, place.get(mutation)) for one in notes for mutation, at in one.committed.items()]
    every = 1 + len(made) * len(notes) // _PAIRS_MAX
    for author, at, seq in made[::every]:
        for one in notes:
            if one.name == author:
                continue
            position = len(one.syncs) if seq is None else bisect_left(reached[one.name], seq)
            yield one.syncs[position].ended - at if position < len(one.syncs) else None
