"""The directory of a server with tenants.

```
STATE/server.json    ports, the public address; no secret
STATE/secrets        a FileVault: `admin-key`, `gateway-admin-key`, `tenant/NAME/KEY`
STATE/registry.db    tenants, public keys, digests of what was handed out
STATE/tenants.lock   held by who changes tenants
STATE/last-backup.json  where the last backup was put, and when
STATE/data/          the data directory of sqld
```

Always true:
- what is there is never replaced by setting up again, only what is missing is made;
- sqld gets its admin key by the environment, never as an argument, and none of the secrets of td;
- a namespace without a key of its own opens to nobody: the key of the server is one whose private half was thrown away.
"""

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from auth.sign_in import is_safe_url
from auth.tokens import SigningKey
from auth.vault import Vault
from sqld._durable import write_whole
from sqld.admin import Admin
from sqld.errors import PortTakenError
from sqld.ports import is_free
from sqld.registry import Registry
from sqld.server import Server
from sqld.state_errors import KeyMissingError, SettingError, StateError, StateMissingError
from sqld.tenants import Tenancy

STATE_VARIABLE: Final = "TD_SQLD_STATE"
ADMIN_KEY: Final = "admin-key"
GATEWAY_ADMIN_KEY: Final = "gateway-admin-key"
ADDRESS: Final = r"^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$"
_LOOPBACK: Final = "127.0.0.1"
# What would give sqld another key, or open it without one: from where read replicas fetch, anybody fetches anything.
_OVERRIDES: Final = (
    "SQLD_ADMIN_LISTEN_ADDR",
    "SQLD_AUTH_JWT_KEY_FILE",
    "SQLD_GRPC_LISTEN_ADDR",
    "SQLD_HTTP_AUTH",
    "SQLD_HTTP_LISTEN_ADDR",
)


def _address(url: str) -> str:
    parts = urlsplit(url)
    # Reading the port is what checks it.
    if parts.scheme not in ("http", "https", "libsql") or not parts.hostname or parts.port == 0:
        raise ValueError("it is no address of a server")
    if parts.scheme == "http" and not is_safe_url(url):
        raise ValueError("no token goes over plain http to another machine")
    if parts.username is not None or parts.query or not (url.isascii() and url.isprintable()):
        raise ValueError("it holds more than where a server is")
    return url


def _sign_in_address(url: str) -> str:
    if not is_safe_url(url):
        raise ValueError("no secret goes there; it begins with https://, or is this machine")
    return _address(url)


