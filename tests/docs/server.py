"""A whole server for the story of a page: sqld, the gateway and nginx as processes of their own, as units start them.

Always true: all of them have ended when the block ends, whatever the story did to them.
"""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from auth.file_vault import FileVault
from auth.tokens import Role
from auth.vault_key import VaultKey
from sqld import free_port
from sqld.deployment import Part, proxy_settings, td_words
from sqld.minting import mint_token
from sqld.nginx import Nginx
from sqld.state import State, set_up
from tests.cli.program import TD

_PORTS = ("http_port", "admin_port", "gateway_port")
_SHOWN = ("8080", "8081", "8082")
_PUBLIC = "8083"


class WholeServer:
    """One server in `directory`; its processes are started and ended by the story."""

    def __init__(self, directory: Path) -> None:
        self.key = VaultKey.generate()
        self.vault = FileVault(State(directory).vault_path, self.key)
        ports = {name: free_port() for name in _PORTS}
        self.public_port = free_port()
        url = f"http://127.0.0.1:{self.public_port}"
        self.state = set_up(directory, self.vault, **ports, public_url=url)
        self._ports = list(ports.values())
        self._running: dict[Part, subprocess.Popen[bytes]] = {}
        self._primary_pid = 0

    @property
    def names(self) -> dict[str, str]:
        """What stands in the page for its ports."""
        shown = dict(zip(_SHOWN, self._ports, strict=True)) | {_PUBLIC: self.public_port}
        return {f"127.0.0.1:{name}": f"127.0.0.1:{port}" for name, port in shown.items()}

    @property
    def environ(self) -> dict[str, str]:
        """What is set for whoever runs it."""
        return {"TD_VAULT_KEY": self.key.text, "TD_SQLD_STATE": str(self.state.directory)}

    def token(self, tenant: str, subject: str) -> str:
        """A new token."""
        with self.state.registry() as registry:
            return mint_token(registry, self.vault, tenant=tenant, role=Role.RW, ttl_s=86_400, subject=subject).token

    def start(self, part: Part) -> None:
        """Start a part and wait until it answers."""
        process = subprocess.Popen(
            [TD, *td_words(part, self.state.directory), "--json"],
            env={**os.environ, **self.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._running[part] = process
        assert process.stdout is not None
        text = b""
        while not text.endswith(b"}\n"):
            line = process.stdout.readline()
            assert line, f"{part} ended with {process.wait()}"
            text += line
        if part is Part.PRIMARY:
            self._primary_pid = int(json.loads(text)["pid"])

    def end(self, part: Part) -> None:
        """End a part as a unit does, and wait for it."""
        process = self._running.pop(part, None)
        if process is not None:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)

    def kill_primary(self) -> None:
        """End sqld as a power cut does; the td that runs it says so and ends."""
        os.kill(self._primary_pid, signal.SIGKILL)
        self._running.pop(Part.PRIMARY).communicate(timeout=30)

    def stop(self) -> None:
        """End sqld and the gateway."""
        for part in (Part.GATEWAY, Part.PRIMARY):
            self.end(part)

    def go(self) -> None:
        """Start both."""
        for part in (Part.PRIMARY, Part.GATEWAY):
            self.start(part)

    def events(self, backups: Path) -> Mapping[str, Callable[[], object]]:
        """What can happen to it, as pages tell it. backups: where its backups are."""
        registry = self.state.registry_path
        return {
            "sqld is killed": self.kill_primary,
            "sqld is started again": lambda: self.start(Part.PRIMARY),
            "the gateway ends": lambda: self.end(Part.GATEWAY),
            "the gateway is started again": lambda: self.start(Part.GATEWAY),
            "both are stopped": self.stop,
            "both are started again": self.go,
            "the disk damages registry.db": lambda: _damage(registry),
            "registry.db of the last backup is put in its place": lambda: _put_back(registry, backups),
        }

    @contextmanager
    def running(self) -> Iterator[None]:
        """All of it, while the block runs."""
        with ExitStack() as stack:
            stack.callback(self.stop)
            self.go()
            settings = proxy_settings(
                self.state.settings(),
                self.state.directory.with_name("nginx"),
                listen=f"127.0.0.1:{self.public_port}",
            )
            stack.enter_context(Nginx(settings))
            yield


def _put_back(registry: Path, backups: Path) -> None:
    for beside in ("-wal", "-shm"):
        registry.with_name(registry.name + beside).unlink(missing_ok=True)
    newest = max(path for path in backups.iterdir() if path.is_dir())
    registry.write_bytes((newest / "server" / registry.name).read_bytes())


def _damage(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(b"\x55" * 4096 + data[4096:])
