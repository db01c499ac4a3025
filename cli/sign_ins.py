"""The sign-in with WorkOS that a profile has, as it is kept in the vault."""

from auth.signed_in import SignedIn
from auth.vault import Vault
from cli.credentials import vault_directory


def signed_in(vault: Vault, credential: str) -> SignedIn:
    """The sign-in of that name; there need not be one."""
    # Names are of our own making, and no part of a path but for the one slash.
    return SignedIn(vault, credential, lock=vault_directory() / f"sign-in-{credential.replace('/', '-')}.lock")
