"""Where secrets live between calls: the keyring of the operating system, or an encrypted file where there is none.

Always true:
- a secret is kept only where it is encrypted; where there is no such place it is refused, never written in the clear;
- keyring and cryptography are imported when they are used, not before: they cost more than all the rest of a short
  command.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from auth.errors import KeyringError, NoKeyringError
from auth.vault_errors import VaultChoiceError
from auth.vault_key import find_opener, is_opener_given

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

VAULT_VARIABLE: Final = "TD_VAULT"
FILE_NAME: Final = "vault"
_SERVICE: Final = "replica-toolkit td"


class VaultKind(StrEnum):
    """Where a vault keeps what it keeps."""

    KEYRING = "keyring"
    FILE = "file"


class Vault(Protocol):
    """Secrets by name. Every call raises AuthError where the vault is locked, damaged or cannot be used."""

    @property
    def kind(self) -> str:
        """As TD_VAULT names it: `keyring` or `file`."""

    def read(self, name: str) -> str | None:
        """The secret of that name, or None."""

    def store(self, name: str, secret: str) -> None:
        """Keep `secret`, in place of what had that name."""

    def delete(self, name: str) -> None:
        """Forget that name; harmless where it is not there."""


def open_vault(environ: Mapping[str, str], directory: Path, *, ask: Callable[[], str] | None = None) -> Vault:
    """The keyring where there is a real one, else the encrypted file `vault` in `directory`; TD_VAULT forces one.

    Args:
        environ: where TD_VAULT, TD_VAULT_KEY and TD_VAULT_PASSPHRASE are looked for.
        directory: where the file is or would be; nothing is made before something is kept.
        ask: asks a person for the passphrase of the file, when it is needed; None: nobody can be asked.

    Raises:
        NoKeyringError: no keyring here encrypts, and the file is neither asked for, nor there, nor to be opened.
        VaultChoiceError: TD_VAULT is something else.
    """
    choice = environ.get(VAULT_VARIABLE, "").strip().lower()
    if choice not in ("", *VaultKind):
        raise VaultChoiceError
    path = directory / FILE_NAME
    if choice != VaultKind.FILE:
        try:
            return KeyringVault(_backend())
        except NoKeyringError as error:
            if choice == VaultKind.KEYRING:
                raise NoKeyringError(choice) from error
            if not (is_opener_given(environ) or ask is not None or os.path.lexists(path)):
                raise
    # Only who has no keyring pays for it.
    from auth.file_vault import FileVault  # noqa: PLC0415 - see above

    return FileVault(path, partial(find_opener, environ, ask))


class KeyringVault:
    """Secrets in the keyring of the operating system. Every call raises KeyringError where it is locked or refuses."""

    kind: Final = VaultKind.KEYRING

    def __init__(self, backend: "KeyringBackend") -> None:
        self._backend = backend

    def read(self, name: str) -> str | None:
        """The secret of that name, or None."""
        with _told():
            return self._backend.get_password(_SERVICE, name)

    def store(self, name: str, secret: str) -> None:
        """Keep `secret`, in place of what had that name."""
        with _told():
            self._backend.set_password(_SERVICE, name, secret)

    def delete(self, name: str) -> None:
        """Forget that name; harmless where it is not there."""
        with _told():
            # To forget what is not there is an error to some backends.
            if self._backend.get_password(_SERVICE, name) is not None:
                self._backend.delete_password(_SERVICE, name)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except _refusals() as error:
        # A backend may put anything into its message, so only the kind of the error is told.
        raise KeyringError(type(error).__name__) from error


def _refusals() -> tuple[type[Exception], ...]:
    """What backends raise: keyring's own errors, and those of the Secret Service, which it lets through."""
    from keyring.errors import KeyringError as Refusal  # noqa: PLC0415 - see above

    foreign = (("secretstorage.exceptions", "SecretStorageException"), ("jeepney.wrappers", "DBusErrorResponse"))
    # Only a backend that has imported them can raise them.
    there = [getattr(sys.modules[module], name) for module, name in foreign if module in sys.modules]
    return (Refusal, OSError, *there)


def _backend() -> "KeyringBackend":
    import keyring  # noqa: PLC0415 - see above
    from keyring.errors import NoKeyringError as NoBackend  # noqa: PLC0415 - see above

    backend = keyring.get_keyring()
    # By the convention of keyring, what is below 1 is not recommended: nothing at all, or a file in the clear.
    try:
        is_real = backend.priority >= 1
    except (RuntimeError, NoBackend) as error:
        raise NoKeyringError from error
    if not is_real:
        raise NoKeyringError
    return backend
