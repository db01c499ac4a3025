"""The sign-in with WorkOS that a profile has, as it is kept in the vault."""

import os

from auth.errors import AuthError
from auth.signed_in import SignedIn
from auth.vault import Vault
from cli.credentials import vault_directory, vault_of
from cli.errors import ForeignError


def signed_in(vault: Vault, credential: str) -> SignedIn:
    """The sign-in of that name; there need not be one."""
    # Names are of our own making, and no part of a path but for the one slash.
    return SignedIn(vault, credential, lock=vault_directory() / f"sign-in-{credential.replace('/', '-')}.lock")


def forget_sign_in(credential: str) -> None:
    """Delete it, after a renewal that runs just now, which else would bring it back. Raises ForeignError."""
    try:
        signed_in(vault_of(os.environ, credential), credential).forget()
    except AuthError as error:
        raise ForeignError(error.code, str(error), error.hint) from error
