"""Whether anything was lost: what clients were told was kept, against what primary and replicas hold at the end.

Always true: what the primary holds is read from the primary itself, past every replica and past the meter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from benchmarks.load.client import Notes, digest_of
from benchmarks.load.entries import CONTENT
from replica.hrana import Hrana, Statement
from replica.mutation import StoredValue

_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was acknowledged to clients and what became of it; all but the first two are 0 if nothing was lost.

    twice: on the primary more than once. differing: replicas whose rows are not those of the primary. uncounted: what
    was added to shared rows and is missing from their sum.
    """

    acknowledged: int
    parked: int
    missing: int
    twice: int
    pending: int
    differing: int
    uncounted: int

    @property
    def holds(self) -> bool:
        """Whether nothing was lost."""
        return not (self.missing or self.twice or self.pending or self.differing or self.uncounted)

    def __str__(self) -> str:
        if self.holds:
            return f"nothing lost ({self.acknowledged:,} mutations)"
        return f"LOST: {self!r}"


def sequence_of(url: str) -> dict[str, list[int]]:
    """The places of each mutation in the history of the primary."""
    found: dict[str, list[int]] = {}
    sql = "SELECT seq, mutation FROM _replica_changes WHERE seq > ? AND position = 0 ORDER BY seq"
    for seq, mutation in _pages(url, sql, 0):
        found.setdefault(str(mutation), []).append(int(str(seq)))
    return found


def judge(url: str, notes: Sequence[Notes], found: dict[str, list[int]]) -> Verdict:
    """Compare. `found`: as from `sequence_of`, once every client has finished."""
    acknowledged = [mutation for each in notes for mutation in each.committed]
    assert len(set(acknowledged)) == len(acknowledged), "a mutation's id came twice"
    with closing(Hrana(url)) as hrana:
        hits, parked = hrana.execute(
            Statement("SELECT (SELECT sum(hits) FROM entries), (SELECT count(*) FROM _replica_conflicts)")
        ).rows[0]
    truth = digest_of(lambda _: _pages(url, f"{CONTENT} WHERE id > ? ORDER BY id", ""))
    times = Counter({mutation: len(places) for mutation, places in found.items()})
    return Verdict(
        acknowledged=len(acknowledged),
        parked=int(str(parked)),
        missing=sum(times[mutation] == 0 for mutation in acknowledged),
        twice=sum(times[mutation] > 1 for mutation in acknowledged),
        pending=sum(each.pending for each in notes),
        differing=sum(each.digest != truth for each in notes),
        uncounted=sum(each.added for each in notes) - int(str(hits)),
    )


def _pages(url: str, sql: str, after: StoredValue) -> Iterator[tuple[StoredValue, ...]]:
    """All rows of a query that goes by its first column, in answers that are not too large for the primary."""
    with closing(Hrana(url)) as hrana:
        while rows := hrana.execute(Statement(f"{sql} LIMIT {_PAGE}", (after,))).rows:
            yield from rows
            after = rows[-1][0]
