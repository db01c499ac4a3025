"""What can go wrong with secrets.

```
AuthError               base of all
├── SignInError         sign_in          signing in with WorkOS, and staying so; its own are in auth.sign_in_errors
├── NoKeyringError      no_keyring       this machine has no keyring that encrypts, and nothing opens a vault
├── KeyringError        keyring          the keyring is there and does not do what it is asked
├── VaultError          vault            the encrypted file; its own errors are in auth.vault_errors
└── TokenError          token            it opens nothing; why is in auth.token_errors
```

Always true: no text of an error holds a secret.
"""

from typing import ClassVar


class AuthError(Exception):
    """Something about who you are, or where your secrets live."""

    code: ClassVar[str] = "auth"
    hint: str = ""


class NoKeyringError(AuthError):
    """There is no keyring here that encrypts what it keeps, and nothing that would open an encrypted file.

    wanted: what TD_VAULT says, where that leaves the keyring alone.
    """

    code = "no_keyring"

    def __init__(self, wanted: str = "") -> None:
        super().__init__(wanted)
        self.wanted = wanted
        file = "set TD_VAULT_KEY to what td auth new-vault-key prints, and an encrypted file keeps it"
        if wanted:
            file = f"take TD_VAULT={wanted} out of the environment, {file}"
        self.hint = f"give the token in the environment, as TD_DATABASE_TOKEN, whenever it is needed; or {file}"

    def __str__(self) -> str:
        return "this machine has no keyring to keep a token in"


class KeyringError(AuthError):
    """The keyring is locked, or refuses."""

    code = "keyring"
    hint = "unlock the keyring, or give the token in TD_DATABASE_TOKEN"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the keyring refuses: {self.reason}"


class TokenError(AuthError):
    """A token or an API key that opens nothing. The text says what is wrong, and never holds any of it."""

    code = "token"
    hint = "ask whoever runs the primary for a token: td sqld token mint"


class VaultError(AuthError):
    """Something about the encrypted file."""

    code = "vault"
