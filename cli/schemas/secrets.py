"""What td prints once. Only here a document holds a secret: one that was just made, and is kept by nobody else."""

from typing import Literal

from cli.schemas.serving import ApiKeyDocument, TokenDocument
from cli.schemas.shapes import Document


class NewVaultKey(Document):
    """A key for a vault."""

    key: str


class RotatedVaultKey(Document):
    """A vault that has a new key. vault: the file. key: the new one, null where it was given on stdin."""

    action: Literal["vault_key_rotated"]
    vault: str
    key: str | None


class MintedToken(TokenDocument):
    """A new token, with the token itself."""

    token: str


class MadeApiKey(ApiKeyDocument):
    """A new API key, with the key itself."""

    api_key: str
