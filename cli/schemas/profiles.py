"""What td prints of profiles and logins. No document holds a secret."""

from typing import Literal

from cli.profiles import Auth
from cli.schemas.shapes import Document


class ProfileDocument(Document):
    """A profile. in_use: that it counts where nothing else is said. kept_in: what keeps its secret, or null."""

    name: str
    in_use: bool
    auth: Auth
    url: str | None
    mode: str | None
    ca_file: str | None
    workos_client_id: str | None
    workos_url: str | None
    organisation: str | None
    kept_in: Literal["keyring", "vault"] | None


class ProfileChange(ProfileDocument):
    """What became of a profile."""

    action: Literal["created", "changed", "in_use", "deleted"]


class LoggedIn(Document):
    """A login. user to expires_at: what the secret says of itself; null where it says nothing."""

    action: Literal["logged_in"]
    profile: str
    auth: Auth
    url: str
    kept_in: Literal["keyring", "vault"]
    user: str | None
    email: str | None
    organisation: str | None
    expires_at: str | None


class LoggedOut(Document):
    """What was forgotten. profile: null where the directory had the token itself."""

    action: Literal["logged_out"]
    profile: str | None
    was: Auth
    url: str | None


class StandingDocument(Document):
    """As whom one is known. renews: that td renews it before expires_at. problem: why it cannot be read."""

    profile: str | None
    url: str | None
    auth: Auth
    kept_in: Literal["environment", "keyring", "vault"] | None
    user: str | None
    email: str | None
    organisation: str | None
    expires_at: str | None
    expired: bool
    renews: bool
    problem: str | None
