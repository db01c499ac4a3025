"""The vault: where secrets live between calls. Every kind of it holds the same promises."""

import pickle
from pathlib import Path
from typing import Final

import keyring
import pytest
from keyring.backends import fail, null

from auth.errors import KeyringError, NoKeyringError
from auth.file_vault import FileVault
from auth.vault import KeyringVault, Vault, open_vault
from auth.vault_errors import BadVaultKeyError, VaultChoiceError, VaultKeyMissingError
from auth.vault_format import Cost
from auth.vault_key import Passphrase, VaultKey
from tests.auth import secret_service
from tests.auth.secret_service import Desktop

KEY: Final = VaultKey(bytes(range(32)))
KINDS: Final = ("key", "passphrase", "keyring", *(("secret service",) if secret_service.IS_THERE else ()))
ODD: Final = ("", "two\nlines", "é ☕ \U0001f512", "\x00", "x" * 100_000)


@pytest.fixture(params=KINDS)
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Vault:
    """A vault of each kind, with nothing in it. A real Secret Service is among them where there is one."""
    if request.param in ("keyring", "secret service"):
        request.getfixturevalue("kept" if request.param == "keyring" else "secret_service")
        return open_vault({}, tmp_path)
    opener = KEY if request.param == "key" else Passphrase("correct horse")
    return FileVault(tmp_path / "vault", opener, cost=Cost(10))


def test_a_secret_is_found_again_under_its_name(vault: Vault) -> None:
    """And under no other; a new one takes its place."""
    vault.store("one", "first")
    vault.store("tenant/two/k-1", "other")
    vault.store("one", "second")

    assert [vault.read(name) for name in ("one", "tenant/two/k-1", "three")] == ["second", "other", None]


def test_a_forgotten_secret_is_gone_and_the_others_stay(vault: Vault) -> None:
    """To forget what was never there is no error."""
    vault.delete("one")
    vault.store("one", "first")
    vault.store("two", "other")

    vault.delete("one")
    vault.delete("one")

    assert [vault.read("one"), vault.read("two")] == [None, "other"]


@pytest.mark.parametrize("secret", [odd for odd in ODD if "\0" not in odd], ids=lambda odd: ascii(odd)[:12])
def test_a_secret_may_be_any_text(vault: Vault, secret: str) -> None:
    """It comes back as it was."""
    vault.store("one", secret)

    assert vault.read("one") == secret


@pytest.mark.parametrize("backend", [fail.Keyring, null.Keyring])
def test_without_a_real_keyring_nothing_is_kept(kept: Path, backend: type[fail.Keyring], tmp_path: Path) -> None:
    """Neither where there is none, nor where one only pretends; unless something opens a file."""
    keyring.set_keyring(backend())

    with pytest.raises(NoKeyringError) as raised:
        open_vault({}, tmp_path)

    assert "TD_DATABASE_TOKEN" in raised.value.hint
    assert "TD_VAULT_KEY" in raised.value.hint
    assert open_vault({"TD_VAULT_KEY": KEY.text}, tmp_path).kind == "file"
    assert list(tmp_path.iterdir()) == []


def test_a_locked_keyring_is_told_without_what_it_said(kept: Path, tmp_path: Path) -> None:
    """A backend may put anything into its message."""
    vault = open_vault({}, tmp_path)
    kept.write_text("locked")

    with pytest.raises(KeyringError) as raised:
        vault.read("one")

    assert "s3cret" not in str(raised.value)
    assert "unlock" in raised.value.hint


def test_the_environment_chooses_the_vault(kept: Path, tmp_path: Path) -> None:
    """Without it, the keyring comes first, also where a key is given."""
    key = {"TD_VAULT_KEY": KEY.text}

    assert open_vault(key, tmp_path).kind == "keyring"
    assert open_vault({**key, "TD_VAULT": "file"}, tmp_path).kind == "file"
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call] # keyring types nothing here
    with pytest.raises(NoKeyringError) as forced:
        open_vault({**key, "TD_VAULT": "keyring"}, tmp_path)
    # A key alone would change nothing.
    assert "take TD_VAULT=keyring out" in forced.value.hint
    with pytest.raises(VaultChoiceError):
        open_vault({**key, "TD_VAULT": "nowhere"}, tmp_path)


