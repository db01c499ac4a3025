"""One at a time, for each of many names: what must not be done twice at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """The locks that somebody holds or waits for; of a name that nobody wants, nothing is kept."""

    def __init__(self) -> None:
        self._locks: dict[tuple[str, ...], tuple[threading.Lock, int]] = {}
        self._turn = threading.Lock()

    @contextmanager
    def turn(self, *name: str) -> Iterator[None]:
        """Wait until nobody else is in such a block with this name."""
        with self._turn:
            lock, waiting = self._locks.get(name, (threading.Lock(), 0))
            self._locks[name] = (lock, waiting + 1)
        try:
            with lock:
                yield
        finally:
            with self._turn:
                lock, waiting = self._locks.pop(name)
                if waiting > 1:
                    self._locks[name] = (lock, waiting - 1)
