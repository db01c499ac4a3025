"""What td prints of a primary with tenants."""

from typing import Literal

from cli.schemas.shapes import Document


class ServerSettings(Document):
    """A server that is set up. state: its directory."""

    state: str
    http_port: int
    admin_port: int
    gateway_port: int
    public_url: str | None


class TenantDocument(Document):
    """A tenant. organisation: whose people it is for, where they sign in by WorkOS."""

    name: str
    namespace: str
    state: Literal["creating", "active", "suspended", "deleting", "deleted"]
    organisation: str | None
    created_at: str


class TenantChange(TenantDocument):
    """A tenant, and what was done with it."""

    action: Literal["tenant_created", "tenant_suspended", "tenant_resumed", "tenant_deleted"]


class KeyDocument(Document):
    """The public side of a key. not_after: until when it holds after the next one came."""

    id: str
    state: Literal["coming", "current", "previous", "retired"]
    created_at: str
    not_after: str | None


class DatabaseDocument(Document):
    """What sqld tells of a tenant's database."""

    bytes: int | None
    replication_index: int | None
    durability_mode: str | None
    max_db_size: str | None
    is_open: bool


class ShownTenant(TenantDocument):
    """A tenant in full. tokens, api_keys: how many hold. database: null where sqld does not run or has none."""

    keys: list[KeyDocument]
    tokens: int
    api_keys: int
    database: DatabaseDocument | None


class RotatedKey(Document):
    """A tenant that has a new key. old_keys_hold_until: null where none holds any more."""

    action: Literal["key_rotated"]
    tenant: str
    key: KeyDocument
    old_keys_hold_until: str | None


class TokenDocument(Document):
    """A token that was made. state: closed means that its key or its tenant is."""

    id: str
    tenant: str
    role: Literal["rw", "ro"]
    subject: str
    state: Literal["holds", "expired", "revoked", "closed"]
    created_at: str
    expires_at: str
    revoked_at: str | None


class RevokedToken(TokenDocument):
    """A token that opens nothing any more."""

    action: Literal["token_revoked"]


class ApiKeyDocument(Document):
    """An API key that was made. last_used_at: to the minute."""

    id: str
    tenant: str
    role: Literal["rw", "ro"]
    name: str
    state: Literal["holds", "expired", "revoked", "closed"]
    created_at: str
    expires_at: str
    revoked_at: str | None
    last_used_at: str | None


class RevokedApiKey(ApiKeyDocument):
    """An API key that opens nothing any more."""

    action: Literal["api_key_revoked"]
