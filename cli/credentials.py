"""Where the token of a call comes from: the environment, then the keyring.

Always true: a token is never printed, never an argument of a process, and never part of an error.
"""

import os
from collections.abc import Callable, Mapping
from typing import Final, TextIO

from cli.errors import ForeignError, InvalidValueError
from tracker import NotAllowedError

TOKEN_VARIABLE: Final = "TD_DATABASE_TOKEN"  # noqa: S105 - the name of a variable, not a token
_TOKEN_LENGTH_MAX: Final = 16_384


def token_source(environ: Mapping[str, str], credential: str | None) -> Callable[[], str | None]:
    """A function that finds the token when it is needed. It raises NotAllowedError where it cannot."""

    def find() -> str | None:
        given = environ.get(TOKEN_VARIABLE, "").strip()
        if given:
            if not _is_token(given):
                raise NotAllowedError(f"{TOKEN_VARIABLE} does not hold a token", "a token is one line without spaces")
            return given
        return None if credential is None else _read_kept(credential)

    return find


def token_origin(environ: Mapping[str, str], credential: str | None) -> str | None:
    """Where the token of this call would come from; None if there is none."""
    if environ.get(TOKEN_VARIABLE, "").strip():
        return "environment"
    return None if credential is None else "keyring"


def read_token_line(source: TextIO) -> str:
    """The token on the first line of `source`. Raises InvalidValueError."""
    try:
        token = source.readline(_TOKEN_LENGTH_MAX + 1).strip()
    except UnicodeDecodeError:
        token = ""
    if not _is_token(token):
        raise InvalidValueError("there is no token on stdin", "pipe it in: td init … --token-stdin < token.txt")
    return token


def keep_token(token: str, credential: str | None = None) -> str:
    """Keep a token in the keyring, in place of the one called `credential`; returns its name. Raises ForeignError."""
    # Only who keeps a token pays for these.
    from auth.errors import AuthError  # noqa: PLC0415 - see above
    from auth.vault import store_token  # noqa: PLC0415 - see above

    # Two tenants may have one address, so the name is not made of it.
    credential = credential or os.urandom(8).hex()
    try:
        store_token(credential, token)
    except AuthError as error:
        raise ForeignError(error.code, str(error), error.hint) from error
    return credential


def _read_kept(credential: str) -> str | None:
    from auth.errors import AuthError  # noqa: PLC0415 - see above
    from auth.vault import read_token  # noqa: PLC0415 - see above

    try:
        return read_token(credential)
    except AuthError as error:
        raise NotAllowedError(str(error), error.hint) from error


def _is_token(text: str) -> bool:
    return 0 < len(text) <= _TOKEN_LENGTH_MAX and text.isascii() and text.isprintable() and " " not in text
