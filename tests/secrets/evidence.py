"""Everything that comes out of td while it works with planted secrets: what it prints, writes, starts and shows.

A primary with tenants and one without, a person whose token is in the vault and one whose token is in the environment,
calls that succeed, that are refused and that are mistaken, a process that is killed and one that meets a defect.
"""

import fcntl
import json
import os
import pty
import secrets
import signal
import socket
import struct
import subprocess
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from auth.file_vault import FileVault
from auth.vault_key import VaultKey
from sqld import find_sqld, free_port
from sqld.state import State
from tests.cli.in_process import call
from tests.cli.program import TD, Answer, Program
from tests.secrets.spies import Spies, real
from tests.secrets.watch import watched
from tests.sqld.tenant_server import ask

_KEYS_OF_THE_SERVER: Final = ("admin-key", "gateway-admin-key")
# A defect of ours, where a secret is at hand.
DEFECT: Final = """
import auth.file_vault
import cli.credentials

_read = auth.file_vault.FileVault.read

def read(self, name):
    secret = _read(self, name)
    raise RuntimeError("a defect") from ValueError(len(secret))

auth.file_vault.FileVault.read = read
"""


@dataclass
class Evidence:
    """root: below it lies every file that was written. printed: by what call. secrets: planted, or made."""

    root: Path
    spies: Spies
    secrets: dict[str, str] = field(default_factory=dict)
    printed: dict[str, bytes] = field(default_factory=dict)
    command_lines: set[bytes] = field(default_factory=set)

    def plant(self, name: str) -> str:
        """A new secret that can be told from every other text."""
        return self.secrets.setdefault(name, f"{name.replace(' ', '-')}-{secrets.token_hex(24)}")

    def program(self, name: str, environ: Mapping[str, str]) -> Program:
        """A td of somebody, whose every program is a spy."""
        program = Program(self.root / name, environ)
        program.environ["PATH"] = f"{self.spies.directory}:{program.environ['PATH']}"
        program.environ["TD_SQLD"] = str(self.spies.directory / "sqld")
        return program

    def ask(self, program: Program, *args: str, shown: str = "") -> Answer:
        """The same within this process, which is quicker."""
        return self._keep(call(program, *args), args, shown)

    def call(self, program: Program, *args: str, shown: str = "", **options: Any) -> Answer:  # as of Program
        """Run td, and keep what it prints. shown: what it is asked to print, which is a secret from then on."""
        return self._keep(program(*args, **options), args, shown)

    def _keep(self, answer: Answer, args: Sequence[str], shown: str) -> Answer:
        text = answer.out + answer.err
        if shown:
            document = json.loads(answer.out)
            found = next(document[name] for name in ("token", "api_key", "key") if name in document)
            text = text.replace(found, "")
            # Of a token the first parts are the same for many, and are no secret.
            self.secrets[shown] = found.rpartition(".")[2]
            document["shown"] = found
            answer = Answer(answer.code, json.dumps(document), answer.err)
        self.printed[f"{len(self.printed)} td {' '.join(args)}"] = text.encode()
        return answer


def gather(root: Path) -> Evidence:
    """Let all of it happen, below `root`."""
    programs = {"git": real("git"), "cat": real("cat"), "sqld": find_sqld()}
    evidence = Evidence(root / "all", Spies.of(root / "spies", programs))
    evidence.root.mkdir()
    with watched() as evidence.command_lines:
        token = _run_a_server(evidence)
        _use_a_primary(evidence, token)
        _be_mistaken(evidence)
        _be_killed(evidence)
        _meet_a_defect(evidence)
    return evidence


def _given(evidence: Evidence) -> dict[str, str]:
    """What td may find in the environment."""
    key = VaultKey.generate().text
    evidence.secrets[f"vault key {len(evidence.secrets)}"] = key
    return {
        "TD_VAULT_KEY": key,
        "TURSO_API_TOKEN": evidence.plant("turso token"),
        "WORKOS_API_KEY": evidence.plant("workos key"),
    }


