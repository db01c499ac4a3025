"""Copy and write files so that they survive a power cut.

Always true: what returned here is on the disk.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

_CHUNK_BYTES: Final = 4 << 20


def copy_and_hash(source: Path, target: Path, *, copied: Callable[[int], None]) -> str:
    """Copy a file for its owner only; the SHA-256 of what was read. `copied` is told the bytes of each step."""
    digest = hashlib.sha256()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as reader, os.fdopen(descriptor, "wb") as writer:
        while chunk := reader.read(_CHUNK_BYTES):
            digest.update(chunk)
            writer.write(chunk)
            copied(len(chunk))
    return digest.hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in its place, for its owner only, whole or not at all. Raises OSError."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as writer:
        writer.write(content)
        writer.flush()
        os.fsync(writer.fileno())
    fresh.replace(path)
    _flush(path.parent)


def flush_all(folder: Path) -> None:
    """Return when all that a folder holds is on the disk. Raises OSError."""
    for parent, _folders, files in os.walk(folder):
        for name in files:
            _flush(Path(parent, name))
        _flush(Path(parent))


def move(folder: Path, final: Path) -> None:
    """Rename a folder, for good. Raises OSError, also if `final` is there and not empty."""
    folder.rename(final)
    _flush(final.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
