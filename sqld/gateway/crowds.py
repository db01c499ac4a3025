"""How many may be at something at once, for each of many names: who comes when it is full is told to come again.

What is done to the database of a tenant takes as long as that tenant makes it take, and the gateway has only so many
threads for all of them.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from sqld.gateway.refusals import RefusedError

_RETRY_S = 1


class Crowds:
    """most: how many of one name."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._there: Counter[str] = Counter()
        self._turn = threading.Lock()

    @contextmanager
    def among(self, name: str) -> Iterator[None]:
        """Be one of those of that name while the block runs. Raises RefusedError where there are enough."""
        with self._turn:
            if self._there[name] >= self._most:
                raise RefusedError("unavailable", retry_after_s=_RETRY_S)
            self._there[name] += 1
        try:
            yield
        finally:
            with self._turn:
                self._there[name] -= 1
                if not self._there[name]:
                    del self._there[name]
