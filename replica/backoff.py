"""How long to wait before trying again: growing, jittered, bounded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Final

# Of clients with one deadline, all would meet in the last moment before it, so that one is left out.
LAST_S: Final = 0.5
# One that asks later than that before its deadline gives up on an answer that is on its way.
ANSWER_S: Final = 0.2


def delays_s(
    random: Callable[[], float], *, attempts: int | None = None, first_s: float = 0.1, longest_s: float = 5.0
) -> Iterator[float]:
    """One wait before each further attempt, in seconds, without end if `attempts` is None.

    `random` returns numbers from 0 to 1.

    Each wait is drawn from the whole span up to a limit that doubles, so that clients that failed together do not
    come back together ("full jitter").
    """
    limit = first_s
    for _ in count() if attempts is None else range(attempts - 1):
        yield limit * random()
        limit = min(limit * 2, longest_s)


def delays_until_s(
    deadline: float,
    random: Callable[[], float],
    *,
    longest_s: float = 5.0,
    now: Callable[[], float] = time.monotonic,
) -> Iterator[float]:
    """As `delays_s`, as many as there is time for until `deadline` (in seconds of `now`).

    For one that was told to come again later: each wait leaves `ANSWER_S` at least, and what does not fit is drawn anew
    from what is left, until less than `LAST_S` is.
    """
    for delay in delays_s(random, longest_s=longest_s):
        left = deadline - now()
        if left < LAST_S:
            return
        half = left / 2
        yield delay if delay < left - ANSWER_S else half + (half - ANSWER_S) * random()
