"""A whole server is copied while it runs, and comes back with its tenants, and nothing that was taken back."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from auth.file_vault import FileVault
from auth.tokens import Role
from auth.vault import Vault
from auth.vault_errors import WrongVaultKeyError
from auth.vault_key import VaultKey
from sqld import (
    DamagedBackupError,
    DataDirInUseError,
    DataDirNotEmptyError,
    NotABackupError,
    back_up,
    restore_backup,
)
from sqld.minting import make_api_key, revoke_api_key, revoke_token
from sqld.server_backup import LastBackup, back_up_server, last_backup, restore_server
from sqld.state import ADMIN_KEY, State, read_key
from sqld.state_errors import GatewayRunsError, StateError
from tests.sqld.tenant_server import TenantServer, ask

# Another process, as a gateway is: the locks of its own would not be seen by a process.
GATEWAY = """
import pathlib, sys
from sqld.registry import Registry
with Registry.open(pathlib.Path(sys.argv[1])) as registry:
    registry.tenants.all()
    print("open", flush=True)
    sys.stdin.read()
"""


def opened_with(key: VaultKey) -> Callable[[State], Vault]:
    """What opens the vault of a server."""
    return lambda state: FileVault(state.vault_path, key)


def files_in(folder: Path) -> dict[str, bytes]:
    """What is in a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def backup(primary: TenantServer, sqld_binary: Path, tmp_path: Path) -> Path:
    """A copy of a server with the tenants `acme` and `globex`, each with a row; it runs on."""
    for name in ("acme", "globex"):
        primary.tenancy.create(name)
        token = primary.token(name)
        primary.ask(name, token, "CREATE TABLE t (name TEXT)")
        primary.ask(name, token, f"INSERT INTO t VALUES ('{name}')")
    return back_up_server(primary.state, tmp_path / "backups", binary=sqld_binary).folder


def test_a_server_is_restored_on_another_machine_with_all_its_tenants(
    primary: TenantServer, backup: Path, sqld_binary: Path, tmp_path: Path
) -> None:
    """A token of before opens its tenant there, and no other."""
    token = primary.token("acme")
    backup = back_up_server(primary.state, tmp_path / "backups", binary=sqld_binary).folder
    primary.server.stop()

    place = State(tmp_path / "elsewhere" / "state")
    done = restore_server(backup, place, opened_with(primary.vault_key), binary=sqld_binary)

    vault = FileVault(place.vault_path, primary.vault_key)
    with place.registry() as registry, place.server(sqld_binary, vault, environ=os.environ) as server:
        assert place.tenancy(registry, vault).settle() == []
        assert ask(server.port, "acme", token, "SELECT * FROM t") == "ok"
        assert ask(server.port, "globex", token, "SELECT * FROM t") == "401"
        assert [tenant.name for tenant in registry.tenants.all()] == ["acme", "globex"]
    assert (done.directory, done.set_aside, done.revoked) == (place.directory, None, 0)
    assert last_backup(place) == LastBackup(folder=backup, made_at=done.manifest.made_at)
    assert stat.S_IMODE(place.directory.stat().st_mode) == 0o700


def test_a_backup_of_a_server_is_for_its_owner_and_holds_no_secret_in_the_clear(
    primary: TenantServer, backup: Path
) -> None:
    """The key that opens the vault is nowhere in it."""
    secrets = [primary.vault_key.text, read_key(primary.vault, ADMIN_KEY)]

    modes = {stat.S_IMODE(path.stat().st_mode) for path in backup.rglob("*")}
    assert modes == {0o600, 0o700}
    assert not [name for name, data in files_in(backup).items() for secret in secrets if secret.encode() in data]


def test_what_was_revoked_after_the_backup_stays_revoked(
    primary: TenantServer, sqld_binary: Path, tmp_path: Path
) -> None:
    """Else whoever stole a token would be let in again by a restore."""
    primary.tenancy.create("acme")
    stolen, kept = primary.token("acme"), primary.token("acme")
    key = make_api_key(primary.registry, tenant="acme", role=Role.RO, ttl_s=600, name="ci")
    backup = back_up_server(primary.state, tmp_path / "backups", binary=sqld_binary).folder
    by_digest = {token.sha256: token.id for token in primary.registry.tokens.of()}
    assert len(by_digest) == 2
    first = primary.registry.tokens.of()[0].id
    revoke_token(primary.registry, first, now=int(primary.now))
    revoke_api_key(primary.registry, key.record.id, now=int(primary.now))
    primary.server.stop()
    primary.registry.close()

    done = restore_server(backup, primary.state, opened_with(primary.vault_key), binary=sqld_binary, replace=True)

    with primary.state.registry() as registry:
        revoked = {token.id for token in registry.tokens.of() if token.revoked_at is not None}
        (kept_key,) = registry.api_keys.of()
    assert done.revoked == 2
    assert revoked == {first}
    assert kept_key.revoked_at is not None
    assert stolen != kept
    assert done.set_aside is not None
    assert (done.set_aside / "registry.db").is_file()


def test_a_server_whose_registry_is_damaged_can_be_replaced(
    primary: TenantServer, backup: Path, sqld_binary: Path
) -> None:
    """It is told that nobody knows what was revoked since."""
    primary.server.stop()
    primary.registry.close()
    primary.state.registry_path.write_bytes(b"\x55" * 8192)

    done = restore_server(backup, primary.state, opened_with(primary.vault_key), binary=sqld_binary, replace=True)

    assert done.revoked is None
    with primary.state.registry() as registry:
        assert [tenant.name for tenant in registry.tenants.all()] == ["acme", "globex"]


