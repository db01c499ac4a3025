"""Whom to believe to be the primary: certificates, and what is said of one that does not prove it.

Always true:
- push and pull trust the same authorities: those of Mozilla, or one of the user's own in their place, never both;
- a primary that cannot prove who it is gets no request and no token.

Source: RFC 5280 6 (the path from a certificate to an authority), RFC 9525 (names).
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

import certifi

from replica.errors import InputError, UnreachableError, UntrustedError

_EXPIRED: Final = ("it has expired", "have it renewed, and look whether the clock of this machine is right")
_TOO_EARLY: Final = ("it is not valid yet", "look whether the clock of this machine is right")
_OTHER_NAME: Final = ("it is for another name", "use the name in the URL that the certificate is for")
_UNKNOWN: Final = (
    "no authority that is trusted here has signed it",
    "if your own authority did, name the file of that one's certificate with `ca_file`; if not, do not go on",
)
_OF_AN_AUTHORITY: Final = (
    "it is the certificate of an authority itself, with which nothing can be fetched",
    "have that authority sign one for the primary, and name the authority's with `ca_file`",
)
_OTHERWISE: Final = ("it is refused", "have one made anew for the primary")
# X509_V_ERR_… of OpenSSL.
_BY_CODE: Final = {
    9: _TOO_EARLY,
    10: _EXPIRED,
    18: _UNKNOWN,
    19: _UNKNOWN,
    20: _UNKNOWN,
    21: _UNKNOWN,
    62: _OTHER_NAME,
    64: _OTHER_NAME,
}
# What rustls calls them, with which the client library pulls.
_BY_WORD: Final = {
    "NotValidYet": _TOO_EARLY,
    "Expired": _EXPIRED,
    "UnknownIssuer": _UNKNOWN,
    "NotValidForName": _OTHER_NAME,
    "CaUsedAsEndEntity": _OF_AN_AUTHORITY,
}


def authorities(ca_file: Path | None) -> Path:
    """The file with the certificates of those who are trusted."""
    return Path(certifi.where()) if ca_file is None else ca_file


def check_ca_file(typed: Path) -> Path:
    """A file with certificates, by a path that stays right wherever one is. Raises InputError."""
    try:
        path = typed.expanduser().absolute()
    except RuntimeError as error:
        raise InputError(f"cannot find {typed}: {error}", "give the whole path") from error
    trusting(path)
    return path


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """What a TLS connection needs to verify certificates and names. Raises InputError for a file that has none."""
    path = authorities(ca_file)
    # An error is kept in a file, which takes not all that names can hold.
    told = str(path).encode(errors="backslashreplace").decode()
    try:
        return ssl.create_default_context(cafile=str(path))
    except ssl.SSLError as error:
        raise InputError(f"{told} holds no certificate", "give `ca_file` a file in PEM form") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot read the certificate in {told}: {reason}", "mend the path in `ca_file`") from error
    except ValueError as error:
        # What no name of a file can hold is told of in this way.
        raise InputError(f"{told[:200]!a} cannot be a file", "mend the path in `ca_file`") from error


def trusting_nobody() -> ssl.SSLContext:
    """The same where no TLS is meant to be spoken: whoever did would be refused. Quick: it reads no file."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def refused_handshake(url: str, error: ssl.SSLError) -> UnreachableError:
    """Why the connection to the primary at `url` did not come about; nothing was sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _untrusted(url, _BY_CODE.get(error.verify_code, _OTHERWISE))
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return UnreachableError(f"the primary at {url} did not answer: it hung up")
    return UnreachableError(
        f"what answers at {url} does not speak TLS as it should ({error.reason or 'no reason given'})",
        "nothing was sent; check whether the URL should begin with http, and its port",
    )


def refused_pull(url: str, problem: str) -> UnreachableError | None:
    """The same of a pull, by what the client library says; None if its trouble is another."""
    if "invalid peer certificate" in problem:
        return _untrusted(url, next((told for word, told in _BY_WORD.items() if word in problem), _OTHERWISE))
    if "error trying to connect" in problem:
        return UnreachableError(f"the primary at {url} did not answer: {problem.splitlines()[0][:200]}")
    return None


def _untrusted(url: str, told: tuple[str, str]) -> UntrustedError:
    reason, hint = told
    return UntrustedError(f"the certificate of the primary at {url} is not trusted: {reason}", hint)