class Settings(BaseModel):
    """server.json.

    public_url: what clients are told. closed_key: a public key, in PEM, that opens nothing. requests_per_minute: of one
    token. workos_client_id: the application whose people may come in; None: nobody signs in. workos_url, workos_issuer,
    workos_audience: as of `auth.workos_tokens`, where they are not the usual. creates_tenants: whether an organisation
    gets a tenant when the first of its people comes. replication_address: where read replicas of the whole server fetch
    from; who reaches it needs no token. read_replicas: the addresses of their admin APIs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    http_port: int = Field(default=8080, ge=1, le=65535)
    admin_port: int = Field(default=8081, ge=1, le=65535)
    gateway_port: int = Field(default=8082, ge=1, le=65535)
    public_url: Annotated[str, AfterValidator(_address)] | None = None
    requests_per_minute: int = Field(default=1_200, ge=1)
    workos_client_id: str | None = None
    workos_url: Annotated[str, AfterValidator(_sign_in_address)] | None = None
    workos_issuer: str | None = None
    workos_audience: str | None = None
    creates_tenants: bool = False
    replication_address: str | None = Field(default=None, pattern=ADDRESS)
    read_replicas: tuple[Annotated[str, Field(pattern=ADDRESS)], ...] = ()
    closed_key: str


@dataclass(frozen=True, slots=True)
class State:
    """The directory of one server."""

    directory: Path

    @property
    def settings_path(self) -> Path:
        """Where its settings are."""
        return self.directory / "server.json"

    @property
    def vault_path(self) -> Path:
        """Where its secrets are, encrypted."""
        return self.directory / "secrets"

    @property
    def registry_path(self) -> Path:
        """Where its registry is."""
        return self.directory / "registry.db"

    @property
    def data_dir(self) -> Path:
        """What its sqld keeps."""
        return self.directory / "data"

    @property
    def lock_path(self) -> Path:
        """What is locked by who changes its tenants."""
        return self.directory / "tenants.lock"

    def settings(self) -> Settings:
        """Its settings.

        Raises:
            StateMissingError: nothing was set up here.
            StateError: they cannot be read or understood.
        """
        try:
            return Settings.model_validate_json(self.settings_path.read_bytes())
        except FileNotFoundError as error:
            raise StateMissingError(self.directory) from error
        except OSError as error:
            raise StateError(self.settings_path, error.strerror or str(error)) from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise StateError(self.settings_path, f"{where}: {first['msg']}" if where else first["msg"]) from error

    def registry(self) -> Registry:
        """Its registry. Raises StateMissingError, RegistryError."""
        if not os.path.exists(self.settings_path):  # noqa: PTH110 - that of pathlib raises for a name that is too long
            raise StateMissingError(self.directory)
        return Registry.open(self.registry_path)

    def admin(self, vault: Vault) -> Admin:
        """The admin API of its sqld. Raises StateMissingError, StateError, KeyMissingError, AuthError."""
        return Admin(self.settings().admin_port, read_key(vault, ADMIN_KEY))

    def tenancy(self, registry: Registry, vault: Vault) -> Tenancy:
        """Its tenants. Raises as `admin`."""
        return Tenancy(
            registry,
            vault,
            self.admin(vault),
            lock_path=self.lock_path,
            closed_key=self.settings().closed_key,
        )

    def server(self, binary: Path, vault: Vault, *, port: int | None = None, environ: Mapping[str, str]) -> Server:
        """Its sqld, not yet started.

        Args:
            binary: from `find_sqld`.
            vault: where the admin key is.
            port: to listen on, in place of the one in the settings.
            environ: what sqld may read more settings from.

        Raises:
            StateMissingError, StateError, KeyMissingError, AuthError: as `admin`.
            PortTakenError: another program listens on the admin port.
        """
        settings, admin_key = self.settings(), read_key(vault, ADMIN_KEY)
        if not is_free(_LOOPBACK, settings.admin_port):
            raise PortTakenError(_LOOPBACK, settings.admin_port)
        return Server(
            binary,
            port=settings.http_port if port is None else port or None,
            data_dir=self.data_dir,
            flags=sqld_flags(settings),
            environ=sqld_environ(settings, admin_key, environ),
        )


def sqld_flags(settings: Settings) -> list[str]:
    """The arguments of an sqld with tenants, besides those of any sqld."""
    flags = ["--enable-namespaces", "--admin-listen-addr", f"{_LOOPBACK}:{settings.admin_port}"]
    if settings.replication_address is not None:
        flags += ["--grpc-listen-addr", settings.replication_address]
    return flags


def read_replica_flags(*, admin_listen: str, primary: str) -> list[str]:
    """The arguments of a read replica of all tenants. primary: the `replication_address` of the server."""
    flags = ["--enable-namespaces", "--admin-listen-addr", admin_listen]
    return [*flags, "--primary-grpc-url", f"http://{primary}"]


def sqld_environ(settings: Settings, admin_key: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of an sqld with tenants: what it had, without the secrets of td, with its own keys."""
    kept = {name: value for name, value in environ.items() if not name.startswith("TD_") and name not in _OVERRIDES}
    return {**kept, "LIBSQL_ADMIN_AUTH_KEY": admin_key, "SQLD_AUTH_JWT_KEY": settings.closed_key}


def default_directory(environ: Mapping[str, str]) -> Path:
    """Where the server's directory is, if nobody says otherwise: TD_SQLD_STATE, or a place of the user's data."""
    from platformdirs import user_data_path  # noqa: PLC0415 - only who asks pays for it

    given = environ.get(STATE_VARIABLE)
    return Path(given) if given else user_data_path("replica-toolkit", appauthor=False) / "sqld"


def read_key(vault: Vault, name: str) -> str:
    """A key of the server from its vault. Raises KeyMissingError, AuthError."""
    key = vault.read(name)
    if key is None:
        raise KeyMissingError(name)
    return key


def set_up(directory: Path, vault: Vault, **given: int | str | Sequence[str]) -> State:
    """Make a server's directory, or what is missing of it.

    Args:
        directory: where; it is made, for its owner only.
        vault: the one at `State.vault_path`; it gets the keys that it does not have.
        given: settings, by their names; the others stay as they are, or are those of any new server.

    Raises:
        StateError: it cannot be read, made or written.
        SettingError: a server cannot have such a setting.
        RegistryError: there is a registry that is none.
        AuthError: the vault does not open.
    """
    state = State(directory)
    before = state.settings() if os.path.lexists(state.settings_path) else None
    settings = _changed(before, given)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        state.data_dir.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StateError(directory, error.strerror or str(error)) from error
    # The vault before the settings: who cannot open it should not find anything changed.
    for name in (ADMIN_KEY, GATEWAY_ADMIN_KEY):
        if vault.read(name) is None:
            vault.store(name, secrets.token_urlsafe(32))
    Registry.open(state.registry_path).close()
    if settings != before:
        try:
            write_whole(state.settings_path, settings.model_dump_json(indent=2).encode() + b"\n")
        except OSError as error:
            raise StateError(state.settings_path, error.strerror or str(error)) from error
    return state


def _changed(before: Settings | None, given: Mapping[str, int | str | Sequence[str]]) -> Settings:
    known = before.model_dump() if before is not None else {"closed_key": SigningKey.generate().public_pem}
    try:
        return Settings.model_validate({**known, **given})
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingError(str(first["loc"][0]), first["msg"].removeprefix("Value error, ")) from error
