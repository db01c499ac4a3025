"""Addresses of primaries: which are meant, which are refused.

Always true: a token never goes over plain http to another machine, and never stands in a URL.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

from replica.errors import InputError, NotAllowedError

_SCHEMES: Final = {"libsql": "https", "wss": "https", "ws": "http", "http": "http", "https": "https"}
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def check_url(typed: str) -> str:
    """The URL of a primary, without the space around it, which may be shown and kept. Raises InputError."""
    url = typed.strip()
    parts = _split(url)
    is_text = url.isascii() and url.isprintable()
    if parts is None or parts.scheme not in _SCHEMES or not parts.hostname or not is_text:
        # What is not a URL may be anything, a pasted token too: it is not repeated.
        raise InputError(
            "this is not the URL of a primary", "for example http://127.0.0.1:8080 or libsql://name.turso.io"
        )
    if parts.username or parts.password or "token" in parts.query.lower() or parts.fragment:
        raise InputError(
            "a URL must not hold a user name, a password or a token", "give the token in TD_DATABASE_TOKEN"
        )
    return url


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # a port that is no number shows only when asked for
    except ValueError:
        return None
    return parts


def http_url(url: str) -> str:
    """The http(s) address of a primary's URL, without a trailing slash. Raises InputError for a malformed one."""
    parts = urlsplit(check_url(url))
    scheme = "http" if "tls=0" in parts.query.split("&") else _SCHEMES[parts.scheme]
    name = parts.hostname or ""
    host = f"[{name}]" if ":" in name else name
    return urlunsplit((scheme, host if parts.port is None else f"{host}:{parts.port}", parts.path.rstrip("/"), "", ""))


def is_turso(url: str) -> bool:
    """Whether the primary is at Turso Cloud."""
    return (urlsplit(url).hostname or "").endswith(".turso.io")


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine."""
    return urlsplit(url).hostname in _LOOPBACK


def refuse_open_token(url: str, token: str | None) -> None:
    """Raise NotAllowedError for a token that would travel in the clear to the primary at `url`."""
    if token and urlsplit(http_url(url)).scheme == "http" and not is_loopback(url):
        raise NotAllowedError(
            "a token is not sent over plain http to another machine", "use https (or libsql://) in the URL"
        )
