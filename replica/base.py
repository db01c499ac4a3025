"""The base as a sync deals with it: how far it has come, whether it is still of this primary, fetching it, dropping it.

Always true:
- a base that is only outdated stays readable until a fresh one is whole;
- whatever replaces a base, what only the old one knew is noted as lost.
"""

from __future__ import annotations

from collections.abc import Iterator

from replica import lost, overlay
from replica.delivery import Surroundings
from replica.drivers.embedded import Embedded, Trust
from replica.errors import DamagedError, PrimaryError
from replica.history import HISTORY
from replica.primary import NO_TAIL, Greeting, Primary, Tail
from replica.pull import frame_number, pull, set_aside
from replica.sqlite_file import storage_errors


class Base:
    """The base of one replica."""

    def __init__(self, store: Embedded, primary: Primary, around: Surroundings) -> None:
        self._store, self._primary, self._around = store, primary, around

    def tail(self) -> Tail:
        """The newest change that the base holds."""
        connection = self._store.connection()
        if HISTORY not in self._store.attached().base_tables:
            return NO_TAIL
        row = connection.execute(f"SELECT seq, salt FROM {overlay.BASE}.{HISTORY} ORDER BY seq DESC LIMIT 1").fetchone()
        return Tail(int(row[0]), int(row[1])) if row else NO_TAIL

    def is_of_another_past(self, greeting: Greeting) -> bool:
        """Whether the primary was restored from an older copy, or replaced, since the base was fetched."""
        frame = frame_number(self._store.directory)
        is_ahead = frame is not None and greeting.replication_index is not None and frame > greeting.replication_index
        return not greeting.knows_our_tail or is_ahead

    def outdate(self) -> int:
        """Have a fresh base fetched; this one stays until then, and what waits here stays as it is.

        Returns how many mutations the primary lost, as far as this base knows.
        """
        found = self._note_lost()
        self._store.distrust_base(Trust.OUTDATED)
        return found

    def drop(self) -> None:
        """Put a base that cannot be read out of the way at once."""
        self._store.attached().detach()
        with storage_errors(self._store.path):
            set_aside(self._store.directory)
        self._store.distrust_base(Trust.WHOLE)

    def _note_lost(self) -> int:
        if HISTORY not in self._store.attached().base_tables:
            return 0
        # The primary is asked outside of the transaction, so that nobody waits for the network to write.
        lost.gather_gone(self._store.connection(), self._gone())
        with self._store.writing() as connection:
            return lost.note_gone(connection, overlay.BASE)

    def _gone(self) -> Iterator[list[str]]:
        """What the base holds and the primary does not, newest first, until all of a thousand are known there."""
        rows = self._store.connection().execute(
            f"SELECT mutation FROM {overlay.BASE}.{HISTORY} GROUP BY mutation ORDER BY max(seq) DESC"
        )
        while chunk := [str(row[0]) for row in rows.fetchmany(1000)]:
            known = self._primary.known(chunk)
            if len(known) == len(chunk):
                return
            yield [mutation for mutation in chunk if mutation not in known]

    def pull(self, deadline: float, lock_file: int, *, is_fresh: bool) -> bool:
        """Bring the base up to the primary. Returns whether it is a whole new copy."""
        is_new = is_fresh or frame_number(self._store.directory) is None
        try:
            self._fetch(deadline, lock_file, is_fresh=is_fresh)
        except DamagedError:
            # The client library cannot go on with it; SQLite can, as a rule, until a fresh one is there.
            self._store.distrust_base(Trust.OUTDATED)
            try:
                self._fetch(deadline, lock_file, is_fresh=True)
            except DamagedError as error:
                # A copy made from nothing tells nothing about the base that is here.
                raise PrimaryError("what the primary sends for a copy is damaged", "look at the primary") from error
            is_fresh = is_new = True
        if is_fresh:
            self._store.distrust_base(Trust.WHOLE)
        self._store.connection()
        self._store.attached().refresh_schema()
        return is_new

    def _fetch(self, deadline: float, lock_file: int, *, is_fresh: bool) -> None:
        pull(
            self._store.directory,
            self._around.url,
            self._around.token(),
            deadline=deadline,
            lock_file=lock_file,
            sleep=self._around.sleep,
            is_fresh=is_fresh,
        )
