"""Checks: look at every part of a replica, change nothing, and say what to do."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from replica import outbox
from replica.address import http_url
from replica.drivers.embedded import Embedded
from replica.drivers.protocol import Driver
from replica.errors import OtherPrimaryError, ReplicaError
from replica.migrate import READ_APPLIED, Applied, applied_from, plan_migrations, version_of
from replica.pull import base_path, frame_number
from replica.report import Check
from replica.schema import Schema
from replica.settings import Mode, Settings
from replica.sync_lock import is_locked

_OF_LOCAL_DB: Final = "keep a copy of the directory; then `salvage_outbox` takes out what was pending"


def run_checks(settings: Settings, driver: Driver, schema: Schema) -> list[Check]:
    """All checks that fit the mode, in the order a person would look."""
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, schema {schema.version}"
    checks = [Check("versions", ok=True, detail=versions)]
    if isinstance(driver, Embedded):
        checks += [
            _file("local.db", driver.path, hint=_OF_LOCAL_DB),
            _base(settings.directory),
            _outbox(driver),
            _lock(settings.directory),
        ]
    elif settings.mode is Mode.LOCAL:
        checks += [_file("data.db", settings.directory / "data.db"), _local_schema(driver, schema)]
    if settings.mode is not Mode.LOCAL:
        checks += list(_primary(settings, schema, driver))
    return checks


def _schema(applied: Applied, schema: Schema, where: str) -> Check:
    try:
        steps = plan_migrations(schema, applied)
    except ReplicaError as error:
        return Check("schema", ok=False, detail=str(error), hint=error.hint)
    if steps:
        return Check(
            "schema", ok=True, detail=f"{where} {version_of(applied)}; the next sync brings it to {schema.version}"
        )
    return Check("schema", ok=True, detail=f"{where} {schema.version}, as here")


def _local_schema(driver: Driver, schema: Schema) -> Check:
    return _schema(applied_from(driver.read(READ_APPLIED).rows), schema, "data.db has")


def _file(name: str, path: Path, *, hint: str = "keep a copy of the directory before anything else") -> Check:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        verdict = str(error)
    return Check(name, verdict == "ok", verdict, "" if verdict == "ok" else hint)


def _base(directory: Path) -> Check:
    if not base_path(directory).exists():
        return Check(
            "replica.db",
            ok=False,
            detail="not fetched yet",
            hint="run `sync` once the primary can be reached; nothing is lost",
        )
    check = _file("replica.db", base_path(directory))
    if check.ok:
        return Check("replica.db", ok=True, detail=f"ok, frame {frame_number(directory)}")
    return Check(
        "replica.db",
        ok=False,
        detail=check.detail,
        hint="run `sync`: it sets the copy aside and fetches it anew; pending changes are safe",
    )


def _outbox(driver: Embedded) -> Check:
    with suppress(ReplicaError):
        with driver.looking() as connection:
            waiting = outbox.count_queued(connection)
        return Check("outbox", ok=True, detail=f"{waiting} pending")
    return Check("outbox", ok=False, detail="cannot be read", hint=_OF_LOCAL_DB)


def _lock(directory: Path) -> Check:
    if is_locked(directory):
        return Check("sync.lock", ok=True, detail="a sync is running")
    return Check("sync.lock", ok=True, detail="free")


def _primary(settings: Settings, schema: Schema, driver: Driver) -> Iterator[Check]:
    from replica.hrana import Hrana  # noqa: PLC0415 - only a check of the primary pays for the HTTP client
    from replica.primary import Primary  # noqa: PLC0415 - see above

    address = http_url(settings.url or "")
    try:
        with closing(
            Primary(Hrana(address, settings.bearer, timeout_s=5.0, ca_file=settings.ca_file), schema, schema.tables)
        ) as primary:
            greeting = primary.greet()
    except ReplicaError as error:
        yield Check("primary", ok=False, detail=str(error), hint=error.hint)
        return
    if isinstance(driver, Embedded):
        known = driver.primary_id()
        if known not in ("", greeting.id):
            other = OtherPrimaryError(address, is_new=not greeting.id)
            yield Check("primary", ok=False, detail=str(other), hint=other.hint)
            return
    yield Check("primary", ok=True, detail=f"{address} answers")
    yield _schema(greeting.applied, schema, "the primary has")
    frame, index = (
        frame_number(settings.directory) if isinstance(driver, Embedded) else None,
        greeting.replication_index,
    )
    if frame is None or index is None:
        return
    if frame > index:
        yield Check(
            "frame number",
            ok=False,
            detail=f"ours is {frame}, the primary's {index}: it was restored from an older copy",
            hint="run `sync`: the base is fetched anew",
        )
    else:
        yield Check("frame number", ok=True, detail=f"{frame} of {index}")
