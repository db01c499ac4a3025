"""The vault: where tokens live between calls."""

from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backends import fail, null

from auth.errors import KeyringError, NoKeyringError
from auth.vault import read_token, store_token
from tests.auth.file_keyring import FileKeyring


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A keyring, and the file behind it."""
    path = tmp_path / "keyring.json"
    monkeypatch.setenv("TEST_KEYRING", str(path))
    before = keyring.get_keyring()
    keyring.set_keyring(FileKeyring())  # type: ignore[no-untyped-call] # keyring types nothing here
    yield path
    keyring.set_keyring(before)


def test_a_token_is_found_again_under_its_name(kept: Path) -> None:
    """And under no other; a new one takes its place."""
    store_token("one", "first")
    store_token("two", "other")
    store_token("one", "second")

    assert (read_token("one"), read_token("two"), read_token("three")) == ("second", "other", None)


@pytest.mark.parametrize("backend", [fail.Keyring, null.Keyring])
def test_without_a_real_keyring_nothing_is_kept(kept: Path, backend: type[fail.Keyring]) -> None:
    """Neither where there is none, nor where one only pretends."""
    keyring.set_keyring(backend())

    with pytest.raises(NoKeyringError) as raised:
        store_token("one", "s3cret")

    assert "TD_DATABASE_TOKEN" in raised.value.hint
    with pytest.raises(NoKeyringError):
        read_token("one")


def test_a_locked_keyring_is_told_without_what_it_said(kept: Path) -> None:
    """A backend may put anything into its message."""
    kept.write_text("locked")

    with pytest.raises(KeyringError) as raised:
        read_token("one")

    assert "s3cret" not in str(raised.value)
    assert "unlock" in raised.value.hint