def test_a_server_that_runs_is_not_replaced(primary: TenantServer, backup: Path, sqld_binary: Path) -> None:
    """Neither while its sqld runs, nor while a gateway has its registry open; nor without --replace."""
    opener = opened_with(primary.vault_key)

    with pytest.raises(DataDirInUseError):
        restore_server(backup, primary.state, opener, binary=sqld_binary, replace=True)
    primary.server.stop()
    primary.registry.close()
    with subprocess.Popen(
        [sys.executable, "-c", GATEWAY, primary.state.registry_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as gateway:
        assert gateway.stdout is not None
        assert gateway.stdout.readline() == b"open\n"
        with pytest.raises(GatewayRunsError):
            restore_server(backup, primary.state, opener, binary=sqld_binary, replace=True)
        gateway.communicate()
    with pytest.raises(DataDirNotEmptyError):
        restore_server(backup, primary.state, opener, binary=sqld_binary)


def test_what_cannot_be_restored_leaves_everything_as_it_was(
    primary: TenantServer, backup: Path, sqld_binary: Path, tmp_path: Path
) -> None:
    """A vault that does not open, a file that was changed, a place that is somebody else's."""
    primary.server.stop()
    primary.registry.close()
    before = files_in(primary.state.directory)
    opener = opened_with(primary.vault_key)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "letter").touch()

    with pytest.raises(WrongVaultKeyError):
        restore_server(backup, primary.state, opened_with(VaultKey.generate()), binary=sqld_binary, replace=True)
    with pytest.raises(StateError):
        restore_server(backup, State(foreign), opener, binary=sqld_binary, replace=True)
    with (backup / "server" / "registry.db").open("ab") as registry:
        registry.write(b"\0")
    with pytest.raises(DamagedBackupError):
        restore_server(backup, primary.state, opener, binary=sqld_binary, replace=True)

    assert files_in(primary.state.directory) == before
    assert {path.name for path in tmp_path.iterdir()} == {"state", "backups", "foreign"}


def test_the_databases_alone_can_be_put_back(primary: TenantServer, backup: Path, sqld_binary: Path) -> None:
    """With the keys that the server has now: what was rotated since then holds."""
    primary.tenancy.rotate_key("acme", overlap_s=0)
    token = primary.token("acme")
    primary.ask("acme", token, "DELETE FROM t")
    primary.server.stop()

    restore_backup(backup, primary.state.data_dir, binary=sqld_binary, replace=True)

    with primary.state.server(sqld_binary, primary.vault, environ=os.environ):
        assert primary.tenancy.settle() == []
        assert primary.ask("acme", token, "SELECT json(name) FROM t") != "ok", "the row is back, and no JSON"
        assert primary.ask("acme", token) == "ok"


def test_a_backup_of_data_alone_is_not_taken_for_a_server(
    primary: TenantServer, sqld_binary: Path, tmp_path: Path
) -> None:
    """It says how it can be used."""
    primary.tenancy.create("acme")
    made = back_up(primary.state.data_dir, tmp_path / "backups", binary=sqld_binary)

    with pytest.raises(NotABackupError) as raised:
        restore_server(made.folder, State(tmp_path / "new"), opened_with(primary.vault_key), binary=sqld_binary)

    assert "--data-dir" in str(raised.value)
    assert not (tmp_path / "new").exists()


def test_a_server_knows_its_last_backup(primary: TenantServer, backup: Path) -> None:
    """Where it was put, and when."""
    last = last_backup(primary.state)

    assert last is not None
    assert last.folder == backup
    assert last.made_at == json.loads((backup / "manifest.json").read_text())["made_at"]
    (primary.state.directory / "last-backup.json").write_text("damaged")
    assert last_backup(primary.state) is None


def test_a_backup_that_cannot_be_noted_is_one_all_the_same(
    primary: TenantServer, backup: Path, sqld_binary: Path, tmp_path: Path
) -> None:
    """As where the disk of the server is full, and that of the backups is not."""
    (primary.state.directory / "last-backup.json").unlink()
    (primary.state.directory / "last-backup.json").mkdir()

    made = back_up_server(primary.state, tmp_path / "backups", binary=sqld_binary)

    assert (made.folder / "manifest.json").is_file()
    assert last_backup(primary.state) is None


def test_a_tenant_that_comes_while_a_backup_is_made_does_no_harm(
    primary: TenantServer, backup: Path, sqld_binary: Path, tmp_path: Path
) -> None:
    """Its database may be in the copy, and opens to nobody; the server starts."""
    born: list[str] = []

    def progress(doing: str, _done: int, _total: int) -> None:
        if doing == "copying acme" and not born:
            born.append(primary.tenancy.create("latecomer").name)

    made = back_up_server(primary.state, tmp_path / "backups", binary=sqld_binary, progress=progress)
    primary.server.stop()
    place = State(tmp_path / "new")
    restore_server(made.folder, place, opened_with(primary.vault_key), binary=sqld_binary)

    vault = FileVault(place.vault_path, primary.vault_key)
    late = primary.token("latecomer")
    with place.registry() as registry, place.server(sqld_binary, vault, environ=os.environ) as server:
        assert place.tenancy(registry, vault).settle() == []
        assert registry.tenants.find("latecomer") is None
        assert ask(server.port, "latecomer", late) != "ok"
    assert born == ["latecomer"]
