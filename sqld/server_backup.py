"""Back up and restore a whole server with tenants: their databases, and its directory.

A backup is that of the data directory, with a folder `server` in it:

```
BACKUP/manifest.json, dbs/, metastore/    as of any backup; td can restore the data alone from it
BACKUP/server/server.json, registry.db    what the server knows
BACKUP/server/secrets                     its vault, encrypted as it is; the key that opens it is not here
```

Always true:
- vault and registry are copied while nobody changes tenants, before the data: a key that the data know is in the vault;
- a restored server gets its name only when all of it is whole and its vault was opened;
- a token or API key that was revoked stays so, also when the backup is older.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from auth.vault import Vault
from sqld._durable import copy_and_hash, flush_all, write_whole
from sqld.backup import Backup, Progress, back_up, copy_database, file_copy, moment_of, silent
from sqld.data_dir import held, is_open_elsewhere
from sqld.errors import DataDirNotEmptyError, NotABackupError, RestoreError
from sqld.manifest import FileCopy, Manifest, read_manifest
from sqld.registry import Registry
from sqld.restore import copy_part, restore_backup, swap
from sqld.state import ADMIN_KEY, State, read_key
from sqld.state_errors import GatewayRunsError, StateBusyError, StateError
from sqld.tenant_errors import RegistryError

FOLDER: Final = Path("server")
LAST: Final = "last-backup.json"
_LOCK_WAIT_S: Final = 10.0


class LastBackup(BaseModel):
    """The last backup that came to its end. folder: where it was put. made_at: UTC."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    folder: Path
    made_at: str


@dataclass(frozen=True, slots=True)
class RestoredServer:
    """directory: of the server. set_aside: where what was there is now.

    revoked: how much stays revoked that was not yet in the backup; None if the old registry is unreadable.
    """

    directory: Path
    set_aside: Path | None
    manifest: Manifest
    revoked: int | None


def back_up_server(
    state: State,
    into: Path,
    *,
    binary: Path,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    progress: Progress = silent,
) -> Backup:
    """Write a copy of a server to a new folder in `into`, while it runs or not; the arguments are as of `back_up`.

    Raises:
        StateMissingError, StateError: nothing was set up there, or it cannot be read.
        StateBusyError: another process is changing tenants.
        SqldError: as `back_up`.
    """
    state.settings()
    made = back_up(
        state.data_dir,
        into,
        binary=binary,
        clock=clock,
        progress=progress,
        first=lambda folder: _copy_server(state, folder, progress),
    )
    last = LastBackup(folder=made.folder.resolve(), made_at=made.manifest.made_at)
    # The copy is whole, and where the disk of the server is full it is wanted most: `look` tells that it is not noted.
    with contextlib.suppress(OSError):
        _note(state, last)
    return made


def last_backup(state: State) -> LastBackup | None:
    """The last one that was made of this server; None where none was, or nothing is known of it."""
    try:
        return LastBackup.model_validate_json((state.directory / LAST).read_bytes())
    except (OSError, ValidationError):
        return None


