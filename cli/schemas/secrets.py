"""What td prints of the vault. Only here a document holds a secret: a key that was just made, and is kept nowhere."""

from typing import Literal

from cli.schemas.shapes import Document


class NewVaultKey(Document):
    """A key for a vault."""

    key: str


class RotatedVaultKey(Document):
    """A vault that has a new key. vault: the file. key: the new one, null where it was given on stdin."""

    action: Literal["vault_key_rotated"]
    vault: str
    key: str | None
