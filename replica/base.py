"""The base as a sync deals with it: how far it has come, whether it is still of this primary, fetching it, dropping it.

Always true:
- a base that is only outdated stays readable until a fresh one is whole;
- whatever replaces a base, what only the old one knew is noted as lost, unless the primary may have pruned it.
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
        connection = self._store.connection()
        sent = lost.sent_and_held(connection, overlay.BASE)
        # Asked first: of what is gone at this time already, all that was lost is gathered next.
        missing = set(sent) - self._primary.known(sent)
        lost.gather_gone(connection, self._gone())
        with self._store.writing() as connection:
            found = lost.note_gone(connection, overlay.BASE)
            lost.forget_pruned(connection, missing)
            return found

    def _gone(self) -> Iterator[list[str]]:
        """What the base holds and the primary lost, newest first, back to the newest change that both have.

        History only grows at its end, so the primary had all that is older than that one: what lacks of it was pruned.
        Of the rest, what is older than history is kept, by the clock of the primary that received it, may be lost or
        pruned, and nobody can tell; it is left out, because what was pruned would be applied twice if sent again.
        """
        rows = self._store.connection().execute(
            f"SELECT seq, salt, mutation, received_at FROM {overlay.BASE}.{HISTORY} ORDER BY seq DESC"
        )
        while chunk := [(Tail(int(row[0]), int(row[1])), str(row[2]), int(row[3])) for row in rows.fetchmany(1000)]:
            shared = self._primary.newest_shared([tail for tail, _, _ in chunk])
            apart = {mutation: at for tail, mutation, at in reversed(chunk) if tail.seq > shared}
            known = self._primary.known(list(apart))
            # Asked last: what was pruned before the other answers is older than this.
            kept_since = self._primary.kept_since()
            yield [mutation for mutation, at in apart.items() if mutation not in known and at >= kept_since]
            if shared:
                return

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
        self._around.bearer.used(
            lambda token: pull(
                self._store.directory,
                self._around.url,
                token,
                deadline=deadline,
                lock_file=lock_file,
                sleep=self._around.sleep,
                is_fresh=is_fresh,
                ca_file=self._around.ca_file,
            )
        )
