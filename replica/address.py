"""Addresses of primaries: which are meant, which are refused.

Always true: a token never goes over plain http to another machine, and never stands in a URL.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

from replica.errors import InputError, NotAllowedError

_SCHEMES: Final = {"libsql": "https", "wss": "https", "ws": "http", "http": "http", "https": "https"}
# An underscore is no host name by the letter, and is common in private networks.
_LABEL: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_NAME_LENGTH_MAX: Final = 253
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def check_url(typed: str) -> str:
    """The URL of a primary, without the space around it, which may be shown and kept. Raises InputError."""
    url = typed.strip()
    parts = _split(url)
    if parts is None or parts.scheme not in _SCHEMES or not _is_host(parts.hostname or ""):
        # What is not a URL may be anything, a pasted token too: it is not repeated.
        raise InputError(
            "this is not the URL of a primary", "for example http://127.0.0.1:8080 or libsql://name.turso.io"
        )
    if parts.username or parts.password or "token" in parts.query.lower():
        raise InputError(
            "a URL must not hold a user name, a password or a token", "give the token in TD_DATABASE_TOKEN"
        )
    if parts.query not in ("", "tls=0", "tls=1") or parts.fragment or not (url.isascii() and url.isprintable()):
        raise InputError("the URL of a primary holds more than an address", "leave out what follows the ? or the #")
    return url


def _is_host(name: str) -> bool:
    """Whether a host can be asked for. Source: RFC 1123 2.1, and RFC 3986 3.2.2 for addresses in digits."""
    if ":" in name:
        try:
            return ip_address(name).version == 6
        except ValueError:
            return False
    return len(name) <= _NAME_LENGTH_MAX and all(_LABEL.fullmatch(label) for label in name.removesuffix(".").split("."))


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
