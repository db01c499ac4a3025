"""Copy every database of an sqld while it runs, or while it is stopped.

SQLite's online backup copies the pages as they were at one moment, under a read transaction, and writers go on. Copying
the files tears them; VACUUM INTO fails on a vector index; `GET /dump` numbers rows anew and takes ten times as long.

Always true:
- the copy of a namespace holds whole transactions, all of them up to one moment;
- what has the final name is whole, on the disk, and was read by an sqld; anything else is named `unfinished-…`;
- nothing is written to the data directory, and no secret of it leaves the owner's hands: folders 0700, files 0600.
"""

import contextlib
import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqld._durable import copy_and_hash, flush_all, move
from sqld._trial import contents_of
from sqld.data_dir import SETTINGS, database_of, log_position, namespaces_in
from sqld.errors import BackupError, NoDatabaseError
from sqld.manifest import FileCopy, Manifest, NamespaceCopy, write_manifest
from sqld.version import sqld_version

Progress = Callable[[str, int, int], None]
"""Told what is done, and how much of it, of how much: bytes, or pages of a database."""

UNFINISHED: Final = "unfinished-"
_PAGES: Final = 2048
_BUSY_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Backup:
    """folder: where it is. manifest: what is in it."""

    folder: Path
    manifest: Manifest


def moment_of(now: datetime) -> str:
    """A moment as a name of a folder, which sorts by time: `2026-11-21T09-00-00.000000Z`."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H-%M-%S.%fZ")


def nothing(_folder: Path) -> list[FileCopy]:
    """There is nothing that belongs to the data besides."""
    return []


def silent(_doing: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


def back_up(
    data_dir: Path,
    into: Path,
    *,
    binary: Path,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    progress: Progress = silent,
    first: Callable[[Path], list[FileCopy]] = nothing,
) -> Backup:
    """Write a copy of all that is in a data directory to a new folder in `into`, and try it.

    Args:
        data_dir: of an sqld that runs, or does not.
        into: where backups are kept; made if it is not there.
        binary: the sqld that tries the copies, from `find_sqld`.
        clock: gives the moment that the backup is named for.
        progress: is told how far it is.
        first: copies what belongs to the data besides into the folder, before them. What it raises is raised.

    Raises:
        NoDatabaseError: the directory is not of an sqld.
        DamagedDatabaseError: a database cannot be read by sqld, or fails its integrity check.
        BackupError: it could not be read or written.
        SqldError: the sqld for the trial does not run.
    """
    made_at = clock().astimezone(UTC)
    folder = into / f"{UNFINISHED}{moment_of(made_at)}"
    try:
        if not namespaces_in(data_dir):
            raise NoDatabaseError(data_dir)
        into.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise BackupError(into, _why(error)) from error
    try:
        manifest = _fill(folder, data_dir, made_at, binary, progress, first)
        write_manifest(folder, manifest)
        final = into / moment_of(made_at)
        flush_all(folder)
        move(folder, final)
    except (OSError, sqlite3.Error) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise BackupError(into, _why(error)) from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Backup(final, manifest)


def _fill(
    folder: Path,
    data_dir: Path,
    made_at: datetime,
    binary: Path,
    progress: Progress,
    first: Callable[[Path], list[FileCopy]],
) -> Manifest:
    build = sqld_version(binary)
    server = first(folder)
    # The settings first: a namespace that is made meanwhile is then in none of them or in the copies alone, and never
    # promised without its data.
    settings = _copy_of_settings(folder, data_dir, progress)
    copies = []
    for namespace in namespaces_in(data_dir):
        try:
            copies.append(_copy_of_namespace(folder, data_dir, namespace, binary, progress))
        except FileNotFoundError:
            # It was deleted meanwhile.
            shutil.rmtree((folder / database_of(namespace)).parent, ignore_errors=True)
    stamp = made_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return Manifest(made_at=stamp, sqld=build, namespaces=copies, settings=settings, server=server)


def _copy_of_settings(folder: Path, data_dir: Path, progress: Progress) -> FileCopy | None:
    if not (data_dir / SETTINGS).is_file():
        return None
    copy_database(data_dir / SETTINGS, folder / SETTINGS, "copying the settings", progress)
    return file_copy(folder, SETTINGS)


def file_copy(folder: Path, file: Path) -> FileCopy:
    """What a manifest says of a file that is in the folder of a backup. Raises OSError."""
    with (folder / file).open("rb") as copy:
        sha256 = hashlib.file_digest(copy, "sha256").hexdigest()
    return FileCopy(file=file.as_posix(), bytes=(folder / file).stat().st_size, sha256=sha256)


def _copy_of_namespace(folder: Path, data_dir: Path, namespace: str, binary: Path, progress: Progress) -> NamespaceCopy:
    # Before the copy: what the log says then, the copy holds for certain.
    position = log_position(data_dir, namespace)
    file = database_of(namespace)
    # mkdir gives its mode to the last folder only.
    (folder / file).parent.parent.mkdir(mode=0o700, exist_ok=True)
    copy_database(data_dir / file, folder / file, f"copying {namespace}", progress)
    trial = folder / "trial"
    try:
        database = trial / database_of("default")
        database.parent.mkdir(parents=True)
        sha256, size = _copy_for_trial(folder / file, database, namespace, progress)
        contents = contents_of(trial, namespace, binary=binary)
    finally:
        shutil.rmtree(trial, ignore_errors=True)
    return NamespaceCopy(
        name=namespace,
        file=file.as_posix(),
        bytes=size,
        sha256=sha256,
        tables=contents.tables,
        log_id=str(position.id) if position is not None else None,
        frame=position.frame if position is not None else None,
        primary_id=contents.primary_id,
    )


def _copy_for_trial(source: Path, target: Path, namespace: str, progress: Progress) -> tuple[str, int]:
    total = source.stat().st_size
    done = 0

    def copied(size: int) -> None:
        nonlocal done
        done += size
        progress(f"trying {namespace}", done, total)

    return copy_and_hash(source, target, copied=copied), total


def copy_database(source: Path, target: Path, doing: str, progress: Progress) -> None:
    """Copy a database as it is at one moment, while others write to it. Raises OSError, sqlite3.Error."""
    # SQLite would say only that it cannot open it.
    source.stat()
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    target.touch(mode=0o600)
    uri = f"{source.absolute().as_uri()}?mode=ro"
    with (
        contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_S)) as reader,
        contextlib.closing(sqlite3.connect(target, isolation_level=None)) as writer,
    ):
        # What is not whole is thrown away, and what is whole is flushed before it gets its name.
        writer.execute("PRAGMA synchronous = OFF")
        # Held to the end, or each write of another process would make the copy begin anew. It does not parse the
        # schema, which libSQL may have written in words that plain SQLite does not know.
        reader.execute("BEGIN")
        reader.execute("PRAGMA schema_version").fetchone()
        reader.backup(
            writer, pages=_PAGES, progress=lambda _status, left, total: progress(doing, total - left, total), sleep=0.01
        )


def _why(error: OSError | sqlite3.Error) -> str:
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror or error}{where}"
    return str(error)
