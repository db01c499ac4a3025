"""What can go wrong with the encrypted file.

```
VaultError                      base of all, in auth.errors
├── VaultChoiceError            vault_choice    TD_VAULT names no kind of vault
├── VaultKeyMissingError        vault_key       a key is needed, and none is given
├── BadVaultKeyError            vault_key_bad   what is given is no key, or too short a passphrase
├── WrongVaultKeyError          vault_key_wrong the vault was not made with this key
├── TamperedVaultError          vault_tampered  the file is not as it was written
├── NewerVaultError             vault_newer     a newer program wrote it
├── NoVaultError                no_vault        there is no such file
└── VaultUnusableError          vault_storage   the file cannot be read or written, or somebody holds its lock
```

Always true: no text of an error holds a secret, also not a part of one that was refused.
"""

from pathlib import Path

from auth.errors import VaultError

_GIVE_A_KEY = (
    "set TD_VAULT_KEY, TD_VAULT_KEY_FILE or TD_VAULT_PASSPHRASE; for a new vault, td auth new-vault-key makes a key"
)


class VaultChoiceError(VaultError):
    """TD_VAULT names no kind of vault."""

    code = "vault_choice"
    hint = "set it to keyring or file, or to nothing: the keyring is taken where there is one, else the file"

    def __str__(self) -> str:
        return "TD_VAULT names no kind of vault"


class VaultKeyMissingError(VaultError):
    """A vault is to be opened or made, and nothing is given that could do it."""

    code = "vault_key"
    hint = _GIVE_A_KEY

    def __str__(self) -> str:
        return "the vault needs its key, and none is given"


class BadVaultKeyError(VaultError):
    """What is given is no key, or a passphrase that is too short. source: where it came from, never what it was."""

    code = "vault_key_bad"
    hint = "a key is the 43 characters that td auth new-vault-key prints; a passphrase has at least 8 characters"

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, reason)
        self.source, self.reason = source, reason

    def __str__(self) -> str:
        return f"{self.source} cannot open a vault: {self.reason}"


class WrongVaultKeyError(VaultError):
    """The vault was made with another key or passphrase; it is whole."""

    code = "vault_key_wrong"
    hint = "nothing was changed; give what it was made with, in TD_VAULT_KEY or TD_VAULT_PASSPHRASE"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"the vault {self.path} does not open: {self.reason}"


class TamperedVaultError(VaultError):
    """The file is there, and is not as it was written: damaged, or changed by somebody."""

    code = "vault_tampered"
    hint = (
        "nothing in it was used or changed; put a backup of it in its place, or move it away and keep the secrets anew"
    )

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"the vault {self.path} was damaged or tampered with: {self.reason}"


class NewerVaultError(VaultError):
    """A newer program wrote the file in a form that this one does not know."""

    code = "vault_newer"
    hint = "nothing was changed; upgrade: pip install --upgrade replica-toolkit"

    def __init__(self, path: Path, version: int) -> None:
        super().__init__(path, version)
        self.path, self.version = path, version

    def __str__(self) -> str:
        return f"the vault {self.path} is of version {self.version}, which is newer than this program"


class NoVaultError(VaultError):
    """There is no such file."""

    code = "no_vault"
    hint = "nothing is kept there yet: the first secret that is kept makes it"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"there is no vault {self.path}"


class VaultUnusableError(VaultError):
    """The file cannot be read or written; what was in it is still there."""

    code = "vault_storage"
    hint = "what was kept there is as it was; mend the reason, then try again"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"cannot use the vault {self.path}: {self.reason}"
