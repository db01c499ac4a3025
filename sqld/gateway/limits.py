"""How many requests a token may make: a bucket for each that fills steadily and is emptied by requests.

Always true: what one token does takes nothing from another; and of tokens that rest nothing is kept.
"""

import math
import threading
from dataclasses import dataclass

from sqld.gateway.refusals import RefusedError

_BUCKETS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """limit: requests a minute. remaining: how many more at once. reset_s: seconds until that is the limit again."""

    limit: int
    remaining: int
    reset_s: int

    def headers(self) -> dict[str, str]:
        """As the headers `X-RateLimit-*` say it."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset_s),
        }


class OverLimitError(RefusedError):
    """The bucket is empty."""

    def __init__(self, allowance: Allowance, retry_after_s: int) -> None:
        super().__init__("rate_limited", retry_after_s=retry_after_s)
        self.allowance = allowance


class Limits:
    """The buckets of all tokens. per_minute: how much a bucket holds, and by how much it fills in a minute."""

    def __init__(self, per_minute: int) -> None:
        assert per_minute > 0, "a limit lets something through"
        self.per_minute = per_minute
        self._rate = per_minute / 60
        self._levels: dict[str, tuple[float, float]] = {}
        self._turn = threading.Lock()

    def take(self, token_id: str, now: float) -> Allowance:
        """One request of a token at `now` (seconds that never go back). Raises OverLimitError, and takes nothing."""
        with self._turn:
            if len(self._levels) >= _BUCKETS_MAX:
                self._forget_full(now)
            level = self._level(token_id, now)
            if level < 1:
                raise OverLimitError(self._allowance(level), math.ceil((1 - level) / self._rate))
            self._levels[token_id] = (level - 1, now)
            return self._allowance(level - 1)

    def _level(self, token_id: str, now: float) -> float:
        level, at = self._levels.get(token_id, (float(self.per_minute), now))
        return min(float(self.per_minute), level + (now - at) * self._rate)

    def _allowance(self, level: float) -> Allowance:
        return Allowance(self.per_minute, int(level), math.ceil((self.per_minute - level) / self._rate))

    def _forget_full(self, now: float) -> None:
        self._levels = {
            token_id: kept for token_id, kept in self._levels.items() if self._level(token_id, now) < self.per_minute
        }
