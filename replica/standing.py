"""How a replica stands, from what is on disk alone: nothing is asked, changed or waited for."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

from replica import lost, outbox
from replica.conflict_row import OPEN
from replica.drivers.embedded import Embedded, Trust
from replica.drivers.protocol import Driver
from replica.errors import DamagedBaseError, DamagedError
from replica.pull import frame_number
from replica.report import Status
from replica.schema import Schema
from replica.settings import Settings
from replica.sync_lock import is_locked


def standing(settings: Settings, driver: Driver, schema: Schema) -> Status:
    """How the replica of a driver stands."""
    conflicts = 0
    with suppress(DamagedError):
        rows = driver.read("SELECT count(*) FROM _replica_conflicts WHERE state = ?", (OPEN,)).rows
        conflicts = int(str(rows[0][0]))
    if not isinstance(driver, Embedded):
        return Status(
            settings.mode, settings.url, "local" if settings.mode == "local" else "idle", 0, conflicts, 0,
            None, None, None, None, None, schema.version, settings.directory,
        )  # fmt: skip
    with driver.looking() as connection:
        return _standing(settings, driver, schema, connection, conflicts)


def _standing(
    settings: Settings, driver: Embedded, schema: Schema, connection: sqlite3.Connection, conflicts: int
) -> Status:
    facts = {
        name: outbox.read_fact(connection, name) or None for name in ("last_sync_at", "last_error", "offline_since")
    }
    state = _state(settings, driver, facts)
    waits = str(DamagedBaseError()) if state == "damaged" else facts["last_error"]
    return Status(
        settings.mode, settings.url, state,
        outbox.count_queued(connection), conflicts, lost.count(connection),
        facts["last_sync_at"], facts["last_error"], waits, facts["offline_since"],
        frame_number(settings.directory), driver.attached().base_version or schema.version, settings.directory,
    )  # fmt: skip


def _state(settings: Settings, driver: Embedded, facts: dict[str, str | None]) -> str:
    if is_locked(settings.directory):
        return "syncing"
    if driver.trust() is Trust.DAMAGED:
        return "damaged"
    return "offline" if facts["offline_since"] else "waiting" if facts["last_error"] else "idle"
