"""Pull: fetch the base, by a child process that may be killed at any time.

Owns `replica.db` and its three companions. Always true:
- readers see a whole base or none: a first or fresh copy is fetched beside and then moved into place;
- a base that is outdated stays in place until the fresh copy is whole, so that what was readable stays so;
- the base is set aside, never deleted, when it cannot be trusted;
- a log of another base never lies beside the base: SQLite would play it back.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from replica.address import http_url, refuse_open_token
from replica.backoff import delays_until_s
from replica.errors import (
    DamagedError,
    NotAllowedError,
    PullUnavailableError,
    StorageError,
    TokenRefusedError,
    UnreachableError,
)

BASE_FILE: Final = "replica.db"
# In the name of a variable: a child has no business with what it holds.
_OF_SECRETS: Final = ("TOKEN", "SECRET", "KEY", "PASS")
_INDEX: Final = "-client_wal_index"
_COMPANIONS: Final = (_INDEX, "-wal", "-shm")
_INCOMING: Final = "incoming"
_FETCHED: Final = "fetched"
_SET_ASIDE: Final = "set-aside"
_PULLER: Final = Path(__file__).with_name("puller.py")
_SNAPSHOT_PATIENCE_S: Final = 30.0
# All that the client library tells of a primary that turned it away (429) three times; a dead one it tells otherwise.
_TURNED_AWAY: Final = "Timeout performing handshake"
# Less room than this on a disk, and a copy that could not be fetched could not be written.
_ROOM_BYTES: Final = 100_000


def base_path(directory: Path) -> Path:
    """Where the base is."""
    return directory / BASE_FILE


def base_files(directory: Path) -> tuple[Path, ...]:
    """The base and its companions, by the names that they have if they are there."""
    return tuple(Path(f"{base_path(directory)}{end}") for end in ("", *_COMPANIONS))


def frame_number(directory: Path) -> int | None:
    """How far the base has come in the primary's log; None without a base. Source: FACTS 5, bytes 16 to 23."""
    # Only this companion is ever opened: to open and close the database itself would drop SQLite's locks.
    with suppress(FileNotFoundError):
        data = Path(f"{base_path(directory)}{_INDEX}").read_bytes()
        if len(data) == 32 and base_path(directory).exists():
            return int.from_bytes(data[16:24], "little")
    return None


def base_number(directory: Path) -> str:
    """What tells one copy of the base from the next; a pull into the same file keeps it."""
    return str(base_path(directory).stat().st_ino)


def fetched_path(directory: Path) -> Path:
    """Where a whole fresh copy is until it takes the place of the base."""
    return directory / _FETCHED / BASE_FILE


def is_being_replaced(directory: Path) -> bool:
    """Whether a whole fresh copy is on its way into place; where there is no base, there is one in a moment."""
    return fetched_path(directory).exists()


