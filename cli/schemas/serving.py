"""What td prints of a primary with tenants."""

from typing import Literal

from cli.schemas.shapes import Document


class ServerSettings(Document):
    """A server that is set up. state: its directory. workos_client_id: whose people may sign in to it."""

    state: str
    http_port: int
    admin_port: int
    gateway_port: int
    public_url: str | None
    replication_address: str | None
    read_replicas: list[str]
    requests_per_minute: int
    workos_client_id: str | None
    workos_url: str | None
    workos_issuer: str | None
    workos_audience: str | None
    creates_tenants: bool


class PartDocument(Document):
    """A process of a server. version: of sqld."""

    name: str
    address: str
    answers: bool
    version: str | None


class TenantSize(Document):
    """How much a tenant holds. bytes: null without a database. change: the number of its last change, if known."""

    name: str
    state: Literal["creating", "active", "suspended", "deleting", "deleted"]
    bytes: int | None
    change: int | None


class ReadReplicaDocument(Document):
    """A read replica. behind: how many changes it lacks of the tenant of which it lacks most; null: not known."""

    address: str
    answers: bool
    behind: int | None


class LastBackupDocument(Document):
    """The last backup of a server."""

    folder: str
    made_at: str


class ProblemDocument(Document):
    """What is not as it should be, and what to do about it."""

    text: str
    hint: str


class ServerStatus(Document):
    """How a server is. td: the version that looked. ok: whether there is no problem."""

    ok: bool
    state: str
    td: str
    parts: list[PartDocument]
    tenants: list[TenantSize]
    read_replicas: list[ReadReplicaDocument]
    last_backup: LastBackupDocument | None
    free_bytes: int
    disk_bytes: int
    problems: list[ProblemDocument]


class RunningReadReplica(Document):
    """A read replica that answers. primary: what it follows."""

    url: str
    pid: int
    primary: str
    data_dir: str
    log: str


class ProxyConfig(Document):
    """A configuration of nginx."""

    config: str


class RunningGateway(Document):
    """A gateway that answers. url: where; primary: where its sqld is."""

    url: str
    pid: int
    primary: str
    state: str


class RunningServer(Document):
    """All of a server. url: the public address; gateway, primary: where both are, on this machine. log: of nginx."""

    url: str
    pid: int
    gateway: str
    primary: str
    state: str
    log: str


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
