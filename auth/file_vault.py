"""The vault where there is no keyring: one encrypted file.

Always true:
- a secret never reaches the disk in the clear;
- the file is replaced whole, or it stays as it was, also when the power goes; only its owner may read it;
- of two processes that write at once, the second adds to what the first wrote.

What it does not notice: that somebody put an older copy of the whole file in its place.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from auth.vault import VaultKind
from auth.vault_errors import NoVaultError, VaultUnusableError
from auth.vault_format import COST, Cost, Lock, is_locked_by, lock_of, make_lock, seal, unseal
from auth.vault_key import Opener, Passphrase, VaultKey

_LOCK_WAIT_S: Final = 10.0


class FileVault:
    """Secrets by name in the file `path`, which need not be there yet.

    key: what opens it, or a function that finds that; it is called when it is first needed, and once.
    cost: of a passphrase, for a file that is made or gets a new key.
    lock_wait_s: how long to wait for another process that writes.

    Every call raises VaultUnusableError where the file cannot be used, TamperedVaultError where it is not as it was
    written, WrongVaultKeyError where the key does not fit, NewerVaultError where a newer program wrote it, and what
    `key` raises.
    """

    kind: Final = VaultKind.FILE

    def __init__(
        self,
        path: Path,
        key: Opener | Callable[[], Opener],
        *,
        cost: Cost = COST,
        lock_wait_s: float = _LOCK_WAIT_S,
    ) -> None:
        self.path = path
        self._key, self._cost, self._lock_wait_s = key, cost, lock_wait_s
        self._lock: Lock | None = None

    def read(self, name: str) -> str | None:
        """The secret of that name, or None. Where there is no file, no key is needed to know that."""
        data = self._data()
        return None if data is None else self._entries(data).get(name)

    def store(self, name: str, secret: str) -> None:
        """Keep `secret`, in place of what had that name; the first one makes the file."""
        with self._writing():
            data = self._data()
            entries = {} if data is None else self._entries(data)
            lock = self._lock if data is not None else None
            if lock is None:
                lock = make_lock(self._opener(), cost=self._cost)
            self._replace(seal(entries | {name: secret}, lock))
            self._lock = lock

    def delete(self, name: str) -> None:
        """Forget that name; harmless where it is not there."""
        if self._data() is None:
            return
        with self._writing():
            data = self._data()
            entries = {} if data is None else self._entries(data)
            if name in entries and self._lock is not None:
                del entries[name]
                self._replace(seal(entries, self._lock))

    def rotate(self, new_key: Opener, *, announce: Callable[[], None] | None = None) -> None:
        """Encrypt everything with another key; from then on the old one opens nothing.

        Args:
            new_key: what opens the file afterwards.
            announce: called when all is ready and nothing is changed yet: the place to show a new key, because one
                that was shown to nobody would lock everybody out. If it raises, the old key stands.

        Raises:
            NoVaultError: there is no file.
        """
        self._there()
        with self._writing():
            entries = self._entries(self._there())
            lock = make_lock(new_key, cost=self._cost)
            self._replace(seal(entries, lock), announce)
            self._key, self._lock = new_key, lock

    def _opener(self) -> Opener:
        if not isinstance(self._key, VaultKey | Passphrase):
            self._key = self._key()
        return self._key

    def _entries(self, data: bytes) -> dict[str, str]:
        if self._lock is None or not is_locked_by(data, self._lock, path=self.path):
            self._lock = lock_of(data, self._opener(), path=self.path)
        return unseal(data, self._lock, path=self.path)

    def _data(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise VaultUnusableError(self.path, error.strerror or str(error)) from error

    def _there(self) -> bytes:
        data = self._data()
        if data is None:
            raise NoVaultError(self.path)
        return data

    @contextmanager
    def _writing(self) -> Iterator[None]:
        beside = self.path.with_name(self.path.name + ".lock")
        lock = FileLock(beside, timeout=self._lock_wait_s, mode=0o600)
        with self._told():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                lock.acquire()
            except Timeout as error:
                reason = f"another process has held {beside.name} for {self._lock_wait_s:g} s"
                raise VaultUnusableError(self.path, reason) from error
        try:
            yield
        finally:
            lock.release()

    def _replace(self, data: bytes, announce: Callable[[], None] | None = None) -> None:
        # A fixed name, so that what a killed process leaves is swept by the next one: it may be of an older key.
        fresh = self.path.with_name(self.path.name + ".new")
        try:
            with self._told():
                _write(fresh, data)
            if announce is not None:
                announce()
            with self._told():
                fresh.replace(self.path)
                _flush(self.path.parent)
        except BaseException:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise VaultUnusableError(self.path, error.strerror or str(error)) from error


def _write(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as writer:
        writer.write(data)
        writer.flush()
        os.fsync(writer.fileno())


def _flush(directory: Path) -> None:
    """Return when a renaming in `directory` is on the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
