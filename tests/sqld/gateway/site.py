"""A whole server on this machine: sqld with tenants, the gateway, and nginx before both.

Always true: every part is the real one; only the clock of the gateway can be moved.
"""

import base64
import http.client
import json
import os
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from auth.api_keys import digest, new_api_key
from auth.tokens import Role, SigningKey, mint
from sqld import Server, free_port
from sqld._health import is_healthy
from sqld.gateway import FirstUse, Limits, Migrate, Numbers, Parts, PrimaryTokens, WriteRows, make_app
from sqld.gateway.serving import serving
from sqld.nginx import Nginx
from sqld.proxy import ProxySettings
from sqld.registry import ApiKey, Registry, TenantState, Token
from tests.sqld.primaries import administer

ADMIN_KEY: Final = "admin-key-of-the-tests"
# No token holds there: a key that signs nothing guards the namespace `default`.
_NOBODY: Final = SigningKey.generate()


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

    ahead_s: by how much the gateway's clock is ahead. keys: of the tenants. standing: a token of each, to look with.
    """

    primary: Server
    admin_port: int
    registry: Registry
    directory: Path
    port: int = 0
    gateway_port: int = 0
    ahead_s: float = 0.0
    keys: dict[str, SigningKey] = field(default_factory=dict)
    standing: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The public address."""
        return f"http://127.0.0.1:{self.port}"

    def clock(self) -> float:
        """The clock of the gateway."""
        return time.time() + self.ahead_s

    def add_tenant(self, name: str) -> None:
        """A tenant with a namespace and a key of its own."""
        self.keys[name] = key = SigningKey.generate()
        now = int(time.time())
        self.registry.tenants.add(name, organisation=None, now=now)
        self.registry.keys.add(name, key_id=key.key_id, public_pem=key.public_pem, now=now)
        administer(self.admin_port, "POST", f"/v1/namespaces/{name}/create", {"jwt_key": key.public_pem})
        self.registry.keys.make_current(name, not_after=now)
        self.registry.tenants.move(name, TenantState.ACTIVE)

    def signing_key(self, tenant: str, key_id: str) -> SigningKey:
        """As the vault gives it."""
        key = self.keys[tenant]
        assert key.key_id == key_id
        return key

    def token(self, tenant: str, role: Role = Role.RW, *, ttl_s: int = 600) -> str:
        """A token, made and written down as `td sqld token mint` does."""
        token_id, key, now = str(uuid.uuid4()), self.keys[tenant], int(time.time())
        token = mint(key, tenant=tenant, role=role, ttl_s=ttl_s, token_id=token_id, subject="test", clock=lambda: now)
        kept = Token(token_id, tenant, role, "test", key.key_id, digest(token), now, now + ttl_s)
        self.registry.tokens.add(kept)
        return token

    def api_key(self, tenant: str, role: Role = Role.RW, *, ttl_s: int = 600) -> tuple[str, str]:
        """An API key, and its id."""
        api_key, key_id, now = new_api_key(), str(uuid.uuid4()), int(time.time())
        self.registry.api_keys.add(ApiKey(key_id, tenant, role, "test", digest(api_key), now, now + ttl_s))
        return api_key, key_id

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
) -> Iterator[Site]:
    """Start all three, and stop them at the end."""
    admin_port = free_port()
    flags = ["--enable-namespaces", "--admin-listen-addr", f"127.0.0.1:{admin_port}"]
    environ = {**os.environ, "SQLD_AUTH_JWT_KEY": _NOBODY.public_pem}
    with ExitStack() as stack:
        primary = stack.enter_context(
            Server(binary, port=primary_port, data_dir=directory / "data", flags=flags, environ=environ)
        )
        registry = stack.enter_context(Registry.open(directory / "registry.db"))
        site = Site(primary, admin_port, registry, directory)
        tokens = PrimaryTokens(registry, site.signing_key, site.clock)
        parts = Parts(
            registry,
            tokens,
            FirstUse(migrate),
            Limits(per_minute),
            Numbers(),
            is_primary_up=lambda: is_healthy("127.0.0.1", primary.port),
            clock=site.clock,
            timer=time.monotonic,
            write_rows=write_rows,
            admin_digest=digest(ADMIN_KEY),
        )
        site.gateway_port = stack.enter_context(serving(make_app(parts)))
        site.port = free_port()
        settings = ProxySettings(
            directory / "nginx",
            listen=f"127.0.0.1:{site.port}",
            gateway=f"127.0.0.1:{site.gateway_port}",
            primary=f"127.0.0.1:{primary.port}",
        )
        stack.enter_context(Nginx(settings))
        yield site
