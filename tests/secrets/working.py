"""A day of work with secrets.

A primary with tenants and one without, a person whose token is in the vault and one whose token is in the environment,
calls that succeed, that are refused and that are mistaken, a process that is killed and one that meets a defect.
"""

import fcntl
import os
import pty
import socket
import struct
import subprocess
import termios
from contextlib import suppress
from pathlib import Path
from typing import Final

from sqld import free_port
from tests.auth.workos_double import CLIENT_ID, WorkOSDouble
from tests.cli.program import TD, Program
from tests.secrets.evidence import Evidence
from tests.secrets.watch import watched
from tests.sqld.tenant_server import ask

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


def gather(root: Path) -> Evidence:
    """Let all of it happen, below `root`."""
    evidence = Evidence.below(root)
    with watched() as evidence.command_lines:
        token = _run_a_server(evidence)
        _use_a_primary(evidence, token)
        _sign_in(evidence)
        _be_mistaken(evidence)
        _be_killed(evidence)
        _meet_a_defect(evidence)
    return evidence


def _run_a_server(evidence: Evidence) -> str:
    """Set up a primary with tenants, let people in and out; a token of one tenant."""
    state = evidence.root / "state"
    environ = {**evidence.given(), "TD_SQLD_STATE": str(state)}
    admin = evidence.program("admin", environ)
    port = free_port()
    evidence.call(admin, "sqld", "init", "--port", str(port), "--admin-port", str(free_port()), "--json")
    with evidence.running(admin, "sqld", "run", "--state", str(state)):
        for tenant in ("acme", "globex"):
            evidence.ask(admin, "sqld", "tenant", "create", tenant)
        given = ("--tenant", "acme", "--role", "rw", "--for", "ann", "--json")
        token: str = evidence.call(admin, "sqld", "token", "mint", *given, shown="minted token").document()["shown"]
        evidence.ask(admin, "sqld", "key", "create", *given, shown="API key")
        assert ask(port, "acme", token) == "ok"
        assert ask(port, "globex", token) == "401"
        evidence.note_keys(state, environ["TD_VAULT_KEY"], ["acme", "globex"])
        evidence.ask(admin, "sqld", "tenant", "rotate-key", "acme")
        evidence.note_keys(state, environ["TD_VAULT_KEY"], ["acme", "globex"])
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


def _use_a_primary(evidence: Evidence, token: str) -> None:
    """Work with a primary that takes any token; one is in the vault by its key, one by a passphrase, one given."""
    server = evidence.program("host", evidence.given())
    with evidence.running(server, "sqld", "run", "--port", "0", "--data-dir", str(evidence.root / "open")) as told:
        url = told["url"]
        keyed = evidence.program("ann", evidence.given())
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


def _sign_in(evidence: Evidence) -> None:
    """Sign in with WorkOS, renew that, and sign out; the access tokens are known by their form."""
    evidence.secrets |= {
        f"{kind} {number}": f"{kind}-secret-{number}" for kind in ("device", "refresh") for number in "123"
    }
    with WorkOSDouble(interval_s=0.05, decides="approved", token_s=1) as workos:
        person = evidence.program("gil", evidence.given())
        where = ("--client-id", CLIENT_ID, "--workos-url", workos.url, "--url", "http://127.0.0.1:1")
        assert evidence.call(person, "login", "--workos", *where).code == 0
        evidence.ask(person, "init")
        evidence.ask(person, "sync", "--json")
        for args in (("whoami",), ("auth", "status"), ("config", "profiles", "list"), ("config", "list", "--origin")):
            evidence.ask(person, *args)
            evidence.ask(person, *args, "--json")
        evidence.ask(person, "login", "--workos", "--json")
        evidence.ask(person, "logout")


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
    program = evidence.program("fay", evidence.given())
    token = evidence.plant("token at a defect") + "\n"
    evidence.call(program, "init", "--url", "http://127.0.0.1:1", "--token-stdin", stdin=token)
    broken = evidence.call(program, "sync", environ={"PYTHONPATH": str(folder)})
    assert "RuntimeError: a defect" in broken.err, broken


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
