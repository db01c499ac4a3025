"""What td turso prints of Turso Cloud."""

from typing import Literal

from cli.schemas.shapes import Document


class TursoDatabase(Document):
    """A database. region: where its primary is. protected: it cannot be deleted."""

    name: str
    url: str
    group: str | None
    region: str | None
    protected: bool


class TursoChange(TursoDatabase):
    """What was done with a database."""

    action: Literal["created", "deleted"]


class TursoGroup(Document):
    """Where databases lie together."""

    name: str
    region: str | None


class TursoToken(Document):
    """A token that was made for a database. role: rw or ro. ttl_s: how long it holds. token: itself, this once."""

    action: Literal["minted"]
    database: str
    role: Literal["rw", "ro"]
    ttl_s: int
    token: str


class TursoInvalidated(Document):
    """A database whose tokens all ended."""

    action: Literal["invalidated"]
    database: str


class PlatformTokenKept(Document):
    """What became of the platform token. where: keyring or vault."""

    action: Literal["kept", "forgotten"]
    where: Literal["keyring", "vault"]
