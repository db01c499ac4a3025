"""What the whole suite leaves on the disk, searched for the secrets that its tests use, of whatever test they are.

A secret is known by its form, or by the words that secrets of tests have in them. What a test itself writes in the
clear, because it is about that, is named here with the reason.
"""

import re
from pathlib import Path
from typing import Final

_SECRET: Final = re.compile(
    # A signed token (RFC 7515 section 3.1), an API key of ours, a private key of a tenant (as each begins in PEM, RFC
    # 8410; keys of certificates begin otherwise, and tests make some), and what tests call a secret.
    rb"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{20,}|\btd_live_\w{38}|MC4CAQAwBQYDK2Vw"
    rb"|s3cret|nobody-sees|nobody-may-see|refresh-secret-|device-secret-"
)
_WRITTEN_BY_TESTS: Final = {
    "key": "what is no key, given in a file to see that it is not shown",
    "next.txt": "a page logs in with a file, as people do who were sent a token",
    "token.txt": "the same",
    "keyring.json": "the double of a keyring keeps in the clear what a real one encrypts",
}
# Larger ones are databases of tests about size, without a secret near them.
_BYTES_MAX: Final = 8 << 20


def left_behind(directory: Path) -> list[str]:
    """The files below a directory that hold a secret."""
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if _holds_secret(path))


def _holds_secret(path: Path) -> bool:
    if path.name in _WRITTEN_BY_TESTS or path.is_symlink() or not path.is_file():
        return False
    try:
        return path.stat().st_size <= _BYTES_MAX and _SECRET.search(path.read_bytes()) is not None
    except OSError:
        # It went meanwhile, or is not for us to read.
        return False