def _run_a_server(evidence: Evidence) -> str:
    """Set up a primary with tenants, let people in and out; a token of one tenant."""
    state = evidence.root / "state"
    environ = {**_given(evidence), "TD_SQLD_STATE": str(state)}
    admin = evidence.program("admin", environ)
    port = free_port()
    evidence.call(admin, "sqld", "init", "--port", str(port), "--admin-port", str(free_port()), "--json")
    vault = FileVault(State(state).vault_path, VaultKey.parse(environ["TD_VAULT_KEY"]))
    for name in _KEYS_OF_THE_SERVER:
        evidence.secrets[name] = vault.read(name) or ""
    with _running(evidence, admin, "sqld", "run", "--state", str(state)):
        for tenant in ("acme", "globex"):
            evidence.ask(admin, "sqld", "tenant", "create", tenant)
        given = ("--tenant", "acme", "--role", "rw", "--for", "ann", "--json")
        token: str = evidence.call(admin, "sqld", "token", "mint", *given, shown="minted token").document()["shown"]
        evidence.ask(admin, "sqld", "key", "create", *given, shown="API key")
        assert ask(port, "acme", token) == "ok"
        assert ask(port, "globex", token) == "401"
        _private_keys(evidence, state, vault)
        evidence.ask(admin, "sqld", "tenant", "rotate-key", "acme")
        _private_keys(evidence, state, vault)
        for args in (
            ("tenant", "suspend", "globex"),
            ("tenant", "delete", "globex", "--yes"),
            ("token", "revoke", "tok"),
        ):
            evidence.ask(admin, "sqld", *args)
        for question in (("tenant", "show", "acme"), ("tenant", "list"), ("token", "list"), ("key", "list")):
            evidence.ask(admin, "sqld", *question)
            evidence.ask(admin, "sqld", *question, "--json")
        evidence.call(admin, "sqld", "backup", str(evidence.root / "backups"))
        # Who brings a token of a tenant to a place that is none of its own is refused.
        other = evidence.program("stranger", {"TD_DATABASE_TOKEN": token})
        evidence.call(other, "init", "--url", f"http://127.0.0.1:{port}")
        assert evidence.call(other, "sync", "--json").code == 1
    return token


def _private_keys(evidence: Evidence, state: Path, vault: FileVault) -> None:
    """Note the private halves of all keys of the tenants as secrets."""
    with State(state).registry() as registry:
        names = [f"tenant/{key.tenant}/{key.id}" for name in ("acme", "globex") for key in registry.keys.of(name)]
    for name in names:
        pem = vault.read(name)
        if pem is not None:
            # What is between the first line and the last; its beginning says only what kind of key it is.
            evidence.secrets[name] = pem.splitlines()[1][-43:]


def _use_a_primary(evidence: Evidence, token: str) -> None:
    """Work with a primary that takes any token; one is in the vault by its key, one by a passphrase, one given."""
    server = evidence.program("host", _given(evidence))
    with _running(evidence, server, "sqld", "run", "--port", "0", "--data-dir", str(evidence.root / "open")) as url:
        keyed = evidence.program("ann", _given(evidence))
        evidence.call(keyed, "init", "--url", url, "--token-stdin", stdin=token + "\n")
        spoken = evidence.program("bob", {"TD_VAULT_PASSPHRASE": evidence.plant("passphrase")})
        evidence.call(spoken, "init", "--url", url, "--token-stdin", stdin=evidence.plant("kept token") + "\n")
        given = evidence.program("cat", {"TD_DATABASE_TOKEN": evidence.plant("given token")})
        evidence.call(given, "init", "--url", url)
        for program in (keyed, spoken, given):
            assert evidence.call(program, "sync").code == 0
            evidence.call(program, "doctor", "--json")
        subprocess.run(["git", "init", "--quiet", keyed.directory], check=True)
        (keyed.directory / "notes.md").write_text("half of it")
        issue = evidence.ask(keyed, "create", "Oat milk", "--json").document()["id"]
        evidence.call(keyed, "link", issue, "*")
        evidence.call(keyed, "handoff", issue, "--done", "half of it")
        for args in (("list",), ("doctor",), ("config", "list"), ("whoami",), ("status",), ("export",)):
            evidence.ask(keyed, *args)
            evidence.ask(given, *args, "--json")
        evidence.call(keyed, "auth", "rotate-vault-key", "--json", shown="new vault key")
        evidence.call(keyed, "sync", "--json")
        _page(evidence, given)