def test_a_vault_that_is_there_is_not_taken_for_none(kept: Path, tmp_path: Path) -> None:
    """Where its key is missing, that is what is said."""
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call] # keyring types nothing here
    open_vault({"TD_VAULT_KEY": KEY.text}, tmp_path).store("one", "first")

    with pytest.raises(VaultKeyMissingError) as raised:
        open_vault({}, tmp_path).read("one")

    assert "TD_VAULT_KEY" in raised.value.hint


def test_a_key_may_be_in_a_file(tmp_path: Path) -> None:
    """As systemd and container engines hand one over; the key itself, where it is given, comes first."""
    file = tmp_path / "key"
    file.write_text(f"{KEY.text}\n")
    environ = {"TD_VAULT": "file", "TD_VAULT_KEY_FILE": str(file)}

    open_vault(environ, tmp_path).store("one", "first")

    assert open_vault({"TD_VAULT": "file", "TD_VAULT_KEY": KEY.text}, tmp_path).read("one") == "first"
    file.write_text(VaultKey.generate().text)
    assert open_vault({**environ, "TD_VAULT_KEY": KEY.text}, tmp_path).read("one") == "first"


@pytest.mark.parametrize("content", [None, b"", b"s3cret", b"\xff\xfe"])
def test_a_file_without_a_key_is_told_without_what_is_in_it(content: bytes | None, tmp_path: Path) -> None:
    """Also one that is not there."""
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(BadVaultKeyError) as raised:
        open_vault({"TD_VAULT": "file", "TD_VAULT_KEY_FILE": str(file)}, tmp_path).store("one", "first")

    assert "TD_VAULT_KEY_FILE" in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_a_person_is_asked_once_and_only_when_it_is_needed(kept: Path, tmp_path: Path) -> None:
    """To look for something where there is no file needs no passphrase."""
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call] # keyring types nothing here
    asked: list[str] = []

    def ask() -> str:
        asked.append("asked")
        return "correct horse"

    vault = open_vault({}, tmp_path, ask=ask)
    assert (vault.read("one"), asked) == (None, [])

    vault.store("one", "first")

    assert (vault.read("one"), asked) == ("first", ["asked"])
    assert open_vault({"TD_VAULT_PASSPHRASE": "correct horse\n"}, tmp_path).read("one") == "first"


def test_nothing_shows_what_opens_a_vault() -> None:
    """As in a traceback with its variables."""
    shown = repr([KEY, Passphrase("correct horse")])

    assert KEY.text not in shown
    assert repr(KEY.secret) not in shown
    assert "horse" not in shown


if secret_service.IS_THERE:

    def test_a_locked_desktop_is_told_at_once(secret_service: Desktop, tmp_path: Path) -> None:
        """Where nobody can be asked for its password."""
        from secretstorage import dbus_init, get_default_collection  # noqa: PLC0415 - only Linux has it

        vault = open_vault({}, tmp_path)
        vault.store("one", "s3cret")
        with dbus_init() as connection:
            get_default_collection(connection).lock()

        with pytest.raises(KeyringError) as raised:
            vault.read("one")

        assert raised.value.reason == "KeyringLocked"

    def test_a_desktop_that_is_gone_is_told(secret_service: Desktop, tmp_path: Path) -> None:
        """Its bus may end while td runs."""
        vault = open_vault({}, tmp_path)
        assert isinstance(vault, KeyringVault)
        secret_service.__exit__(None, None, None)

        with pytest.raises(KeyringError):
            vault.store("one", "s3cret")

    def test_a_desktop_encrypts_what_it_keeps(secret_service: Desktop, tmp_path: Path) -> None:
        """The promise that a secret is never in a file in the clear is the keyring's to hold."""
        open_vault({}, tmp_path).store("one", "s3cret")

        assert secret_service.files()
        assert [path for path in secret_service.files() if b"s3cret" in path.read_bytes()] == []


def test_errors_of_vaults_pickle() -> None:
    """They may cross a process."""
    error = KeyringError("KeyringLocked")

    again = pickle.loads(pickle.dumps(error))

    assert (type(again), str(again)) == (KeyringError, str(error))
