"""`td sqld gateway` and `td sqld up`: what a team's server is, from its set-up to a sync of two people."""

import http.client
import json
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from auth.vault_key import VaultKey
from sqld import free_port
from sqld.nginx import find_nginx
from tests.cli.in_process import done
from tests.cli.program import Program
from tests.cli.test_json import problems
from tests.cli.test_sqld_tenants import first_document, token_of

KEY = VaultKey.generate().text


@pytest.fixture
def admin(tmp_path: Path) -> Program:
    """A td of whoever runs a server: it is set up, and does not run."""
    program = Program(tmp_path / "admin", {"TD_VAULT_KEY": KEY, "TD_SQLD_STATE": str(tmp_path / "state")})
    ports = [f"--{name}={free_port()}" for name in ("port", "admin-port", "gateway-port")]
    done(program, "sqld", "init", *ports, "--requests-per-minute", "5000")
    return program


@contextmanager
def running(program: Program, *args: str) -> Iterator[dict[str, Any]]:
    """`td sqld …` while the block runs, and what it says when it answers."""
    process = program.start("sqld", *args, "--json")
    try:
        yield first_document(process)
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b""), err
    assert json.loads(err.splitlines()[-1])["error"]["code"] == "interrupted"
    assert b"Traceback" not in err
    assert KEY.encode() not in err


def person(tmp_path: Path, name: str, token: str, url: str) -> Program:
    """Somebody of a tenant, with their token in the environment."""
    program = Program(tmp_path / name, {"TD_DATABASE_TOKEN": token})
    program.done("init", "--url", url)
    return program


def test_two_people_of_a_tenant_share_issues_through_the_gateway(admin: Program, tmp_path: Path) -> None:
    """And one of another tenant sees nothing of it. The server's directory may be named from where one is."""
    port = free_port()
    with running(admin, "up", "--state", "../state", "--listen", f"127.0.0.1:{port}") as told:
        for tenant in ("acme", "globex"):
            done(admin, "sqld", "tenant", "create", tenant)
        ann = person(tmp_path, "ann", token_of(admin)["token"], told["url"])
        bob = person(tmp_path, "bob", token_of(admin)["token"], told["url"])
        eve = person(tmp_path, "eve", token_of(admin, "--tenant", "globex")["token"], told["url"])
        issue = ann.create("Oat milk")
        pushed = ann.done("sync", "--json").document()["pushed"]
        for one in (bob, eve):
            one.done("sync")
        seen = [[found["id"] for found in one.done("list", "--json").document()] for one in (bob, eve)]

    assert problems("sqld up", told) == []
    assert told["url"] == f"http://127.0.0.1:{port}"
    assert pushed == 1
    assert seen == [[issue], []]


@pytest.mark.parametrize(("host", "is_told"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_who_lets_people_in_over_plain_http_is_told(admin: Program, host: str, *, is_told: bool) -> None:
    """Something else may speak TLS before it, so that it is no error; td itself shows a token only to this machine."""
    process = admin.start("sqld", "up", "--listen", f"{host}:{free_port()}")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)

    _, err = process.communicate(timeout=30)

    assert (b"plain http" in err) == is_told
    assert process.returncode == 130


def test_a_server_runs_from_wherever_its_directory_is_named(tmp_path: Path) -> None:
    """From the directory beside it, as the guide does, and with a space in its path, as a Mac's own place has one."""
    program = Program(tmp_path / "Application Support", {"TD_VAULT_KEY": KEY})
    ports = [f"--{name}={free_port()}" for name in ("port", "admin-port", "gateway-port")]
    done(program, "sqld", "init", "--state", "state", *ports)

    with running(program, "up", "--state", "state", "--listen", f"127.0.0.1:{free_port()}") as told:
        made = done(program, "sqld", "tenant", "create", "acme", "--state", "state", "--json").document()

    assert Path(told["log"]) == program.directory / "state" / "nginx" / "nginx-requests.log"
    assert Path(told["log"]).is_file()
    assert made["name"] == "acme"


def test_the_gateway_runs_alone_and_tells_its_admin_key(admin: Program) -> None:
    """As a container has it; without its sqld it is not ready, and says so."""
    key = done(admin, "sqld", "gateway", "--show-admin-key", "--json").document()
    with running(admin, "gateway") as told:
        connection = http.client.HTTPConnection("127.0.0.1", int(told["url"].rpartition(":")[2]), timeout=10)
        answers = []
        for path in ("/health", "/ready", "/admin/tenants"):
            connection.request("GET", path, headers={"Authorization": f"Bearer {key['admin_key']}"})
            answer = connection.getresponse()
            answers.append((answer.status, json.loads(answer.read())))
        connection.close()

    assert problems("sqld gateway", told) == []
    assert problems("sqld gateway", key) == []
    assert [status for status, _ in answers] == [200, 503, 200]
    assert answers[2][1] == {"tenants": []}


@pytest.mark.parametrize("words", [("up",), ("run",), ("gateway",)])
def test_a_taken_port_is_told_with_how_to_have_another(words: tuple[str, ...], tmp_path: Path) -> None:
    """The ports of a server are those that it was set up with."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        program = Program(tmp_path / "admin", {"TD_VAULT_KEY": KEY, "TD_SQLD_STATE": str(tmp_path / "state")})
        done(program, "sqld", "init", f"--port={free_port()}", f"--admin-port={port}", f"--gateway-port={port}")

        told = program("sqld", *words, "--json").error()

    assert told["code"] == "sqld_port_taken"
    assert str(port) in told["message"]
    assert "td sqld init" in told["hint"]


def test_what_cannot_run_says_why(admin: Program) -> None:
    """In one line."""
    bad = admin("sqld", "up", "--listen", "everywhere", "--json")
    nowhere = Program(admin.directory / "other", {"TD_SQLD_STATE": str(admin.directory / "nothing")})

    assert bad.error()["code"] == "usage"
    assert nowhere("sqld", "up", "--json").error()["code"] == "sqld_no_state"
    assert nowhere("sqld", "gateway", "--json").error()["code"] == "sqld_no_state"
    assert find_nginx().is_file()
