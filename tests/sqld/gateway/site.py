"""A whole server on this machine: sqld with tenants, the gateway, and nginx before both.

Always true: every part is the real one; only the clock of the gateway can be moved.
"""

import base64
import http.client
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auth.api_keys import digest
from auth.file_vault import FileVault
from auth.tokens import Role, SigningKey
from auth.vault import Vault
from auth.vault_key import VaultKey
from sqld import Server, free_port, is_healthy
from sqld.gateway import (
    FirstUse,
    Limits,
    Migrate,
    Numbers,
    Parts,
    PrimaryTokens,
    SignIn,
    WriteRows,
    answering,
    make_app,
)
from sqld.minting import MadeApiKey, make_api_key, mint_token, signing_key
from sqld.nginx import Nginx
from sqld.proxy import ProxySettings
from sqld.registry import Registry
from sqld.state import GATEWAY_ADMIN_KEY, State, read_key, set_up
from sqld.tenants import Tenancy


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back. headers: by name in small letters; of a name that comes twice, both, with a comma."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:  # whatever was answered
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of the error."""
        return str(self.document["error"]["code"])


@dataclass(slots=True)
class Site:
    """The parts of it, and how to ask them.

    ahead_s: by how much the gateway's clock is ahead. standing: a token of each, to look with.
    """

    primary: Server
    registry: Registry
    vault: Vault
    tenancy: Tenancy
    directory: Path
    port: int = 0
    gateway_port: int = 0
    ahead_s: float = 0.0
    standing: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The public address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def admin_key(self) -> str:
        """The admin key of the gateway."""
        return read_key(self.vault, GATEWAY_ADMIN_KEY)

    def clock(self) -> float:
        """The clock of the gateway."""
        return time.time() + self.ahead_s

    def add_tenant(self, name: str) -> None:
        """A tenant with a database and a key of its own."""
        self.tenancy.create(name)

    def key(self, tenant: str) -> SigningKey:
        """What tokens of a tenant are signed with now."""
        return signing_key(self.registry, self.vault, tenant)

    def token(self, tenant: str, role: Role = Role.RW, *, ttl_s: int = 600) -> str:
        """A new token."""
        return mint_token(self.registry, self.vault, tenant=tenant, role=role, ttl_s=ttl_s, subject="test").token

    def api_key(self, tenant: str, role: Role = Role.RW, *, ago_s: float = 0.0) -> MadeApiKey:
        """An API key that was made for ten minutes, some time ago."""
        return make_api_key(
            self.registry, tenant=tenant, role=role, ttl_s=600, name="test", clock=lambda: time.time() - ago_s
        )

    def ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        port: int | None = None,
    ) -> Answered:
        """One request, with exactly these headers and this path, as they are."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=20)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            names = [name.lower() for name, _ in headers]
            if "host" not in names:
                connection.putheader("Host", f"127.0.0.1:{self.port}")
            if token is not None:
                connection.putheader("Authorization", f"Bearer {token}")
            for name, value in headers:
                connection.putheader(name, value)
            if body and "content-length" not in names:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            answer = connection.getresponse()
            found = {name: ", ".join(answer.headers.get_all(name) or []) for name in map(str.lower, answer.headers)}
            return Answered(answer.status, found, answer.read())
        finally:
            connection.close()

    def run(self, sql: str, **asked: Any) -> Answered:  # as of `ask`
        """One statement by Hrana, through nginx."""
        return self.ask("POST", "/v3/pipeline", body=pipeline(sql), **asked)

    def rows(self, sql: str, token: str) -> list[list[str | None]]:
        """The rows of a statement that goes well."""
        answer = self.run(sql, token=token)
        assert answer.status == 200, answer
        result = answer.document["results"][0]
        assert result["type"] == "ok", result
        return [[cell.get("value") for cell in row] for row in result["response"]["result"]["rows"]]


def pipeline(*statements: str) -> bytes:
    """A request of Hrana that runs some statements, each by itself."""
    requests = [{"type": "execute", "stmt": {"sql": sql}} for sql in statements]
    return json.dumps({"baton": None, "requests": [*requests, {"type": "close"}]}).encode()


def in_base64(text: str) -> str:
    """As namespaces are named to sqld."""
    return base64.b64encode(text.encode()).decode().rstrip("=")


@contextmanager
def open_site(
    binary: Path,
    directory: Path,
    *,
    primary_port: int | None = None,
    per_minute: int = 100_000,
    migrate: Migrate | None = None,
    write_rows: WriteRows | None = None,
    sign_in: Callable[[Site], SignIn] | None = None,
) -> Iterator[Site]:
    """Start all three, and stop them at the end."""
    vault = FileVault(State(directory).vault_path, VaultKey.generate())
    ports = {"http_port": primary_port or free_port(), "admin_port": free_port()}
    state = set_up(directory, vault, **ports)
    with ExitStack() as stack:
        primary = stack.enter_context(state.server(binary, vault, environ=os.environ))
        registry = stack.enter_context(state.registry())
        site = Site(primary, registry, vault, state.tenancy(registry, vault), directory)
        parts = Parts(
            registry,
            PrimaryTokens(registry, site.key, site.clock),
            FirstUse(migrate),
            Limits(per_minute),
            Numbers(),
            is_primary_up=lambda: is_healthy("127.0.0.1", primary.port),
            clock=site.clock,
            timer=time.monotonic,
            write_rows=write_rows,
            sign_in=None if sign_in is None else sign_in(site),
            administration=site.tenancy,
            admin_digest=digest(site.admin_key),
        )
        site.gateway_port = stack.enter_context(answering(make_app(parts)))
        site.port = free_port()
        settings = ProxySettings(
            directory / "nginx",
            listen=f"127.0.0.1:{site.port}",
            gateway=f"127.0.0.1:{site.gateway_port}",
            primary=f"127.0.0.1:{primary.port}",
            address_rate=100_000,
        )
        stack.enter_context(Nginx(settings))
        yield site
