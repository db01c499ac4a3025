"""Moving from one mode to another: take in all of a file, or write all out to one, and only then switch.

Always true:
- nothing is switched before what arrived was held against what was there, by counts and hashes;
- nobody writes what is moved while it is moved, and what was moved refuses writes before anything is switched;
- killed at any moment, the same move goes on from what is on both sides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from replica.drivers.embedded import LOCAL_FILE, Embedded
from replica.drivers.local_file import FILE_NAME
from replica.drivers.protocol import Driver
from replica.errors import InputError, NotAllowedError, UnreachableError, UntrustedError
from replica.moving.bring_in import bring_in
from replica.moving.files import (
    copied,
    copy_path,
    freeze_file,
    freeze_replica,
    held,
    note_purpose,
    put_file_away,
    remove_copy,
    source_file,
)
from replica.moving.write_out import check_whole, write_out
from replica.mutation import Mutation
from replica.report import MoveReport, Show
from replica.schema import Schema, Table
from replica.settings import Settings
from replica.stamps import stamp_at
from replica.sync_lock import sync_lock

if TYPE_CHECKING:
    from replica.sync import Sync

_LOCK_WAIT_S: Final = 10.0
_LAST_SYNC_S: Final = 600.0


class Moving:
    """What moves a replica; made by `Replica.moving`."""

    def __init__(
        self,
        settings: Settings,
        driver: Driver,
        sync: Callable[[], Sync] | None,
        schema: Schema,
        tables: Mapping[str, Table],
    ) -> None:
        self._settings, self._driver, self._sync = settings, driver, sync
        self._schema, self._tables = schema, tables

    def take_in(self, source: Path, *, switch: Callable[[], None], show: Show) -> MoveReport:
        """Bring all of a local file, or of another replica, to the primary and into this replica.

        Args:
            source: a `data.db`, or the directory of one or of a replica. The one in this replica's own directory, which
                this replica is to take the place of, is frozen in the end; any other stays as it is.
            switch: called once all of it is there, has been compared, and is frozen.
            show: told how far it is.

        Raises:
            InputError: there is no such file, or this replica has no primary.
            ForeignFileError: it is of another program.
            BusyError: another process writes it for too long.
            MoveMismatchError: what arrived is not what was there. Nothing was switched.
            ReplicaError: as a sync would report it. Nothing was switched; called again, it goes on.
        """
        store, sync = self._replica()
        file = source_file(Path(source))
        with store.writing(with_base=False) as connection:
            note_purpose(connection, self._url)
        if file.resolve() == (store.directory / FILE_NAME).resolve():
            with held(file, self._schema, session=self._settings.session, at=self._now()) as connection:
                moved = self._bring(store, sync, file, show)
                freeze_file(connection, f"what is here was moved to {self._url}")
        else:
            with self._copy(file, store.directory, show) as copy:
                moved = self._bring(store, sync, copy, show)
        switch()
        with store.writing(with_base=False) as connection:
            note_purpose(connection, "")
        return moved

    def _bring(self, store: Embedded, sync: Sync, file: Path, show: Show) -> MoveReport:
        author = (self._settings.session, self._settings.machine, self._schema.version)
        try:
            return bring_in(store, sync, file, author=author, show=show)
        except UntrustedError as error:
            error.hint = f"nothing was switched, and what is here is as it was; {error.hint}"
            raise
        except UnreachableError as error:
            # What it says is safe is so once everything is here.
            error.hint = "nothing was switched, and what is here is as it was; the same move goes on where it stopped"
            raise

    @contextmanager
    def _copy(self, file: Path, directory: Path, show: Show) -> Iterator[Path]:
        if file.name != LOCAL_FILE:
            with copied(file, directory, self._schema, session=self._settings.session, at=self._now()) as copy:
                yield copy
            return
        other = Embedded(file.parent, self._schema, self._tables, online=_refuse)
        try:
            with closing(other), sync_lock(file.parent, wait_s=_LOCK_WAIT_S, sleep=time.sleep):
                check_whole(other)
                write_out(
                    other, self._schema, copy_path(directory), session=self._settings.session, at=self._now(), show=show
                )
            yield copy_path(directory)
        finally:
            remove_copy(directory)

    def write_out(self, *, switch: Callable[[], None], show: Show) -> MoveReport:
        """Write all of this replica to a `data.db` in its directory, for mode `local`, after a last sync.

        What is pending is in it, open conflicts too. Without the primary it is done all the same, from what is here;
        `without_primary` of the result says so. The replica takes no more writes then; close it, and `put_away` it.

        Args:
            switch: called once the file is whole, has been compared, and the replica is frozen.
            show: told how far it is.

        Raises:
            InputError: the copy of the primary is missing, or the primary lost changes that are kept here alone.
            SchemaTooNewError: a newer program made it.
            MoveMismatchError: what was written is not what is here. Nothing was switched.
            ReplicaError: as a sync would report it, but for a primary that cannot be reached or refuses the token.
        """
        store, sync = self._replica()
        show("syncing", 0, 1)
        report = sync.run(deadline_s=_LAST_SYNC_S)
        if report.error is not None and not isinstance(report.error, UnreachableError | NotAllowedError):
            raise report.error
        with sync_lock(store.directory, wait_s=_LOCK_WAIT_S, sleep=time.sleep):
            check_whole(store)
            put_file_away(store.directory, at=self._now())
            tables = write_out(
                store,
                self._schema,
                store.directory / FILE_NAME,
                session=self._settings.session,
                at=self._now(),
                show=show,
                freeze=lambda connection: freeze_replica(connection, "what is here was moved to a file of its own"),
            )
        switch()
        return MoveReport(tables, report.merged, report.parked, report.error)

    def _replica(self) -> tuple[Embedded, Sync]:
        if not isinstance(self._driver, Embedded) or self._sync is None:
            raise InputError("only a replica of a primary can be moved to or from", "use mode libsql or turso")
        return self._driver, self._sync()

    @property
    def _url(self) -> str:
        return self._settings.url or ""

    def _now(self) -> str:
        return stamp_at(self._settings.clock())


def _refuse(_mutation: Mutation) -> None:
    raise InputError("a replica that is moved is only read")
