"""Vaults of each kind."""

import gc
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import keyring
import pytest
from keyring.backend import KeyringBackend

from tests.auth.file_keyring import FileKeyring
from tests.auth.secret_service import SecretService

Ground = TypeVar("Ground")


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A keyring, and the file behind it."""
    path = tmp_path / "keyring.json"
    monkeypatch.setenv("TEST_KEYRING", str(path))
    yield from _with_keyring(path, FileKeyring())  # type: ignore[no-untyped-call] # keyring types nothing here


@pytest.fixture
def secret_service(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretService]:
    """A real keyring of a desktop, as the one that this process finds."""
    # Only Linux has what this needs.
    from keyring.backends.SecretService import Keyring  # noqa: PLC0415 - see above

    with SecretService() as service:
        for name, value in service.environ.items():
            monkeypatch.setenv(name, value)
        yield from _with_keyring(service, Keyring())  # type: ignore[no-untyped-call] # see above
    # Where it is locked or gone, keyring leaves the connection to whoever collects garbage.
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()


def _with_keyring(ground: Ground, backend: KeyringBackend) -> Iterator[Ground]:
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    yield ground
    keyring.set_keyring(before)
