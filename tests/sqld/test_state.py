"""The directory of a server with tenants."""

import json
import os
import socket
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from auth.file_vault import FileVault
from auth.vault_errors import WrongVaultKeyError
from auth.vault_key import VaultKey
from sqld import PortTakenError, free_port
from sqld.state import Settings, State, default_directory, read_key, set_up, sqld_environ, sqld_flags
from sqld.state_errors import KeyMissingError, SettingError, StateError, StateMissingError
from sqld.tenant_errors import RegistryError

KEY = VaultKey.generate()


def vault_of(directory: Path, key: VaultKey = KEY) -> FileVault:
    """The vault of a server there."""
    return FileVault(State(directory).vault_path, key)


def test_setting_up_makes_all_that_a_server_needs(tmp_path: Path) -> None:
    """For its owner alone, and with no secret in the clear."""
    directory = tmp_path / "new" / "state"
    vault = vault_of(directory)

    state = set_up(directory, vault, http_port=1234, public_url="https://db.example")

    settings = state.settings()
    assert (settings.http_port, settings.admin_port, settings.public_url) == (1234, 8081, "https://db.example")
    assert {entry.name for entry in directory.iterdir()} >= {"server.json", "secrets", "registry.db", "data"}
    modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in (directory, *directory.iterdir())}
    assert {name: mode for name, mode in modes.items() if mode != (0o700 if name in ("state", "data") else 0o600)} == {}
    keys = [read_key(vault, name) for name in ("admin-key", "gateway-admin-key")]
    assert keys[0] != keys[1]
    assert all(len(key) == 43 for key in keys)
    content = b"".join(file.read_bytes() for file in directory.rglob("*") if file.is_file())
    assert [key for key in (*keys, KEY.text) if key.encode() in content] == []


def test_setting_up_again_makes_only_what_is_missing(tmp_path: Path) -> None:
    """Keys and settings stay; a setting that is given is changed."""
    vault = vault_of(tmp_path)
    set_up(tmp_path, vault, http_port=1234)
    vault.delete("gateway-admin-key")
    before, admin_key = State(tmp_path).settings(), vault.read("admin-key")

    set_up(tmp_path, vault)
    same = State(tmp_path).settings()
    changed = set_up(tmp_path, vault, admin_port=4321).settings()

    assert same == before
    assert changed == before.model_copy(update={"admin_port": 4321})
    assert vault.read("admin-key") == admin_key
    assert vault.read("gateway-admin-key")


def test_who_cannot_open_the_vault_changes_nothing(tmp_path: Path) -> None:
    """Nobody replaces the keys by setting up again."""
    set_up(tmp_path, vault_of(tmp_path))
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}

    with pytest.raises(WrongVaultKeyError):
        set_up(tmp_path, vault_of(tmp_path, VaultKey.generate()), http_port=1)

    assert {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()} == before


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"version": 2, "closed_key": ""}', b'{"closed_key": "", "x": 1}', b"\xff"]
)
def test_settings_that_are_none_are_told_and_not_replaced(tmp_path: Path, content: bytes) -> None:
    """Somebody may want them back."""
    state = set_up(tmp_path, vault_of(tmp_path))
    state.settings_path.write_bytes(content)

    for call in (state.settings, lambda: set_up(tmp_path, vault_of(tmp_path))):
        with pytest.raises(StateError, match=r"server\.json"):
            call()

    assert state.settings_path.read_bytes() == content


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "https://",
        "ftp://a",
        "https://a:x",
        "https://u:p@a",
        "http://db.example",
        "https://a?t=1",
        "https://a\x1b",
        "https://caf\udce9",
    ],
)
def test_a_setting_that_cannot_be_is_refused(tmp_path: Path, url: str) -> None:
    """Before anything is made."""
    for name, value in (("http_port", 70_000), ("public_url", url), ("workos_url", url)):
        with pytest.raises(SettingError, match=name):
            set_up(tmp_path, vault_of(tmp_path), **{name: value})

    assert list(tmp_path.iterdir()) == []


