"""What is seen of a server, and what of it is told as a problem."""

import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from auth.file_vault import FileVault
from auth.vault_key import VaultKey
from sqld import Server, free_port
from sqld.nginx import Nginx
from sqld.proxy import ProxySettings
from sqld.registry import TenantState
from sqld.server_backup import LastBackup, back_up_server
from sqld.state import ADMIN_KEY, read_key, read_replica_flags, set_up, sqld_environ
from sqld.status import PartStatus, ReadReplicaStatus, ServerStatus, TenantStatus, look, problems_of
from tests.sqld.tenant_server import TenantServer, ask

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def well(folder: Path) -> ServerStatus:
    """A server with nothing to complain of, whose last backup is in `folder`."""
    return ServerStatus(
        directory=folder,
        parts=[PartStatus("sqld", "http://127.0.0.1:8080", answers=True, version="sqld 0.24.32")],
        tenants=[TenantStatus("acme", TenantState.ACTIVE, 4096, 1)],
        read_replicas=[ReadReplicaStatus("127.0.0.1:8085", answers=True, behind=3)],
        last_backup=LastBackup(folder=folder, made_at="2026-11-21T03:00:00.000000Z"),
        free_bytes=80,
        disk_bytes=100,
        admin_problem=None,
    )


def test_a_server_that_is_well_has_no_problem(tmp_path: Path) -> None:
    """A read replica may be a little behind."""
    assert problems_of(well(tmp_path), now=NOON) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"parts": [PartStatus("sqld", "http://127.0.0.1:8080", answers=False)]}, "sqld does not answer"),
        ({"tenants": [TenantStatus("acme", TenantState.ACTIVE, None, None)]}, "acme has no database"),
        ({"read_replicas": [ReadReplicaStatus("127.0.0.1:8085", answers=False, behind=None)]}, "does not answer"),
        ({"read_replicas": [ReadReplicaStatus("127.0.0.1:8085", answers=True, behind=5000)]}, "5000 changes behind"),
        ({"last_backup": None}, "never backed up"),
        ({"last_backup": LastBackup(folder=Path("/nowhere"), made_at="2026-11-21T03:00:00Z")}, "not where it was put"),
        ({"free_bytes": 9}, "the disk has"),
        ({"admin_problem": "the vault needs its key"}, "sqld cannot be asked"),
    ],
)
def test_what_is_not_well_is_told_with_what_to_do(change: dict[str, object], told: str, tmp_path: Path) -> None:
    """One thing each."""
    (problem,) = problems_of(replace(well(tmp_path), **change), now=NOON)  # type: ignore[arg-type] # one field each

    assert told in problem.text
    assert problem.hint


def test_an_old_backup_is_a_problem(tmp_path: Path) -> None:
    """One that a timer makes each day may be late by a day."""
    status = well(tmp_path)

    assert problems_of(status, now=NOON.replace(day=22)) == []
    (problem,) = problems_of(status, now=NOON.replace(day=24))
    assert problem.text == "the last backup is of 2026-11-21"


def test_a_server_is_seen_as_it_is(primary: TenantServer, sqld_binary: Path, tmp_path: Path) -> None:
    """Its tenants with their sizes; also after it was stopped, as far as the disk tells."""
    primary.tenancy.create("acme")
    primary.ask("acme", primary.token("acme"), "CREATE TABLE t (name TEXT)")
    made = back_up_server(primary.state, tmp_path / "backups", binary=sqld_binary)

    seen = look(primary.state, primary.registry, primary.vault)
    primary.server.stop()
    stopped = look(primary.state, primary.registry, primary.vault)

    (part, gateway), (tenant,) = seen.parts, seen.tenants
    assert (part.name, part.answers, gateway.answers) == ("sqld", True, False)
    assert part.version is not None
    assert part.version.startswith("sqld 0.")
    assert tenant.change is not None
    assert tenant.change > 0
    assert tenant.bytes is not None
    assert tenant.bytes >= 4096
    assert seen.last_backup is not None
    assert seen.last_backup.folder == made.folder
    assert 0 < seen.free_bytes <= seen.disk_bytes
    assert not stopped.parts[0].answers
    assert (stopped.tenants[0].bytes, stopped.tenants[0].change) != (None, tenant.change)


