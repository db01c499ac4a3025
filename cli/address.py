"""URLs of primaries, as people type them.

Always true: a URL that passed has a host and holds no secret, so it may be written to a file and shown.
"""

from typing import Final
from urllib.parse import SplitResult, urlsplit

from cli.errors import InvalidValueError, NotPermittedError

_SCHEMES: Final = ("http", "https", "libsql", "ws", "wss")
_OPEN_SCHEMES: Final = ("http", "ws")
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_EXAMPLE: Final = "for example http://127.0.0.1:8080 or libsql://name.turso.io"


def check_url(typed: str) -> str:
    """The URL of a primary, without the space around it. Raises InvalidValueError."""
    url = typed.strip()
    parts = _split(url)
    if (
        parts is None
        or parts.scheme not in _SCHEMES
        or not parts.hostname
        or not url.isascii()
        or not url.isprintable()
    ):
        # What is not a URL may be anything, a pasted token too: it is not repeated.
        raise InvalidValueError("this is not the URL of a primary", _EXAMPLE)
    if parts.username or parts.password or "token" in parts.query.lower() or parts.fragment:
        raise InvalidValueError(
            "a URL must not hold a user name, a password or a token", "give the token in TD_DATABASE_TOKEN"
        )
    return url


def check_token_travels(url: str, token: str | None) -> None:
    """Raise NotPermittedError for a token that would travel in the clear."""
    parts = urlsplit(url)
    is_open = parts.scheme in _OPEN_SCHEMES or "tls=0" in parts.query.split("&")
    if token and is_open and parts.hostname not in _LOOPBACK:
        raise NotPermittedError(
            "a token is not sent over plain http to another machine", "use https:// or libsql:// in the URL"
        )


def is_turso(url: str) -> bool:
    """Whether the primary is at Turso Cloud."""
    return (urlsplit(url).hostname or "").endswith(".turso.io")


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # a port that is no number shows only when asked for
    except ValueError:
        return None
    return parts
