"""Addresses of primaries: which are meant, which are refused.

Always true: a token never goes over plain http to another machine, and never stands in a URL.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit, urlunsplit

from replica.errors import InputError, NotAllowedError

_SCHEMES: Final = {"libsql": "https", "wss": "https", "ws": "http", "http": "http", "https": "https"}
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def http_url(url: str) -> str:
    """The http(s) address of a primary's URL, without a trailing slash. Raises InputError for a malformed one."""
    hint = "for example http://127.0.0.1:8080 or libsql://name.turso.io"
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise InputError(f"{url!r} is not a URL: {error}", hint) from error
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None or not parts.hostname:
        raise InputError(f"{url!r} is not the URL of a primary", hint)
    if parts.username or parts.password:
        raise InputError(
            "a URL must not hold a user name, password or token", "give the token by TD_DATABASE_TOKEN or --token-stdin"
        )
    if "tls=0" in parts.query.split("&"):
        scheme = "http"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return urlunsplit((scheme, host if port is None else f"{host}:{port}", parts.path.rstrip("/"), "", ""))


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine."""
    return urlsplit(url).hostname in _LOOPBACK


def refuse_open_token(url: str, token: str | None) -> None:
    """Raise NotAllowedError for a token that would travel in the clear."""
    if token and urlsplit(url).scheme == "http" and not is_loopback(url):
        raise NotAllowedError(
            "a token is not sent over plain http to another machine", "use https (or libsql://) in the URL"
        )
