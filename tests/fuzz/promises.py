"""All promises, by name."""

from typing import Any, Final

from tests.fuzz import answers, files, lines, syncs, writes
from tests.fuzz.promise import Promise

PROMISES: Final[list[Promise[Any]]] = [  # each has inputs of a type of its own
    promise
    for module in (answers, files, lines, syncs, writes)
    for promise in vars(module).values()
    if isinstance(promise, Promise)
]