def pull(  # noqa: PLR0913 - what a sync says once, most of it by name
    directory: Path,
    url: str,
    token: str | None,
    *,
    deadline: float,
    lock_file: int,
    sleep: Callable[[float], None],
    is_fresh: bool = False,
    ca_file: Path | None = None,
) -> None:
    """Bring the base up to the primary before `deadline` (monotonic seconds); `is_fresh`: by a whole new copy.

    lock_file: the descriptor of the sync lock; the child keeps it open, so that the lock outlives a killed parent for
    as long as the child runs. ca_file: as for `open_replica`. Raises UnreachableError, UntrustedError,
    NotAllowedError, PullUnavailableError, DamagedError or StorageError.
    """
    refuse_open_token(url, token)
    try:
        _pull(directory, _Errand(url, token, deadline, lock_file, ca_file), sleep, is_fresh=is_fresh)
    except OSError as error:
        raise StorageError(f"cannot write in {directory}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class _Errand:
    """What a child is sent for; as `pull` has it."""

    url: str
    token: str | None
    deadline: float
    lock_file: int
    ca_file: Path | None


def _pull(directory: Path, errand: _Errand, sleep: Callable[[float], None], *, is_fresh: bool) -> None:
    put_in_place(directory)
    target = base_path(directory)
    is_beside = is_fresh or not target.exists()
    if is_beside:
        incoming = directory / _INCOMING
        if is_fresh:
            shutil.rmtree(incoming, ignore_errors=True)
        incoming.mkdir(mode=0o700, exist_ok=True)
        target = incoming / BASE_FILE
    patience_end = time.monotonic() + _SNAPSHOT_PATIENCE_S
    delays = delays_until_s(errand.deadline, random.random)
    while True:
        problem = _run_child(target, errand)
        is_compacting = "napshot not found" in problem and time.monotonic() < patience_end
        if not (is_compacting or _TURNED_AWAY in problem) or (delay := next(delays, None)) is None:
            break
        sleep(delay)
    _raise_problem(problem, errand.url, directory)
    if is_beside:
        _move_in(directory)


def _run_child(target: Path, errand: _Errand) -> str:
    from replica.trust import authorities  # noqa: PLC0415 - who only looks where the base is need not pay for TLS

    left_s = max(0.1, errand.deadline - time.monotonic())
    request = json.dumps(
        {"path": str(target), "url": errand.url, "token": errand.token, "deadline_s": left_s + 2.0,
         "parent": os.getpid()}
    )  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not _is_secret(name, value, errand.token)}
    # The client library reads the file for any URL, and dies of one that is not there.
    trusted = authorities(errand.ca_file if http_url(errand.url).startswith("https:") else None)
    environment |= {"RUST_LOG": "off", "SSL_CERT_FILE": str(trusted)}
    child = subprocess.Popen(
        [sys.executable, "-I", str(_PULLER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, env=environment, pass_fds=(errand.lock_file,), start_new_session=True,
    )  # fmt: skip
    try:
        output, _ = child.communicate(request, timeout=left_s)
    except subprocess.TimeoutExpired:
        return "deadline"
    finally:
        if child.poll() is None:
            child.kill()
            child.communicate()
    if child.returncode == -signal.SIGALRM:
        return "deadline"
    with suppress(ValueError, AttributeError):
        return str(json.loads(output.splitlines()[-1] if output else "").get("error", ""))
    return f"the puller ended with code {child.returncode}"


def _is_secret(name: str, value: str, token: str | None) -> bool:
    return any(word in name.upper() for word in _OF_SECRETS) or (bool(token) and str(token) in value)


def _raise_problem(problem: str, url: str, directory: Path) -> None:
    lowered = problem.lower()
    if not problem:
        return
    if problem == "no libsql client":
        raise PullUnavailableError("changes can be sent but not fetched: libsql-experimental is not installed here")
    from replica.trust import refused_pull  # noqa: PLC0415 - as above

    untrusted = refused_pull(url, problem)
    if untrusted is not None:
        raise untrusted
    told = f"the primary at {url} refuses the token for replication"
    if "401" in lowered or "unauthor" in lowered or "unauthenticated" in lowered:
        raise TokenRefusedError(told)
    if "403" in lowered:
        raise NotAllowedError(told)
    if (
        "malformed" in lowered
        or "not a database" in lowered
        or "corrupt" in lowered
        or "metadata" in lowered
        or "without a wal_index" in lowered
        or "-wal exists" in lowered
    ):
        raise DamagedError("the local copy of the primary is damaged", "it is set aside and fetched anew")
    # The client library names some failures to write only by numbers of its own.
    is_full = shutil.disk_usage(directory).free < _ROOM_BYTES
    if is_full or "disk" in lowered or "full" in lowered or "os error 28" in lowered or "os error 27" in lowered:
        raise StorageError("the disk refused to write the local copy of the primary")
    if problem == "deadline":
        raise UnreachableError(f"the primary at {url} did not answer in time")
    raise UnreachableError(f"fetching from {url} failed: {problem.splitlines()[0][:200]}")


def _move_in(directory: Path) -> None:
    """Move a fetched base into place. Its log is folded into the database first, so that one rename shows all of it."""
    source = directory / _INCOMING / BASE_FILE
    if not source.exists():
        raise UnreachableError("the primary sent nothing")
    connection = sqlite3.connect(source)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()
    shutil.rmtree(directory / _FETCHED, ignore_errors=True)
    (directory / _INCOMING).rename(directory / _FETCHED)
    put_in_place(directory)


def put_in_place(directory: Path) -> None:
    """Let a fetched base take its place, also one whose process was killed before it could. Needs the sync lock."""
    fetched = directory / _FETCHED
    source = fetched / BASE_FILE
    if source.exists():
        if base_path(directory).exists():
            _move_aside(directory)
        for companion in _COMPANIONS:
            with suppress(FileNotFoundError):
                if companion != _INDEX or Path(f"{source}{companion}").exists():
                    Path(f"{base_path(directory)}{companion}").unlink()
        with suppress(FileNotFoundError):
            Path(f"{source}{_INDEX}").replace(f"{base_path(directory)}{_INDEX}")
        source.replace(base_path(directory))
    shutil.rmtree(fetched, ignore_errors=True)


def set_aside(directory: Path) -> None:
    """Move the base out of the way, whole, if there is one. Keeps the last one only."""
    shutil.rmtree(directory / _INCOMING, ignore_errors=True)
    if base_path(directory).exists():
        _move_aside(directory)


def _move_aside(directory: Path) -> None:
    aside = directory / _SET_ASIDE
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700)
    for companion in ("", *_COMPANIONS):
        with suppress(FileNotFoundError):
            Path(f"{base_path(directory)}{companion}").replace(aside / f"{BASE_FILE}{companion}")