def test_where_nothing_was_set_up_is_told(tmp_path: Path) -> None:
    """And nothing is made there."""
    state = State(tmp_path / "none")

    for call in (state.settings, state.registry, lambda: state.admin(vault_of(tmp_path / "none"))):
        with pytest.raises(StateMissingError, match="none"):
            call()

    assert not state.directory.exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """With the reason of the system."""
    (tmp_path / "file").touch()

    with pytest.raises(StateError):
        set_up(tmp_path / "file" / "state", vault_of(tmp_path))


def test_a_registry_that_is_none_is_told(tmp_path: Path) -> None:
    """And not written over."""
    (tmp_path / "registry.db").write_bytes(b"no database at all, but long enough to look at")

    with pytest.raises(RegistryError):
        set_up(tmp_path, vault_of(tmp_path))


def test_a_key_that_the_vault_does_not_have_is_told_by_name(tmp_path: Path) -> None:
    """With what makes it."""
    set_up(tmp_path, vault_of(tmp_path))
    vault_of(tmp_path).delete("admin-key")

    with pytest.raises(KeyMissingError, match="admin-key") as raised:
        State(tmp_path).server(tmp_path, vault_of(tmp_path), environ={})

    assert "td sqld init" in raised.value.hint


def test_a_taken_admin_port_is_told(tmp_path: Path) -> None:
    """Sqld would end, and say it of another port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        state = set_up(tmp_path, vault_of(tmp_path), admin_port=port)

        with pytest.raises(PortTakenError, match=str(port)):
            state.server(tmp_path, vault_of(tmp_path), environ={})


def test_sqld_gets_its_own_secrets_and_none_of_ours() -> None:
    """By the environment; and nothing there can open it without a key."""
    settings = Settings(closed_key="PEM", admin_port=4321)
    ours = {"TD_VAULT_KEY": "s3cret", "TD_VAULT_PASSPHRASE": "s3cret", "TD_DATABASE_TOKEN": "s3cret"}

    opening = {"SQLD_AUTH_JWT_KEY_FILE": "f", "SQLD_HTTP_AUTH": "a", "SQLD_GRPC_LISTEN_ADDR": "0.0.0.0:5001"}

    environ = sqld_environ(settings, "adm1n", {"PATH": "p", **opening, **ours})

    assert environ == {"PATH": "p", "LIBSQL_ADMIN_AUTH_KEY": "adm1n", "SQLD_AUTH_JWT_KEY": "PEM"}
    assert sqld_flags(settings) == ["--enable-namespaces", "--admin-listen-addr", "127.0.0.1:4321"]


def test_the_place_of_a_server_is_of_the_environment_or_of_the_user() -> None:
    """As for every program of this kind."""
    assert default_directory({"TD_SQLD_STATE": "here"}) == Path("here")
    assert default_directory({}).parts[-2:] == ("replica-toolkit", "sqld")


def test_what_runs_has_no_secret_of_td_in_its_environment(
    tmp_path: Path, sqld_binary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither sqld, nor the shell that guards it."""
    monkeypatch.setenv("TD_VAULT_KEY", KEY.text)
    vault = vault_of(tmp_path)
    state = set_up(tmp_path, vault, admin_port=free_port())

    with state.server(sqld_binary, vault, port=0, environ=os.environ) as server:
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(os.getpid())], capture_output=True, check=True)
        children = {int(pid): environment_of(int(pid)) for pid in listed.stdout.split()}
        pid = server.pid

    assert len([environ for environ in children.values() if environ]) == 2
    assert b"SQLD_AUTH_JWT_KEY=" in children[pid]
    assert [pid for pid, environ in children.items() if KEY.text.encode() in environ] == []
    assert json.loads(state.settings_path.read_text())["closed_key"].startswith("-----BEGIN PUBLIC KEY-----")


def environment_of(pid: int) -> bytes:
    """What a process was started with; nothing of one that has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes()
    return b""