def _be_mistaken(evidence: Evidence) -> None:
    """Give secrets where none belong."""
    mistaken = evidence.program("dan", {})
    secret = evidence.plant("misplaced secret")
    evidence.call(mistaken, "init")
    evidence.call(mistaken, "init", "--url", f"https://user:{secret}@db.example")
    evidence.call(mistaken, "init", "--url", f"https://db.example/?authToken={secret}", "--json")
    evidence.call(mistaken, "config", "set", "url", f"libsql://{secret}:x@db.example")
    evidence.call(mistaken, "sync", environ={"TD_DATABASE_URL": f"https://u:{secret}@db.example"})
    evidence.call(mistaken, "init", "--token-stdin", stdin=f"two words {secret}\n")
    for environ in ({"TD_VAULT": secret}, {"TD_VAULT_KEY": secret}):
        evidence.call(mistaken, "init", "--url", "http://127.0.0.1:1", "--token-stdin", stdin="x\n", environ=environ)


def _be_killed(evidence: Evidence) -> None:
    """End td while it shows its token to a primary."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        program = evidence.program("eve", {"TD_VAULT_PASSPHRASE": evidence.plant("passphrase of the dead")})
        # Nobody listens yet, so this ends at once.
        evidence.call(program, "init", "--url", url, "--token-stdin", stdin=evidence.plant("token of the dead") + "\n")
        listener.listen()
        listener.settimeout(30)
        process = program.start("sync")
        connection, _ = listener.accept()
        with connection:
            heard = connection.recv(65_536)
            process.kill()
        evidence.printed["td that was killed"] = b"".join(process.communicate(timeout=30))
    assert evidence.secrets["token of the dead"].encode() in heard


def _meet_a_defect(evidence: Evidence) -> None:
    """Let td fail in a way that nobody foresaw, with a secret in its hands."""
    folder = evidence.root / "defect"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(DEFECT)
    program = evidence.program("fay", _given(evidence))
    token = evidence.plant("token at a defect") + "\n"
    evidence.call(program, "init", "--url", "http://127.0.0.1:1", "--token-stdin", stdin=token)
    broken = evidence.call(program, "sync", environ={"PYTHONPATH": str(folder)})
    assert "RuntimeError: a defect" in broken.err, broken


@contextmanager
def _running(evidence: Evidence, program: Program, *args: str) -> Iterator[str]:
    """`td sqld run` while the block runs; where it answers."""
    process = program.start(*args, "--json")
    assert process.stdout is not None
    text = b""
    while not text.endswith(b"}\n"):
        line = process.stdout.readline()
        assert line, process.communicate()
        text += line
    try:
        yield json.loads(text)["url"]
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        evidence.printed[f"{len(evidence.printed)} td {' '.join(args)}"] = text + out + err


def _page(evidence: Evidence, program: Program) -> None:
    """Show what is longer than the screen."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 2, 80, 0, 0))
    environ = {**program.environ, "TERM": "xterm", "PAGER": str(evidence.spies.directory / "cat")}
    process = subprocess.Popen(
        [TD, "usage"], cwd=program.directory, env=environ, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    # Linux says by an error that the other end of a terminal was closed.
    with suppress(OSError):
        while piece := os.read(ours, 65_536):
            shown += piece
    os.close(ours)
    assert process.wait(timeout=20) == 0
    evidence.printed["td usage on a terminal"] = shown
