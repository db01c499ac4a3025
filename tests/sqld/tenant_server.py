"""A real sqld with tenants, and clients that speak both of its protocols with any token."""

import base64
import contextlib
import http.client
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import replica.puller
from auth.file_vault import FileVault
from auth.tokens import Role
from auth.vault_key import VaultKey
from sqld import Server, free_port
from sqld.admin import Admin
from sqld.minting import mint_token
from sqld.registry import Registry
from sqld.state import State, set_up
from sqld.tenants import Tenancy


@dataclass
class TenantServer:
    """A server with tenants, that runs; its clock says what `now` is."""

    state: State
    vault_key: VaultKey
    vault: FileVault
    registry: Registry
    server: Server
    admin: Admin
    now: float = 1_800_000_000.0

    @property
    def tenancy(self) -> Tenancy:
        """Its tenants."""
        return Tenancy(
            self.registry,
            self.vault,
            self.admin,
            lock_path=self.state.directory / "tenants.lock",
            closed_key=self.state.settings().closed_key,
            clock=lambda: self.now,
        )

    def token(self, tenant: str, role: Role = Role.RW) -> str:
        """A new token, which sqld takes by the real clock."""
        return mint_token(self.registry, self.vault, tenant=tenant, role=role, ttl_s=60, subject="test").token

    def ask(self, namespace: str, token: str | None, sql: str = "SELECT 1") -> str:
        """Run one statement over Hrana: `ok`, or what is wrong."""
        return ask(self.server.port, namespace, token, sql)

    def replicate(self, token: str, into: Path) -> list[tuple[object, ...]] | None:
        """The rows of table `t` of namespace `127`, as an embedded replica fetches them; None if it may not.

        The replica client names the first label of the address, whatever it is asked for.
        """
        request = {"path": str(into), "url": self.server.url, "token": token, "deadline_s": 20, "parent": os.getpid()}
        done = subprocess.run(
            [sys.executable, "-I", replica.puller.__file__],
            input=json.dumps(request),
            env={**os.environ, "RUST_LOG": "off"},
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        if json.loads(done.stdout):
            return None
        with contextlib.closing(sqlite3.connect(into)) as connection:
            return connection.execute("SELECT * FROM t").fetchall()

    def database(self, namespace: str) -> dict[str, Any]:
        """Its settings."""
        settings = self.admin.settings(namespace)
        assert settings is not None
        return settings


@contextmanager
def tenant_server(binary: Path, directory: Path) -> Iterator[TenantServer]:
    """A server with no tenant yet."""
    key = VaultKey.generate()
    vault = FileVault(State(directory).vault_path, key)
    state = set_up(directory, vault, http_port=free_port(), admin_port=free_port())
    with state.registry() as registry, state.server(binary, vault, environ=os.environ) as server:
        admin = state.admin(vault)
        # Else it may not end when it is stopped at once.
        admin.see_that_it_answers()
        yield TenantServer(state, key, vault, registry, server, admin)


def ask(port: int, namespace: str, token: str | None, sql: str = "SELECT 1") -> str:
    """Run one statement over Hrana: `ok`, or what is wrong."""
    name = base64.b64encode(namespace.encode()).decode().rstrip("=")
    headers = {"x-namespace-bin": name} | ({"Authorization": f"Bearer {token}"} if token else {})
    body = json.dumps({"requests": [{"type": "execute", "stmt": {"sql": sql}}, {"type": "close"}]})
    status, text = call(port, "POST", "/v3/pipeline", body, headers)
    if status != 200:
        return str(status)
    (result, _) = json.loads(text)["results"]
    return "ok" if result["type"] == "ok" else str(result["error"]["code"])


def call(port: int, method: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, str]:
    """Ask, and return the status and the text of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
