"""Who is in the story of each page, and what happens in it besides what they type.

Each page is a story of its own: it starts from nothing, in directories of its own, with a primary of its own where it
has one.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from auth.tokens import Role, SigningKey, mint
from auth.vault_key import VaultKey
from cli.run import run as td
from sqld import Server, find_sqld
from tests.docs.console import Run
from tests.docs.server import WholeServer
from tests.docs.typist import Typist, stockkeeper
from tests.replica.backups import back_up, restore

_URL = "http://127.0.0.1:8080"
_SIGNING: Final = SigningKey.generate()

Cast = tuple[Mapping[str, Run], Mapping[str, str], Mapping[str, Callable[[], object]]]
"""People by their names; what is called otherwise here; what happens."""


@contextmanager
def cast(page: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cast]:
    """The people of a page, by its name, in `home`."""
    match page:
        case "docs/start.md":
            yield {"project": Typist(home / "project", monkeypatch)}, {"~": str(home)}, _files(home / "project")
        case "docs/agents.md":
            yield _agents(home, monkeypatch), {"~": str(home)}, {}
        case "docs/auth.md":
            with _guarded(home) as server:
                yield {"project": _with_tokens(home, monkeypatch)}, {_URL: server.url, "~": str(home)}, {}
        case "docs/runbook.md":
            with _whole_server(home, monkeypatch) as told:
                yield told
        case "examples/README.md":
            with Server(find_sqld()) as server:
                people = {name: stockkeeper(home / name, monkeypatch, server.url) for name in ("shop", "cellar")}
                yield people, {_URL: server.url}, _primary(server, home)
        case _:
            with Server(find_sqld()) as server:
                people = {name: Typist(home / name, monkeypatch) for name in ("project", "laptop", "desktop")}
                happens = {**_primary(server, home), **_disk(home / "laptop" / ".todos")}
                yield people, {_URL: server.url, "~": str(home)}, happens


def _agents(home: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Run]:
    return {
        name: Typist(home / "project", monkeypatch, TD_SESSION_ID=name) for name in ("project", "writer", "reviewer")
    }


@contextmanager
def _guarded(home: Path) -> Iterator[Server]:
    """A primary that wants a token."""
    (home / "key.pem").write_text(_SIGNING.public_pem)
    with Server(find_sqld(), flags=["--auth-jwt-key-file", str(home / "key.pem")]) as server:
        yield server


def _with_tokens(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Somebody on a machine without a keyring, who was given two tokens."""
    key, backend = VaultKey.generate().text, "keyring.backends.fail.Keyring"
    typist = Typist(home / "project", monkeypatch, TD_VAULT_KEY=key, PYTHON_KEYRING_BACKEND=backend)
    for name in ("token.txt", "next.txt"):
        token = mint(
            _SIGNING, tenant="default", role=Role.RW, ttl_s=3600, token_id=name, clock=time.time, subject="ann"
        )
        (home / "project" / name).write_text(f"{token}\n")
    return typist


@contextmanager
def _whole_server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cast]:
    """A server with the tenant acme, whoever runs it, and two of its people, each with a token."""
    server = WholeServer(home / "state")
    with server.running():
        admin = Typist(home / "admin", monkeypatch, td, **server.environ)
        admin(["sqld", "tenant", "create", "acme"])
        people = {
            name: Typist(home / name, monkeypatch, TD_DATABASE_TOKEN=server.token("acme", subject=name))
            for name in ("laptop", "desktop")
        }
        yield {**people, "admin": admin}, {**server.names, "~": str(home)}, server.events(home / "backups")


def _files(project: Path) -> Mapping[str, Callable[[], object]]:
    page = project / "login.html"
    return {
        "login.html is written": lambda: page.write_text("<form>"),
        "login.html is changed": lambda: page.write_text("<form><button>"),
    }


def _primary(server: Server, home: Path) -> Mapping[str, Callable[[], object]]:
    return {
        "the primary is gone": server.stop,
        "the primary is back": server.start,
        "somebody makes a backup of the primary": lambda: back_up(server, home / "backup"),
        "the primary is restored from that backup": lambda: restore(server, home / "backup"),
    }


def _disk(place: Path) -> Mapping[str, Callable[[], object]]:
    return {"the disk damages local.db": lambda: _damage(place / "local.db")}


def _damage(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(b"\x55" * 100 + data[100:])
