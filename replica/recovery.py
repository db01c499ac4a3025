"""Recovery: what a person does after the primary went back in time, or a file was damaged.

Always true: nothing here lets go of a mutation unless it was told to.
"""

from __future__ import annotations

from replica import lost, outbox, overlay
from replica.drivers.embedded import Embedded
from replica.drivers.protocol import Driver
from replica.mutation import Mutation
from replica.rebase import keys_of


class Recovery:
    """The ways back, of one replica; made by `Replica.recovery`."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def lost(self) -> list[Mutation]:
        """What the primary had acknowledged and lost, as far as it is known here, in the order in which it had it."""
        return lost.load(self._driver.connection()) if isinstance(self._driver, Embedded) else []

    def resend_lost(self) -> list[Mutation]:
        """Queue what the primary lost, before all that waits, under the same ids, for the next sync. Returns it."""
        return self._take_out(send=True)

    def forget_lost(self) -> list[Mutation]:
        """Let go of what the primary lost. Returns it."""
        return self._take_out(send=False)

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
