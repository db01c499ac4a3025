"""What a client tells of its writes, at the one place where a write becomes true.

Always true: what a mutation holds is told before its commit begins, and that it is kept only after the commit returned;
so what a killed client had told last says whether its write counts, does not count, or may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from replica.drivers.buffered import BufferedWork
from replica.drivers.queued import QueuedWork
from replica.errors import ReplicaError
from replica.mutation import Change, Mutation

Json = Any  # a JSON document of our own making
Tell = Callable[[Json], None]


def told_change(change: Change) -> Json:
    """A change as it stands in the history of a run."""
    fields = {name: [before, new] for name, (before, new) in change.fields.items()}
    return [change.table, change.row_id, change.kind.value, change.seen, change.stamp, fields, None, change.yields]


def _told(mutation: Mutation, how: str) -> Json:
    return {
        "tell": "intent",
        "mutation": mutation.id,
        "how": how,
        "made_at": mutation.made_at,
        "schema": mutation.schema_version,
        "changes": [told_change(change) for change in mutation.changes],
    }


def _wrap(work: type[QueuedWork | BufferedWork], how: str, tell: Tell) -> Callable[[], None]:
    inner = work.commit

    def commit(self: Any, mutation: Mutation) -> None:  # either kind of work
        tell(_told(mutation, how))
        try:
            inner(self, mutation)
        except ReplicaError as error:
            tell({"tell": "refused", "mutation": mutation.id, "error": type(error).__name__})
            raise
        tell({"tell": "kept", "mutation": mutation.id})

    def unwrap() -> None:
        work.commit = inner  # type: ignore[method-assign] # put back what was there

    work.commit = commit  # type: ignore[method-assign] # for as long as the journal is kept
    return unwrap


@contextmanager
def journal(tell: Tell) -> Iterator[None]:
    """Tell of every commit of this process while the block runs."""
    unwraps = [_wrap(QueuedWork, "queued", tell), _wrap(BufferedWork, "online", tell)]
    try:
        yield
    finally:
        for unwrap in unwraps:
            unwrap()
