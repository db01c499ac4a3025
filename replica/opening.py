"""Open a replica: put together the driver of its mode, its schema and its identity.

Heavy imports (the HTTP client) are paid for only by the modes and calls that need them.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from replica.address import http_url
from replica.bearer import NOBODY, Bearer
from replica.conflict_row import ConflictRow
from replica.errors import InputError
from replica.identity import IdSource, machine_id, new_session_id
from replica.migrate import our_migrations
from replica.records import Record
from replica.replica import Replica
from replica.schema import Schema, Table, build_schema, load_migrations
from replica.settings import Mode, Settings, check_mode
from replica.stamps import stamp_at

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from replica.drivers.embedded import Embedded
    from replica.primary import Primary
    from replica.report import Salvaged
    from replica.sync import Sync


def open_replica(  # noqa: PLR0913 - what a program says once, by name
    directory: Path,
    *,
    records: Sequence[type[Record]],
    migrations: Path | Traversable,
    mode: str = "local",
    url: str | None = None,
    token: Callable[[], str | None] | None = None,
    renew: Callable[[str], str | None] | None = None,
    session: str | None = None,
    machine: str | None = None,
    clock: Callable[[], float] = time.time,
    ca_file: Path | None = None,
    namespace: str | None = None,
) -> Replica:
    """Open, and create if need be, the replica in a directory.

    Never touches the network, but in mode `remote`.

    Args:
        directory: where the files of this replica are; made if need be, readable by its owner only.
        records: one class for each table of the application.
        migrations: the folder of `0001_name.sql`, `0002_name.sql` …
        mode: `local`, `libsql`, `turso` or `remote` (DESIGN 12).
        url: of the primary; not for mode `local`.
        token: asked whenever a token is needed; None, or returning None, for a primary without one.
        renew: asked for another token, with the one that the primary has just answered 401 to, which is then tried
            once; None, or returning None, where there is no other.
        session: under which changes are made; a new one by default.
        machine: 8 characters that tell this machine from others; derived from the OS machine id by default.
        clock: seconds since 1970.
        ca_file: with the certificates (PEM) of the only authorities that are believed about who the primary is; those
            of Mozilla by default.
        namespace: which database of an sqld that serves several, spoken to directly; mode `remote` only. Behind a
            gateway it is the token that says it.

    Raises:
        InputError: an unknown mode, or a URL that is none.
        SchemaMismatchError: a record and its table differ; names the column.
        DamagedError: a file in the directory is not ours, or of a newer make.
        StorageError: the directory cannot be written, or the disk is full.
        UnreachableError: mode `remote` only.
        NotAllowedError: mode `remote` only.
    """
    known_mode = check_mode(mode, url)
    machine = machine or machine_id()
    if namespace is not None and known_mode is not Mode.REMOTE:
        raise InputError(f"mode {known_mode} takes no namespace", "give the URL of a gateway, and a token")
    bearer = NOBODY if token is None else Bearer(token, renew)
    settings = Settings(
        Path(directory), known_mode, url, bearer, session or new_session_id(machine), machine, clock,
        None if ca_file is None else Path(ca_file).absolute(), namespace,
    )  # fmt: skip
    schema = build_schema(load_migrations(migrations), records)
    ours = build_schema(our_migrations(), [ConflictRow])
    schema = Schema(schema.migrations, (*schema.records, ConflictRow), schema.tables)
    all_tables = {**schema.tables, **ours.tables}
    tables = {record.replica_table: all_tables[record.replica_table] for record in schema.records}
    return _assemble(settings, schema, tables)


def salvage_outbox(directory: Path, *, clock: Callable[[], float] = time.time) -> Salvaged:
    """Take what can be read out of a damaged `local.db`, for `Recovery.import_pending`, and put it out of the way.

    directory: of a replica that nobody has open. clock: seconds since 1970. The next `open_replica` makes a new file.
    Raises NotFoundError without a `local.db`, BusyError while a sync runs, StorageError.
    """
    from replica.salvage import salvage_file  # noqa: PLC0415 - only disasters pay for it

    return salvage_file(Path(directory), at=stamp_at(clock()))


def make_way(directory: Path, url: str, *, clock: Callable[[], float] = time.time) -> None:
    """Call this before a replica is opened in the directory of a local file, to move that to the primary at `url`.

    What lies where the files of the replica will is put away, but not what an earlier move to the same primary made.
    Raises BusyError, StorageError.
    """
    from replica.moving.files import make_way  # noqa: PLC0415 - only moves pay for it

    make_way(Path(directory), url, at=stamp_at(clock()))


def put_away(directory: Path, *, mode: str, clock: Callable[[], float] = time.time) -> Path | None:
    """Call this once a move is done and the replica is closed, to give what was moved another name, and keep it.

    mode: the one that the directory is used in now.
    Returns where it is now; None where there is nothing, or where another process has it open: a later call does it.
    """
    from replica.moving.files import put_away  # noqa: PLC0415 - see above

    return put_away(Path(directory), is_local=mode == Mode.LOCAL, at=stamp_at(clock()))


def call_off_move(directory: Path, *, mode: str) -> bool:
    """Let the database of this mode take writes again, which a move froze and did not finish. Returns whether it was.

    A move that is called off leaves on the primary what it has sent; another one there finds it.
    """
    from replica.moving.files import thaw  # noqa: PLC0415 - see above

    return thaw(Path(directory), is_local=mode == Mode.LOCAL)


def _assemble(settings: Settings, schema: Schema, tables: dict[str, Table]) -> Replica:
    if settings.mode is Mode.LOCAL:
        from replica.drivers.local_file import LocalFile  # noqa: PLC0415 - each mode pays for its own imports

        file = LocalFile(
            settings.directory,
            Schema(schema.migrations, schema.records, tables),
            session=settings.session,
            at=stamp_at(settings.clock()),
        )
        return Replica(settings, file, schema, tables)
    http_url(settings.url or "")
    if settings.mode is Mode.REMOTE:
        from replica.drivers.remote import Remote  # noqa: PLC0415 - see above

        primary = _primary(settings, schema, tables)
        try:
            remote = Remote(primary, schema, tables, session=settings.session, now=lambda: stamp_at(settings.clock()))
        except BaseException:
            primary.close()
            raise
        return Replica(settings, remote, schema, tables)
    return _embedded(settings, schema, tables)


def _embedded(settings: Settings, schema: Schema, tables: dict[str, Table]) -> Replica:
    from replica.drivers.embedded import Embedded  # noqa: PLC0415 - each mode pays for its own imports

    made: list[Sync] = []

    def sync() -> Sync:
        if not made:
            made.append(_sync(store, settings, schema, tables))
        return made[0]

    def close() -> None:
        for one in made:
            one.close()

    store = Embedded(settings.directory, schema, tables, online=lambda mutation: sync().send_online(mutation))
    return Replica(settings, store, schema, tables, sync, close)


def _sync(store: Embedded, settings: Settings, schema: Schema, tables: dict[str, Table]) -> Sync:
    from replica.delivery import Surroundings  # noqa: PLC0415 - brings the HTTP client
    from replica.sync import Sync  # noqa: PLC0415 - see above

    around = Surroundings(
        http_url(settings.url or ""), settings.bearer, settings.session, lambda: stamp_at(settings.clock()),
        random.random, IdSource(settings.clock).new_uuid7, ca_file=settings.ca_file,
    )  # fmt: skip
    return Sync(store, _primary(settings, schema, tables), schema, around)


def _primary(settings: Settings, schema: Schema, tables: dict[str, Table]) -> Primary:
    from replica.hrana import Hrana  # noqa: PLC0415 - brings the HTTP client
    from replica.primary import Primary  # noqa: PLC0415 - see above

    hrana = Hrana(settings.url or "", settings.bearer, namespace=settings.namespace, ca_file=settings.ca_file)
    return Primary(hrana, schema, tables)
