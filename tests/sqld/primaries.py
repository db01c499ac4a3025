"""Primaries with something in them, and ways to look into one."""

import base64
import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqld import Server, free_port
from tests.hrana_client import HranaClient

# The public half of a key that nobody has.
JWT_KEY = base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")


def ask(server: Server, sql: str) -> list[list[str | None]]:
    """Run one statement in the namespace `default`."""
    with HranaClient(server.port) as client:
        return client.run(sql)


def ask_namespace(server: Server, namespace: str, sql: str) -> tuple[int, str]:
    """Run one statement in any namespace, without a token: the status and the text of the answer."""
    name = base64.b64encode(namespace.encode()).decode().rstrip("=")
    body = json.dumps({"baton": None, "requests": [{"type": "execute", "stmt": {"sql": sql}}, {"type": "close"}]})
    return _call(server.port, "POST", "/v3/pipeline", body, {"x-namespace-bin": name})


@contextmanager
def with_tenants(binary: Path, data_dir: Path) -> Iterator[tuple[Server, int]]:
    """A primary that may have several namespaces, and the port to administer it."""
    admin_port = free_port()
    flags = ["--enable-namespaces", "--admin-listen-addr", f"127.0.0.1:{admin_port}"]
    with Server(binary, data_dir=data_dir, flags=flags) as server:
        yield server, admin_port


def administer(port: int, method: str, path: str, document: object = None) -> str:
    """Ask the admin API and expect it to do what it is asked."""
    body = None if document is None else json.dumps(document)
    status, text = _call(port, method, path, body, {"content-type": "application/json"})
    assert status == 200, text
    return text


def close_to_strangers(port: int, namespace: str) -> None:
    """Give a namespace a key, so that it wants a token."""
    config = json.loads(administer(port, "GET", f"/v1/namespaces/{namespace}/config"))
    administer(port, "POST", f"/v1/namespaces/{namespace}/config", {**config, "jwt_key": JWT_KEY})


def files_in(directory: Path) -> dict[str, bytes]:
    """Every file below, by its path from there, but for what SQLite keeps in memory shared by processes."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.name not in ("data-shm", "sqld.lock")
    }


def _call(port: int, method: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