def restore_server(
    backup: Path,
    state: State,
    vault_at: Callable[[State], Vault],
    *,
    binary: Path,
    replace: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    progress: Progress = silent,
) -> RestoredServer:
    """Make a server out of a backup, and put it in place.

    Args:
        backup: the folder that `back_up_server` wrote.
        state: where the server shall be; its parent must be on one file system with it.
        vault_at: opens the vault of a server; the restored one must open.
        binary: the sqld that tries the copies.
        replace: set aside what is there, and do not refuse.
        clock: gives the moment that is in the name of what is set aside.
        progress: is told how far it is.

    Raises:
        NotABackupError: it is none, or one of a data directory alone.
        DamagedBackupError: a file of it is not what it was.
        DataDirNotEmptyError: there is something in the place.
        DataDirInUseError, GatewayRunsError: the server there runs.
        AuthError, KeyMissingError: the vault of the backup does not open.
        SqldError: as `restore_backup`.
    """
    manifest = read_manifest(backup)
    if not manifest.server:
        raise NotABackupError(backup, "it holds a data directory alone; --data-dir says where that shall be")
    moment = moment_of(clock())
    directory = state.directory.absolute()
    fresh = State(directory.with_name(f"{directory.name}.restoring-{moment}"))
    with _place(state, replace=replace) as is_occupied:
        try:
            fresh.directory.mkdir(mode=0o700, parents=True)
            restore_backup(backup, fresh.data_dir, binary=binary, clock=clock, progress=progress)
            for part in manifest.server:
                copy_part(fresh.directory, backup, part, lambda _size: None)
            for path in (fresh.directory / FOLDER).iterdir():
                path.rename(fresh.directory / path.name)
            (fresh.directory / FOLDER).rmdir()
            fresh.settings()
            read_key(vault_at(fresh), ADMIN_KEY)
            revoked = _keep_revoked(state, fresh, now=int(clock().timestamp())) if is_occupied else 0
            # This one there is in any case; the server before may know of a later one.
            _note(fresh, last_backup(state) or LastBackup(folder=backup.resolve(), made_at=manifest.made_at))
            flush_all(fresh.directory)
            set_aside = directory.with_name(f"{directory.name}.replaced-{moment}") if is_occupied else None
            swap(fresh.directory, directory, set_aside)
        except OSError as error:
            raise RestoreError(directory, error.strerror or str(error)) from error
        finally:
            shutil.rmtree(fresh.directory, ignore_errors=True)
    return RestoredServer(directory, set_aside, manifest, revoked)


def _note(state: State, last: LastBackup) -> None:
    write_whole(state.directory / LAST, last.model_dump_json().encode())


def _copy_server(state: State, folder: Path, progress: Progress) -> list[FileCopy]:
    names = [path.name for path in (state.settings_path, state.vault_path, state.registry_path)]
    (folder / FOLDER).mkdir(mode=0o700)
    with _nobody_changes_tenants(state):
        for path in (state.settings_path, state.vault_path):
            copy_and_hash(path, folder / FOLDER / path.name, copied=lambda _size: None)
        copy_database(state.registry_path, folder / FOLDER / state.registry_path.name, "copying the registry", progress)
    return [file_copy(folder, FOLDER / name) for name in names]


@contextlib.contextmanager
def _nobody_changes_tenants(state: State) -> Iterator[None]:
    lock = FileLock(state.lock_path, timeout=_LOCK_WAIT_S)
    try:
        lock.acquire()
    except Timeout as error:
        raise StateBusyError(state.directory) from error
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _place(state: State, *, replace: bool) -> Iterator[bool]:
    """Whether there is a server in the place; no sqld is started on it for the length of the block."""
    with contextlib.ExitStack() as stack:
        try:
            is_occupied = any(state.directory.iterdir())
        except FileNotFoundError:
            is_occupied = False
        except OSError as error:
            raise StateError(state.directory, error.strerror or str(error)) from error
        if is_occupied:
            if not state.settings_path.exists():
                raise StateError(state.directory, "it holds something, and no server of td")
            stack.enter_context(held(state.data_dir))
            if is_open_elsewhere(state.registry_path):
                raise GatewayRunsError(state.directory)
            if not replace:
                raise DataDirNotEmptyError(state.directory)
        yield is_occupied


def _keep_revoked(before: State, restored: State, *, now: int) -> int | None:
    """Revoke in the restored registry what is revoked in the one before; how much of it was not."""
    count = 0
    try:
        with before.registry() as old, restored.registry() as new, new.transaction():
            for token in old.tokens.of():
                known = new.tokens.find(token.id)
                if token.revoked_at is not None and known is not None and known.revoked_at is None:
                    new.tokens.revoke(token.id, now=now)
                    count += 1
            count += _keep_api_keys_revoked(old, new, now=now)
    except RegistryError:
        # What cannot be read is a reason to restore, not one against it.
        return None
    return count


def _keep_api_keys_revoked(old: Registry, new: Registry, *, now: int) -> int:
    there = {key.id: key for key in new.api_keys.of()}
    found = [
        key.id
        for key in old.api_keys.of()
        if key.revoked_at is not None and key.id in there and there[key.id].revoked_at is None
    ]
    for key_id in found:
        new.api_keys.revoke(key_id, now=now)
    return len(found)