def test_an_sqld_that_accepts_and_never_answers_is_waited_for_once(primary: TenantServer) -> None:
    """Not once for each tenant."""
    for name in ("acme", "globex", "initech"):
        primary.tenancy.create(name)
    primary.server.stop()
    with socket.create_server(("127.0.0.1", primary.state.settings().admin_port)) as silent:
        seen = look(primary.state, primary.registry, primary.vault, timeout_s=0.2)

        silent.setblocking(False)  # noqa: FBT003 - its only parameter
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()
    assert [tenant.change for tenant in seen.tenants] == [None, None, None]
    assert not seen.parts[0].answers


def test_a_certificate_that_is_over_is_told_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else somebody starts again what runs."""
    authority, yesterday = trustme.CA(), datetime.now(UTC) - timedelta(days=1)
    leaf = authority.issue_cert("127.0.0.1", not_before=yesterday - timedelta(days=9), not_after=yesterday)
    chain, key, ca_file = (tmp_path / name for name in ("chain.pem", "key.pem", "ca.pem"))
    leaf.private_key_pem.write_to_path(str(key))
    leaf.cert_chain_pems[0].write_to_path(str(chain))
    authority.cert_pem.write_to_path(str(ca_file))
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    nowhere, listen = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    vault = FileVault(tmp_path / "secrets", VaultKey.generate())
    state = set_up(tmp_path / "state", vault, public_url=f"https://{listen}")
    proxy = ProxySettings(tmp_path / "nginx", listen, nowhere, nowhere, certificate=chain, certificate_key=key)

    with Nginx(proxy), state.registry() as registry:
        problems = problems_of(look(state, registry, vault), now=NOON)

    (problem,) = (problem for problem in problems if "public address" in problem.text)
    assert "not trusted: certificate has expired" in problem.text
    assert "renewed" in problem.hint


def until(holds: Callable[[], bool]) -> bool:
    """Whether it comes to hold within ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if holds():
            return True
    return False


def test_a_read_replica_serves_each_tenant_alone_and_tells_how_far_it_is(
    primary: TenantServer, sqld_binary: Path, tmp_path: Path
) -> None:
    """It knows the keys of the tenants by itself, serves while the server is down, and takes no writes."""
    ports = {"replication_address": f"127.0.0.1:{free_port()}", "read_replicas": (f"127.0.0.1:{free_port()}",)}
    primary.server.stop()
    state = set_up(primary.state.directory, primary.vault, **ports)
    settings = state.settings()
    assert settings.replication_address is not None
    replica = Server(
        sqld_binary,
        data_dir=tmp_path / "replica",
        flags=read_replica_flags(admin_listen=settings.read_replicas[0], primary=settings.replication_address),
        environ=sqld_environ(settings, read_key(primary.vault, ADMIN_KEY), os.environ),
    )
    with state.server(sqld_binary, primary.vault, environ=os.environ) as server:
        for name in ("acme", "globex"):
            primary.tenancy.create(name)
        acme, globex = primary.token("acme"), primary.token("globex")
        assert ask(server.port, "acme", acme, "CREATE TABLE t (name TEXT)") == "ok"
        (down,) = look(state, primary.registry, primary.vault).read_replicas
        with replica:
            # It fetches a tenant when it is first asked for it, and refuses until it has it.
            assert until(lambda: ask(replica.port, "acme", acme, "SELECT * FROM t") == "ok")
            assert until(lambda: look(state, primary.registry, primary.vault).read_replicas[0].behind == 0)
            assert ask(replica.port, "acme", globex, "SELECT * FROM t") == "401"
            assert ask(replica.port, "acme", None, "SELECT * FROM t") == "401"
            assert ask(replica.port, "acme", acme, "INSERT INTO t VALUES ('x')") == "500"
            server.stop()
            assert ask(replica.port, "acme", acme, "SELECT * FROM t") == "ok"
    assert not down.answers
