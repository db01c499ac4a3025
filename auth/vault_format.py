"""The encrypted file of secrets, as bytes.

```
magic      8  RTKVAULT
version    1  1
kdf        1  0: the key itself; 1: a passphrase, by scrypt (RFC 7914)
cost       3  of scrypt: log2 of N, r, p; zero for a key
salt      16  drawn by chance for each key
check     16  tells whether a key is the right one
nonce     12  drawn by chance for each writing
sealed     n  names and secrets in JSON, by AES-256-GCM; all that is before it is authenticated with it
digest    32  SHA-256 of all that is before it, in every version
```

Cipher key and check are made of the key or of what scrypt makes of the passphrase, and of the salt, by HKDF (RFC 5869).

Always true:
- what was not sealed with the key, byte for byte, is never returned;
- a digest that does not fit is damage, whatever the key; where it fits, a check that does not is another key. One who
  writes salt, check and digest anew has made another vault: to any key of ours, that is one with another key.
"""

import hashlib
import hmac
import json
import os
import struct
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from auth.vault_errors import NewerVaultError, TamperedVaultError, WrongVaultKeyError
from auth.vault_key import Opener, Passphrase

_MAGIC: Final = b"RTKVAULT"
_VERSION: Final = 1
_LOCK: Final = struct.Struct(">8sBBBBB16s16s")
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_DIGEST_BYTES: Final = 32
_SEALED_AT: Final = _LOCK.size + _NONCE_BYTES


class Kdf(IntEnum):
    """How the key of a vault is made of what opens it."""

    KEY = 0
    SCRYPT = 1


@dataclass(frozen=True, slots=True)
class Cost:
    """What trying one passphrase costs, by scrypt: 128 · 2^log2_n · r bytes of memory, p times."""

    log2_n: int
    r: int = 8
    p: int = 1


# OWASP, Password Storage: N = 2^17, r = 8, p = 1; 128 MiB and about 0.4 s.
COST: Final = Cost(17)
_NO_COST: Final = Cost(0, 0, 0)
# The cost stands in a file that is not authenticated yet; it must not take the memory of the machine.
_LOG2_N_RANGE: Final = range(10, 21)


@dataclass(frozen=True, slots=True)
class Lock:
    """What a key is together with one salt: made once for many readings, because scrypt is meant to be slow.

    head: as it stands at the beginning of the file.
    """

    head: bytes
    cipher_key: bytes = field(repr=False)


def make_lock(opener: Opener, *, cost: Cost = COST) -> Lock:
    """A lock with a salt of its own, that `opener` opens."""
    kdf, cost = (Kdf.SCRYPT, cost) if isinstance(opener, Passphrase) else (Kdf.KEY, _NO_COST)
    salt = os.urandom(16)
    cipher_key, check = _derive(opener, cost, salt)
    return Lock(_LOCK.pack(_MAGIC, _VERSION, kdf, cost.log2_n, cost.r, cost.p, salt, check), cipher_key)


def lock_of(data: bytes, opener: Opener, *, path: Path) -> Lock:
    """The lock of the vault `data`, read from `path`.

    Raises:
        WrongVaultKeyError: `opener` is not what it was made with.
        TamperedVaultError: it is not as it was written.
        NewerVaultError: it is of a newer version.
    """
    _check_whole(data, path)
    _, _, kdf, log2_n, r, p, salt, check = _LOCK.unpack_from(data)
    cost = Cost(log2_n, r, p)
    is_known = cost == _NO_COST if kdf == Kdf.KEY else kdf == Kdf.SCRYPT and _is_bearable(cost)
    if not is_known:
        raise TamperedVaultError(path, "its header is not one that was ever written")
    if (kdf == Kdf.SCRYPT) != isinstance(opener, Passphrase):
        made, given = ("passphrase", "key") if kdf == Kdf.SCRYPT else ("key", "passphrase")
        raise WrongVaultKeyError(path, f"it was made with a {made}, and a {given} is given")
    cipher_key, expected = _derive(opener, cost, salt)
    if not hmac.compare_digest(check, expected):
        given = "passphrase" if kdf == Kdf.SCRYPT else "key"
        raise WrongVaultKeyError(path, f"it was made with another {given}")
    return Lock(data[: _LOCK.size], cipher_key)


def seal(entries: Mapping[str, str], lock: Lock) -> bytes:
    """The file that holds `entries`: names and secrets."""
    head = lock.head + os.urandom(_NONCE_BYTES)
    content = json.dumps(dict(entries)).encode()
    body = head + AESGCM(lock.cipher_key).encrypt(head[-_NONCE_BYTES:], content, head)
    return body + hashlib.sha256(body).digest()


def unseal(data: bytes, lock: Lock, *, path: Path) -> dict[str, str]:
    """What `seal` made `data` of. Raises TamperedVaultError."""
    head, sealed = data[:_SEALED_AT], data[_SEALED_AT:-_DIGEST_BYTES]
    try:
        content = AESGCM(lock.cipher_key).decrypt(head[-_NONCE_BYTES:], sealed, head)
    except InvalidTag as error:
        raise TamperedVaultError(path, "the key is right, and what it sealed is not there any more") from error
    entries: dict[str, str] = json.loads(content)
    return entries


def is_locked_by(data: bytes, lock: Lock, *, path: Path) -> bool:
    """Whether `data` is whole and was made with `lock`. Raises TamperedVaultError or NewerVaultError."""
    _check_whole(data, path)
    return hmac.compare_digest(data[: _LOCK.size], lock.head)


def _check_whole(data: bytes, path: Path) -> None:
    if not data.startswith(_MAGIC) or len(data) < _SEALED_AT + _TAG_BYTES + _DIGEST_BYTES:
        raise TamperedVaultError(path, "it does not begin as a vault does, or it is cut short")
    if hashlib.sha256(data[:-_DIGEST_BYTES]).digest() != data[-_DIGEST_BYTES:]:
        raise TamperedVaultError(path, "its checksum does not fit")
    version = data[len(_MAGIC)]
    if version > _VERSION:
        raise NewerVaultError(path, version)


def _is_bearable(cost: Cost) -> bool:
    return cost.log2_n in _LOG2_N_RANGE and cost.r == COST.r and cost.p in range(1, 5)


def _derive(opener: Opener, cost: Cost, salt: bytes) -> tuple[bytes, bytes]:
    """The cipher key and the check."""
    if isinstance(opener, Passphrase):
        # One keyboard types é as one character, another as two.
        text = unicodedata.normalize("NFC", opener.text).encode(errors="surrogateescape")
        secret = Scrypt(salt=salt, length=32, n=1 << cost.log2_n, r=cost.r, p=cost.p).derive(text)
    else:
        secret = opener.secret
    made = HKDF(algorithm=SHA256(), length=48, salt=salt, info=b"replica-toolkit vault 1").derive(secret)
    return made[:32], made[32:]
