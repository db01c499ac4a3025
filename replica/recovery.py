"""Recovery: what a person does after the primary went back in time, or a file was damaged.

Always true: nothing here lets go of a mutation unless it was told to.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from replica import lost, outbox, overlay
from replica.drivers.embedded import Embedded
from replica.drivers.protocol import Driver
from replica.errors import InputError
from replica.history import HISTORY
from replica.mutation import Mutation
from replica.rebase import keys_of
from replica.repair import repair
from replica.report import Check
from replica.salvage import load_pending

if TYPE_CHECKING:
    from replica.sync import Sync


class Recovery:
    """The ways back, of one replica; made by `Replica.recovery`."""

    def __init__(self, driver: Driver, sync: Callable[[], Sync] | None, now: Callable[[], str]) -> None:
        self._driver, self._sync, self._now = driver, sync, now

    def repair(self, *, full: bool = False, deadline_s: float = 600.0) -> list[Check]:
        """Mend what can be mended, and compare the replica with its primary; pending changes are not touched.

        full: compare every row, with a hash of each table, not a sample. deadline_s: seconds for each sync it takes.
        Returns one check for each step and each table. Raises InputError in the modes without a replica, DamagedError
        where `local.db` itself is damaged: then `salvage_outbox` is what helps, with the replica closed.
        """
        if not isinstance(self._driver, Embedded) or self._sync is None:
            raise InputError("there is no replica to repair in this mode", "nothing was touched")
        return repair(self._driver, self._sync(), at=self._now(), full=full, deadline_s=deadline_s)

    def lost(self) -> list[Mutation]:
        """What the primary had acknowledged and lost, as far as it is known here, in the order in which it had it."""
        if not isinstance(self._driver, Embedded):
            return []
        with self._driver.looking(with_base=True) as connection:
            return lost.load(connection)

    def resend_lost(self) -> list[Mutation]:
        """Queue what the primary lost, before all that waits, under the same ids, for the next sync. Returns it."""
        return self._take_out(send=True)

    def forget_lost(self) -> list[Mutation]:
        """Let go of what the primary lost. Returns it."""
        return self._take_out(send=False)

    def import_pending(self, path: Path) -> list[Mutation]:
        """Take back what `salvage` wrote to a file, before all that waits here. Returns what was not here already.

        Raises InputError for another file, or one of a replica that belongs to another primary.
        """
        if not isinstance(self._driver, Embedded):
            raise InputError("there is no outbox in this mode", "import into a replica of a primary")
        pending, store = load_pending(path), self._driver
        if pending.primary and store.primary_id() not in ("", pending.primary):
            raise InputError(f"{path} is of a replica of another primary", "import it where it was salvaged")
        with store.writing() as connection:
            known = self._known(connection)
            missing = [mutation for mutation in pending.mutations if mutation.id not in known]
            outbox.put_first(connection, missing)
            lost.note(connection, (mutation for mutation in pending.lost if mutation.id not in known))
            touched = {key for mutation in missing for key in keys_of(mutation)}
            overlay.rebuild(connection, store.tables, store.attached().base_tables, touched)
        if pending.primary:
            store.belong_to(pending.primary)
        return missing

    def _known(self, connection: sqlite3.Connection) -> set[str]:
        sql = "SELECT id FROM mutations"
        if isinstance(self._driver, Embedded) and HISTORY in self._driver.attached().base_tables:
            sql += f" UNION SELECT mutation FROM {overlay.BASE}.{HISTORY}"
        return {str(row[0]) for row in connection.execute(sql)}

    def _take_out(self, *, send: bool) -> list[Mutation]:
        if not isinstance(self._driver, Embedded):
            return []
        with self._driver.writing() as connection:
            mutations = lost.take_out(connection)
            if send:
                outbox.put_first(connection, mutations)
                touched = {key for mutation in mutations for key in keys_of(mutation)}
                base = self._driver.attached().base_tables
                overlay.rebuild(connection, self._driver.tables, base, touched)
        return mutations
