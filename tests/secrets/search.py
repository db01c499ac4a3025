"""Look for secrets in what a program left behind, in whatever form they are there.

A secret is found by its pieces, so that one which SQLite split between two pages is found as well.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

_PIECE: Final = 16
# RFC 7515 section 3.1: a signed token, of whomever. The third part of an unsigned one is empty: it opens nothing.
_JWT: Final = re.compile(rb"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{20,}")


def leaks(data: bytes, secrets: Mapping[str, str]) -> set[str]:
    """The names of the secrets that `data` holds, whole or in pieces, as they are or encoded."""
    found = {name for name, secret in secrets.items() if any(form in data for form in _forms(secret))}
    return found | ({"a signed token"} if _JWT.search(data) else set())


def leaks_of_files(directory: Path, secrets: Mapping[str, str]) -> dict[str, set[str]]:
    """The same of every file below a directory, and of its name."""
    found = {
        str(path.relative_to(directory)): leaks(_content(path) + str(path).encode(), secrets)
        for path in directory.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    return {name: names for name, names in found.items() if names}


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        # A lock or a log of SQLite that went meanwhile.
        return b""


def _forms(secret: str) -> Iterator[bytes]:
    for start in range(0, max(1, len(secret) - _PIECE + 1), _PIECE):
        piece = secret[start : start + _PIECE].encode()
        yield piece
        yield quote(piece).encode()
        yield piece.hex().encode()
        yield piece.decode().encode("utf-16-le")
        # Where it begins in what was encoded decides how it looks; the ends hold bits of its neighbours.
        for offset in range(3):
            encoded = base64.b64encode(bytes(offset) + piece).rstrip(b"=")[4:-4]
            yield encoded
            yield encoded.replace(b"+", b"-").replace(b"/", b"_")
