"""Put a backup in the place of an sqld's data directory.

The databases alone are put back. Without its old log each gets a new one under a new id, which tells every client to
fetch the whole again: under the old id, libSQL's replication would go on as if nothing had happened.

Always true:
- nothing is touched before the copy is whole, has the hashes of its manifest, and was read by an sqld;
- what was in the data directory is kept, whole, under another name beside it;
- a data directory that an sqld runs on is refused.
"""

import contextlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqld._durable import copy_and_hash, flush_all, move
from sqld._trial import contents_of, start_once
from sqld.backup import Progress, moment_of, silent
from sqld.data_dir import database_of, held, namespaces_in
from sqld.errors import (
    DamagedBackupError,
    DamagedDatabaseError,
    DataDirNotEmptyError,
    DataDirUnusableError,
    RestoreError,
    StartError,
)
from sqld.manifest import FileCopy, Manifest, NamespaceCopy, read_manifest


@dataclass(frozen=True, slots=True)
class Restored:
    """data_dir: where sqld can be started now. set_aside: where what was there is now, if there was anything."""

    data_dir: Path
    set_aside: Path | None
    manifest: Manifest


def restore_backup(
    backup: Path,
    data_dir: Path,
    *,
    binary: Path,
    replace: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    progress: Progress = silent,
) -> Restored:
    """Make a data directory out of a backup, try it, and put it in place.

    Args:
        backup: the folder that `back_up` wrote.
        data_dir: where the data shall be; made if it is not there. Its parent must be on one file system with it.
        binary: the sqld that tries the copy, from `find_sqld`.
        replace: set aside what is there, and do not refuse.
        clock: gives the moment that is in the name of what is set aside.
        progress: is told how far it is.

    Raises:
        NotABackupError: the folder is not a whole backup.
        DamagedBackupError: a file of it is not what it was.
        DataDirInUseError: an sqld runs on the data directory.
        DataDirNotEmptyError: there is something in it.
        DataDirUnusableError: it cannot be locked or read, or holds something that is not of an sqld.
        RestoreError: the copy could not be made, or not be put in place.
        SqldError: the sqld for the trial does not run.
    """
    manifest = read_manifest(backup)
    moment = moment_of(clock())
    data_dir = data_dir.absolute()
    with contextlib.ExitStack() as stack:
        is_occupied = _is_occupied(data_dir)
        if is_occupied:
            stack.enter_context(held(data_dir))
            if not replace:
                raise DataDirNotEmptyError(data_dir)
        folder = data_dir.with_name(f"{data_dir.name}.restoring-{moment}")
        try:
            folder.mkdir(mode=0o700, parents=True)
            _fill(folder, backup, manifest, binary, progress)
            flush_all(folder)
            set_aside = data_dir.with_name(f"{data_dir.name}.replaced-{moment}") if is_occupied else None
            swap(folder, data_dir, set_aside)
        except OSError as error:
            raise RestoreError(data_dir, error.strerror or str(error)) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return Restored(data_dir, set_aside, manifest)


def _is_occupied(data_dir: Path) -> bool:
    try:
        is_occupied = any(data_dir.iterdir())
        is_known = bool(namespaces_in(data_dir))
    except FileNotFoundError:
        return False
    except OSError as error:
        raise DataDirUnusableError(data_dir, error.strerror or str(error)) from error
    if is_occupied and not is_known:
        raise DataDirUnusableError(data_dir, "it holds something, and no database of an sqld")
    return is_occupied


def _fill(folder: Path, backup: Path, manifest: Manifest, binary: Path, progress: Progress) -> None:
    done = 0

    def copied(size: int) -> None:
        nonlocal done
        done += size
        progress("copying the backup", done, manifest.bytes)

    for part in manifest.files:
        copy_part(folder, backup, part, copied)
    for number, copy in enumerate(manifest.namespaces):
        progress("trying what was copied", number, len(manifest.namespaces))
        _try_namespace(folder, backup, copy, binary)
    try:
        start_once(folder, binary=binary)
    except StartError as error:
        raise DamagedBackupError(backup, f"sqld does not start on it ({error.reason})") from error


def copy_part(folder: Path, backup: Path, part: FileCopy, copied: Callable[[int], None]) -> None:
    """Copy a file of a backup to its place in a folder. Raises DamagedBackupError, OSError."""
    source, target = backup / part.file, folder / part.file
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        sha256 = copy_and_hash(source, target, copied=copied)
    except FileNotFoundError as error:
        raise DamagedBackupError(source, "it is missing") from error
    if sha256 != part.sha256:
        raise DamagedBackupError(source, f"its SHA-256 is {sha256}, and was {part.sha256}")


def _try_namespace(folder: Path, backup: Path, copy: NamespaceCopy, binary: Path) -> None:
    # Each alone and under the name that needs neither settings nor a token. What sqld adds, the new log, stays with it.
    trial = folder / "trial"
    place, on_trial = (folder / database_of(copy.name)).parent, (trial / database_of("default")).parent
    on_trial.parent.mkdir(parents=True)
    place.rename(on_trial)
    try:
        contents = contents_of(trial, copy.name, binary=binary)
    except DamagedDatabaseError as error:
        raise DamagedBackupError(backup / copy.file, error.reason) from error
    if contents.tables != copy.tables:
        raise DamagedBackupError(backup / copy.file, "its tables do not have the rows that they had")
    on_trial.rename(place)
    shutil.rmtree(trial)


def swap(folder: Path, data_dir: Path, set_aside: Path | None) -> None:
    """Give a folder its final name; what has that name now gets another. Raises OSError."""
    if set_aside is not None:
        data_dir.rename(set_aside)
    try:
        move(folder, data_dir)
    except BaseException:
        if set_aside is not None:
            set_aside.rename(data_dir)
        raise
