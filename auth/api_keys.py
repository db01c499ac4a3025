"""API keys: secrets for programs, as `td_live_` with 32 random characters and 6 of a checksum.

Always true:
- what opens something is never stored, only its SHA-256: 190 random bits need no slow hash;
- a mistyped key is known for one without asking anywhere, by its checksum.
"""

import hashlib
import re
import secrets
import zlib
from typing import Final

from auth.token_errors import MalformedTokenError

PREFIX: Final = "td_live_"
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_CHARACTERS: Final = 32
_CHECKSUM_CHARACTERS: Final = 6
_SHAPE: Final = re.compile(rf"{PREFIX}([0-9A-Za-z]{{{_RANDOM_CHARACTERS}}})([0-9A-Za-z]{{{_CHECKSUM_CHARACTERS}}})")


def new_api_key() -> str:
    """A new API key. This is the only moment at which it can be shown."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARACTERS))
    return PREFIX + body + _checksum(body)


def looks_like_api_key(credential: str) -> bool:
    """Whether it is to be taken for an API key, and not for a token."""
    return credential.startswith(PREFIX)


def check_shape(api_key: str) -> None:
    """Return if it is whole; whether it opens anything, only its digest tells.

    Raises:
        MalformedTokenError: it is mistyped, cut off, or no API key.
    """
    found = _SHAPE.fullmatch(api_key)
    if found is None or _checksum(found[1]) != found[2]:
        raise MalformedTokenError


def digest(secret: str) -> str:
    """What is stored of an API key or a token: its SHA-256, in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _checksum(body: str) -> str:
    rest, characters = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM_CHARACTERS):
        rest, digit = divmod(rest, len(_ALPHABET))
        characters = _ALPHABET[digit] + characters
    return characters
