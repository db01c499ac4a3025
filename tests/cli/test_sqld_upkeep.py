"""`td sqld status`, `backup`, `restore`, `read-replica` and `proxy-config` of a server with tenants."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auth.vault_key import VaultKey
from sqld import free_port
from sqld.deployment import Part, backup_words, td_words
from tests.cli.in_process import call, done
from tests.cli.program import Program
from tests.cli.test_help import ALL
from tests.cli.test_json import problems
from tests.cli.test_sqld_gateway import running as running_part
from tests.cli.test_sqld_tenants import running, token_of
from tests.sqld.tenant_server import ask

KEY = VaultKey.generate().text


@pytest.fixture
def admin(tmp_path: Path) -> Program:
    """A td of whoever runs a server: it is set up for a read replica, and does not run."""
    program = Program(tmp_path / "admin", {"TD_VAULT_KEY": KEY, "TD_SQLD_STATE": str(tmp_path / "state")})
    ports = [f"--{name}={free_port()}" for name in ("port", "admin-port", "gateway-port")]
    addresses = [f"--{name}=127.0.0.1:{free_port()}" for name in ("replication-address", "read-replica")]
    told = done(program, "sqld", "init", *ports, *addresses, "--json").document()
    assert problems("sqld init", told) == []
    return program


@pytest.fixture
def primary(admin: Program) -> Iterator[dict[str, Any]]:
    """The server of `admin`, with a tenant `acme`; what td said of it."""
    with running(admin) as told:
        done(admin, "sqld", "tenant", "create", "acme")
        yield told


def test_a_server_says_how_it_is(admin: Program, primary: dict[str, Any]) -> None:
    """And ends with an error where something is not well, so that a timer can ask."""
    seen = call(admin, "sqld", "status", "--json")
    told = call(admin, "sqld", "status")

    document = seen.document()
    assert problems("sqld status", document) == []
    assert (seen.code, seen.error()["code"]) == (1, "unhealthy")
    assert [(part["name"], part["answers"]) for part in document["parts"]] == [("sqld", True), ("the gateway", False)]
    assert [tenant["name"] for tenant in document["tenants"]] == ["acme"]
    assert {problem["text"].partition(" at ")[0] for problem in document["problems"]} == {
        "the gateway does not answer",
        "the read replica",
        "it was never backed up",
    }
    assert KEY not in seen.out + told.out
    assert told.out.splitlines()[1].split()[:2] == ["ok", "sqld"]
    assert [line for line in told.out.splitlines() if line.startswith("NO  it was never backed up")]


def test_a_server_is_backed_up_while_it_runs_and_restored_after(admin: Program, tmp_path: Path) -> None:
    """With --data-dir only the databases are put back."""
    with running(admin) as told:
        done(admin, "sqld", "tenant", "create", "acme")
        port, token = int(told["url"].rpartition(":")[2]), token_of(admin)["token"]
        assert ask(port, "acme", token, "CREATE TABLE t (name TEXT)") == "ok"
        made = done(admin, "sqld", "backup", str(tmp_path / "backups"), "--json").document()
        refused = call(admin, "sqld", "restore", made["folder"], "--replace", "--json")
        done(admin, "sqld", "token", "revoke", token_of(admin)["id"])
        late = done(admin, "sqld", "backup", str(tmp_path / "backups")).out

    restored = done(admin, "sqld", "restore", made["folder"], "--replace", "--json").document()
    data = done(admin, "sqld", "restore", made["folder"], "--data-dir", str(tmp_path / "data"), "--json").document()
    both = call(admin, "sqld", "restore", made["folder"], "--data-dir", "x", "--state", "y", "--json")
    with running(admin):
        assert ask(port, "acme", token, "SELECT * FROM t") == "ok"

    assert problems("sqld backup", made) == problems("sqld restore", restored) == problems("sqld restore", data) == []
    assert [part["file"] for part in made["server"]] == ["server/server.json", "server/secrets", "server/registry.db"]
    assert refused.error()["code"] == "sqld_data_in_use"
    assert late.startswith("BACKED UP to ")
    assert (restored["state"], data["state"]) == (str(tmp_path / "state"), None)
    assert Path(restored["set_aside"], "registry.db").is_file()
    assert both.error()["code"] == "usage"


def test_a_read_replica_follows_the_server(admin: Program, primary: dict[str, Any], tmp_path: Path) -> None:
    """The server tells how far it is."""
    (address,) = done(admin, "sqld", "init", "--json").document()["read_replicas"]
    ports = ("--port", str(free_port()), "--admin-port", address.rpartition(":")[2])
    token = token_of(admin)["token"]

    with running_part(admin, "read-replica", *ports, "--data-dir", str(tmp_path / "copy")) as told:
        (seen,) = call(admin, "sqld", "status", "--json").document()["read_replicas"]
        port = int(told["url"].rpartition(":")[2])
        assert ask(port, "acme", token) in ("ok", "500"), "it may not have the tenant yet"

    assert problems("sqld read-replica", told) == []
    assert seen == {"address": address, "answers": True, "behind": 0}


def test_a_read_replica_needs_to_know_where_the_server_is(tmp_path: Path) -> None:
    """With what to type."""
    program = Program(tmp_path / "admin", {"TD_VAULT_KEY": KEY, "TD_SQLD_STATE": str(tmp_path / "state")})
    done(program, "sqld", "init")

    answer = call(program, "sqld", "read-replica", "--data-dir", str(tmp_path / "copy"), "--json")

    assert answer.error()["code"] == "usage"
    assert "--replication-address" in answer.error()["hint"]
    assert not (tmp_path / "copy").exists()


def test_the_configuration_of_nginx_is_printed(admin: Program) -> None:
    """As the one that td starts has it."""
    words = ["sqld", "proxy-config", "--listen", "0.0.0.0:443", "--directory", "/run/nginx"]
    tls = ["--certificate", "/tls/cert.pem", "--certificate-key", "/tls/key.pem", "--log", "/dev/stderr"]

    printed = done(admin, *words, *tls)
    document = done(admin, *words, *tls, "--json").document()
    half = call(admin, *words, "--certificate", "/tls/cert.pem", "--json")

    assert problems("sqld proxy-config", document) == []
    assert printed.out == document["config"]
    assert "ssl_certificate_key /tls/key.pem;" in printed.out
    assert half.error()["code"] == "sqld_proxy_settings"


@pytest.mark.parametrize("part", Part)
def test_what_a_deployment_starts_is_a_command_of_td(part: Part) -> None:
    """With an option for the directory of the server."""
    words, backup = td_words(part, "/state"), backup_words("/state", "/backups")

    assert tuple(words[:2]) in ALL
    assert tuple(backup[:2]) in ALL
