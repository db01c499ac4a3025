"""Who and what: ids of machines, sessions and rows, and the prefixes that people type for them.

Always true:
- the operating system's machine id never leaves this module, only a keyed hash of it;
- the ids of one `IdSource` grow, also when the clock stands still or steps back, and from any thread;
- an id in base32 has digits and lower-case letters without i, l, o and u (Crockford), which nobody misreads.
"""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final

from replica.errors import AmbiguousIdError, NotFoundError

_BASE32: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_MACHINE_KEY: Final = b"replica-toolkit machine id, version 1"
_UUID7_TAIL_BITS: Final = 74
_UUID7_TIME_MAX: Final = 2**48 - 1
_SURROGATES: Final = range(0xD800, 0xE000)
_CODE_POINT_MAX: Final = 0x10FFFF


def machine_id() -> str:
    """Return this machine's id: 8 characters, the same in every process.

    It is a keyed hash of the operating system's machine id. Where there is none, as in many containers, it
    is the hash of a random text kept in the user's data directory (0600); where that cannot be kept either,
    as with a read-only disk, the id is new at each call.
    """
    source = _os_machine_id()
    if source is None:
        # Paid for only where the operating system has no machine id.
        from platformdirs import user_data_path  # noqa: PLC0415 - see above

        source = _kept_source(user_data_path("replica-toolkit", appauthor=False) / "machine")
    return _base32(blake2b(source, key=_MACHINE_KEY, digest_size=5).digest(), 8)


def new_session_id(machine: str, *, random: Callable[[int], bytes] = os.urandom) -> str:
    """Return a new session id, `ses_<machine>_XXXXXX`; `random` returns as many bytes as it is asked for."""
    return f"ses_{machine}_{_base32(random(4), 6)}"


def new_short_id(prefix: str, *, random: Callable[[int], bytes] = os.urandom) -> str:
    """Return a new row id that people can type: `prefix` and 8 base32 characters (40 random bits)."""
    return prefix + _base32(random(5), 8)


def new_uuid7(now_ns: int, random: Callable[[int], bytes]) -> str:
    """Return a UUIDv7 (RFC 9562) of the moment `now_ns`, in ns since 1970; `IdSource` makes ones that grow."""
    return _uuid7_text(now_ns // 1_000_000, _uuid7_tail(random))


class IdSource:
    """Makes UUIDv7 ids, each greater as text than the one before (RFC 9562, 6.2, method 2).

    Args:
        clock: seconds since 1970.
        random: returns as many random bytes as it is asked for.
    """

    def __init__(self, clock: Callable[[], float] = time.time, random: Callable[[int], bytes] = os.urandom) -> None:
        self._clock, self._random = clock, random
        self._lock = threading.Lock()
        self._milliseconds = -1
        self._tail = 0

    def new_uuid7(self) -> str:
        """Return a new id; safe to call from several threads."""
        with self._lock:
            now = int(self._clock() * 1000)
            if now > self._milliseconds:
                self._milliseconds, self._tail = now, _uuid7_tail(self._random)
            else:
                # A random step, so that the next id cannot be guessed from the last.
                self._tail += 1 + int.from_bytes(self._random(4))
                if self._tail >> _UUID7_TAIL_BITS:
                    self._milliseconds, self._tail = self._milliseconds + 1, _uuid7_tail(self._random)
            return _uuid7_text(self._milliseconds, self._tail)


def resolve_prefix(typed: str, candidates: Sequence[str], kind: str) -> str:
    """Return the one id among `candidates` that `typed` stands for: the id itself, or its first characters.

    An id that is `typed` to the letter wins over longer ones that start with it. Nothing typed is no prefix:
    it stands for no id, even where there is only one.

    Raises:
        NotFoundError: no candidate starts with `typed`.
        AmbiguousIdError: several do, and none is `typed` itself.
    """
    matches = sorted({candidate for candidate in candidates if typed and candidate.startswith(typed)})
    if not matches:
        raise NotFoundError(kind, typed)
    if matches[0] != typed and len(matches) > 1:
        raise AmbiguousIdError(kind, typed, matches)
    return matches[0]


def prefix_range(typed: str) -> tuple[str, str]:
    """Return (low, high) such that `low <= id < high` in SQLite's binary order means: id starts with `typed`.

    The range is empty where `typed` cannot be the start of an id: nothing typed, or bytes that are no text.
    Candidates found by it in this order may be cut short: the exact id, if there is one, comes first.
    """
    low = typed
    try:
        low.encode()
    except UnicodeEncodeError:
        return "", ""
    stem = low.rstrip(chr(_CODE_POINT_MAX))
    if not stem:
        return "", ""
    after = ord(stem[-1]) + 1
    # Half a surrogate pair cannot be bound as a parameter; no text lies between, so the bound is as good.
    return low, stem[:-1] + chr(_SURROGATES.stop if after in _SURROGATES else after)


def _os_machine_id() -> bytes | None:
    # Paid for only by who asks which machine this is.
    import machineid  # noqa: PLC0415 - see above

    try:
        found = machineid.id()
    except (machineid.MachineIdNotFound, OSError, UnicodeError):
        return None
    # What systemd writes into images, to be replaced at first boot (machine-id(5)).
    return None if found == "uninitialized" else found.encode()


def _kept_source(path: Path) -> bytes:
    """Return the text kept at `path`, the same for every process that asks, however many ask at once first."""
    fresh = os.urandom(16).hex().encode()
    if not path.is_absolute():
        # There is no home directory, and the working directory of the moment is no place to keep anything.
        return fresh
    try:
        return _kept_text(path) or _keep_first(path, fresh)
    except OSError:
        return fresh


def _kept_text(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _keep_first(path: Path, text: bytes) -> bytes:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp creates it 0600. It gets its name only when it is whole, and only if nobody else was first.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(handle)
        _publish(Path(name), path)
    finally:
        Path(name).unlink(missing_ok=True)
    return path.read_bytes()


def _publish(whole: Path, path: Path) -> None:
    try:
        path.hardlink_to(whole)
    except FileExistsError:
        # Another process was first, and its text counts. An empty file is nobody's: it is damage.
        if not path.stat().st_size:
            whole.replace(path)


def _base32(random: bytes, length: int) -> str:
    number = int.from_bytes(random)
    return "".join(_BASE32[number >> 5 * place & 31] for place in reversed(range(length)))


def _uuid7_tail(random: Callable[[int], bytes]) -> int:
    # The top bit stays clear, so that the steps of one millisecond have room to grow.
    return int.from_bytes(random(10)) & (1 << _UUID7_TAIL_BITS - 1) - 1


def _uuid7_text(milliseconds: int, tail: int) -> str:
    time_bits = min(max(milliseconds, 0), _UUID7_TIME_MAX)
    number = time_bits << 80 | 0x7 << 76 | tail >> 62 << 64 | 0b10 << 62 | tail & (1 << 62) - 1
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
