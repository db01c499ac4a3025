"""What opens an encrypted file of secrets: a key of 32 bytes, or a passphrase.

Always true: neither is shown by `repr`, and an error never holds what was given.
"""

import base64
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self, TypeAlias

from auth.vault_errors import BadVaultKeyError, VaultKeyMissingError

KEY_VARIABLE: Final = "TD_VAULT_KEY"
KEY_FILE_VARIABLE: Final = "TD_VAULT_KEY_FILE"
PASSPHRASE_VARIABLE: Final = "TD_VAULT_PASSPHRASE"  # noqa: S105 - the name of a variable
_KEY_BYTES: Final = 32
_KEY_LENGTH: Final = 43
# The last character stands for four bits only: two texts are never one key.
_KEY: Final = re.compile(rf"[A-Za-z0-9_-]{{{_KEY_LENGTH - 1}}}[AEIMQUYcgkosw048]")
# NIST SP 800-63B, 5.1.1.1: what people choose has at least 8 characters.
_PASSPHRASE_LENGTH_MIN: Final = 8


@dataclass(frozen=True, slots=True)
class VaultKey:
    """A key. secret: 32 bytes drawn by chance."""

    secret: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """A new key."""
        return cls(secrets.token_bytes(_KEY_BYTES))

    @classmethod
    def parse(cls, text: str, *, source: str = KEY_VARIABLE) -> Self:
        """A key as `text` writes it, with or without padding. Raises BadVaultKeyError, naming `source`."""
        bare = text.strip().rstrip("=")
        if not _KEY.fullmatch(bare):
            raise BadVaultKeyError(source, f"it is not {_KEY_LENGTH} characters of base64url")
        return cls(base64.urlsafe_b64decode(bare + "="))

    @property
    def text(self) -> str:
        """The key as people keep it: base64url without padding, 43 characters (RFC 4648, 5)."""
        return base64.urlsafe_b64encode(self.secret).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Passphrase:
    """A passphrase of at least 8 characters. source: where it came from. Raises BadVaultKeyError."""

    text: str = field(repr=False)
    source: str = field(default="the passphrase", repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.text) < _PASSPHRASE_LENGTH_MIN:
            raise BadVaultKeyError(self.source, f"it has fewer than {_PASSPHRASE_LENGTH_MIN} characters")


Opener: TypeAlias = VaultKey | Passphrase


def is_opener_given(environ: Mapping[str, str]) -> bool:
    """Whether the environment holds what could open a vault."""
    return any(_given(environ, name) for name in (KEY_VARIABLE, KEY_FILE_VARIABLE, PASSPHRASE_VARIABLE))


def find_opener(environ: Mapping[str, str], ask: Callable[[], str] | None = None) -> Opener:
    """What opens the vault.

    TD_VAULT_KEY, else the key in the file that TD_VAULT_KEY_FILE names (what systemd and container engines hand to a
    program they hand as a file), else TD_VAULT_PASSPHRASE, else what a person answers to `ask`.

    Raises:
        VaultKeyMissingError: none of them is there.
        BadVaultKeyError: the first that is there is no key, cannot be read, or is too short.
    """
    if key := _given(environ, KEY_VARIABLE):
        return VaultKey.parse(key)
    if path := _given(environ, KEY_FILE_VARIABLE):
        return VaultKey.parse(_key_in(Path(path)), source=KEY_FILE_VARIABLE)
    if passphrase := _given(environ, PASSPHRASE_VARIABLE):
        return Passphrase(passphrase, PASSPHRASE_VARIABLE)
    if ask is None:
        raise VaultKeyMissingError
    return Passphrase(ask())


def _key_in(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise BadVaultKeyError(KEY_FILE_VARIABLE, f"{path}: {reason}") from None


def _given(environ: Mapping[str, str], name: str) -> str:
    # The line end is what `export NAME="$(< file)"` and its like may leave; spaces may be meant.
    return environ.get(name, "").strip("\r\n")
