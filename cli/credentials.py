"""Where secrets come from and are kept: the environment, and the vault.

Always true: a token is never printed, never an argument of a process, and never part of an error.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from cli.errors import ForeignError, InvalidValueError
from tracker import NotAllowedError

if TYPE_CHECKING:
    from auth.vault import Vault

TOKEN_VARIABLE: Final = "TD_DATABASE_TOKEN"  # noqa: S105 - the name of a variable, not a token
_TOKEN_LENGTH_MAX: Final = 16_384
# How the names of what is in the encrypted file begin, so that they are not looked for in a keyring that came later.
_IN_FILE: Final = "file/"


def given_token(environ: Mapping[str, str]) -> str | None:
    """The token that the environment gives this call, or None. Raises NotAllowedError for what is none."""
    given = environ.get(TOKEN_VARIABLE, "").strip()
    if given and not _is_token(given):
        raise NotAllowedError(f"{TOKEN_VARIABLE} does not hold a token", "a token is one line without spaces")
    return given or None


def keeper_of(credential: str) -> str:
    """What keeps the token of that name: `keyring`, or `vault`, which is the encrypted file."""
    return "vault" if credential.startswith(_IN_FILE) else "keyring"


def read_token_line(source: TextIO, called: str = "stdin", *, command: str = "td login") -> str:
    """The token on the first line of `source`, which is called so. command: what reads it. Raises InvalidValueError."""
    try:
        token = source.readline(_TOKEN_LENGTH_MAX + 1).strip()
    except UnicodeDecodeError:
        token = ""
    if not _is_token(token):
        hint = (
            f"pipe it in: {command} --token-stdin < token.txt" if called == "stdin" else "nothing was kept; try again"
        )
        raise InvalidValueError(f"there is no token on {called}", hint)
    return token


def keep_token(token: str, credential: str | None = None) -> str:
    """Keep a token in the vault, in place of the one called `credential`; returns its name. Raises ForeignError."""
    # Only who keeps a token pays for it.
    from auth.errors import AuthError  # noqa: PLC0415 - see above

    try:
        vault = _open_vault(os.environ, credential)
        credential = _name_in(vault, credential)
        vault.store(credential, token)
    except AuthError as error:
        raise ForeignError(error.code, str(error), error.hint) from error
    return credential


def vault_directory() -> Path:
    """Where the encrypted file is, or would be."""
    # Only who opens a vault pays for it.
    from platformdirs import user_data_path  # noqa: PLC0415 - see above

    return user_data_path("replica-toolkit", appauthor=False)


def user_vault() -> "Vault":
    """What keeps this user's secrets, for what is of no single directory. Raises AuthError."""
    return _open_vault(os.environ, None)


def _name_in(vault: "Vault", credential: str | None) -> str:
    """The name of a token in `vault`: the one it has there, or a new one."""
    beginning = _IN_FILE if vault.kind == "file" else ""
    if credential is not None and credential.startswith(_IN_FILE) == bool(beginning):
        return credential
    # Two tenants may have one address, so the name is not made of it.
    return beginning + os.urandom(8).hex()


def read_kept(environ: Mapping[str, str], credential: str) -> Callable[[], str | None]:
    """What reads the secret of that name, or None where it is gone. It raises NotAllowedError where it cannot."""
    # A sync asks more than once; a person is asked for a passphrase only once.
    opened: list[Vault] = []

    def read() -> str | None:
        # Only who needs a kept secret pays for it.
        from auth.errors import AuthError  # noqa: PLC0415 - see above

        try:
            if not opened:
                opened.append(vault_of(environ, credential))
            return opened[0].read(credential)
        except AuthError as error:
            raise NotAllowedError(str(error), error.hint) from error

    return read


def vault_of(environ: Mapping[str, str], credential: str) -> "Vault":
    """The vault that keeps the secret of that name, whatever TD_VAULT says now. Raises AuthError."""
    from auth.vault import VAULT_VARIABLE  # noqa: PLC0415 - see above

    kind = "file" if credential.startswith(_IN_FILE) else "keyring"
    return _open_vault({**environ, VAULT_VARIABLE: kind}, credential)


def forget(credential: str) -> None:
    """Delete the secret of that name; harmless where it is gone. Raises ForeignError."""
    from auth.errors import AuthError  # noqa: PLC0415 - see above

    try:
        vault_of(os.environ, credential).delete(credential)
    except AuthError as error:
        raise ForeignError(error.code, str(error), error.hint) from error


def new_place(credential: str | None) -> "tuple[Vault, str]":
    """The vault for a secret that is to be kept, opened, and its name there. Raises ForeignError.

    credential: the name that the one before has; it stays, where the vault is the same.
    """
    from auth.errors import AuthError  # noqa: PLC0415 - see above

    try:
        vault = _open_vault(os.environ, credential)
        name = _name_in(vault, credential)
        # What cannot be opened is found out before a person has done their part.
        vault.read(name)
    except AuthError as error:
        raise ForeignError(error.code, str(error), error.hint) from error
    return vault, name


def _open_vault(environ: Mapping[str, str], credential: str | None) -> "Vault":
    """The vault for `credential`: what is in the file stays there, unless TD_VAULT says otherwise."""
    from auth.vault import FILE_NAME, VAULT_VARIABLE, open_vault  # noqa: PLC0415 - see above
    from cli.passphrase import asking  # noqa: PLC0415 - see above

    if credential is not None and credential.startswith(_IN_FILE) and not environ.get(VAULT_VARIABLE):
        environ = {**environ, VAULT_VARIABLE: "file"}
    directory = vault_directory()
    return open_vault(environ, directory, ask=asking(directory / FILE_NAME))


def _is_token(text: str) -> bool:
    return 0 < len(text) <= _TOKEN_LENGTH_MAX and text.isascii() and text.isprintable() and " " not in text
