"""How long to wait before trying again: growing, jittered, bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator


def delays_s(
    random: Callable[[], float], *, attempts: int, first_s: float = 0.1, longest_s: float = 5.0
) -> Iterator[float]:
    """One wait before each further attempt, in seconds; `random` returns numbers from 0 to 1.

    Each wait is drawn from the whole span up to a limit that doubles, so that clients that failed together do not
    come back together ("full jitter").
    """
    limit = first_s
    for _ in range(attempts - 1):
        yield limit * random()
        limit = min(limit * 2, longest_s)
