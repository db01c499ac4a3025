"""What tests of auth may ask for: vaults of each kind, and a WorkOS."""

import gc
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from auth.sign_in import Application, SignIn
from auth.workos import poll, start_device_login
from tests.auth.file_keyring import FileKeyring
from tests.auth.secret_service import Desktop
from tests.auth.workos_double import CLIENT_ID, Clock, WorkOSDouble

# What keyring.get_keyring() answers; with monkeypatch, the next test finds it as it was.
_CHOSEN = "keyring.core._keyring_backend"


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A keyring, and the file behind it."""
    path = tmp_path / "keyring.json"
    monkeypatch.setenv("TEST_KEYRING", str(path))
    monkeypatch.setattr(_CHOSEN, FileKeyring())  # type: ignore[no-untyped-call] # keyring types nothing here
    return path


@pytest.fixture
def secret_service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desktop]:
    """A real keyring of a desktop, as the one that this process finds."""
    # Only Linux has what this needs.
    from keyring.backends.SecretService import Keyring  # noqa: PLC0415 - see above

    with Desktop() as desktop:
        for name, value in desktop.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(_CHOSEN, Keyring())  # type: ignore[no-untyped-call] # see above
        yield desktop
    # Where it is locked or gone, keyring leaves the connection to whoever collects garbage.
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()


@pytest.fixture
def clock() -> Clock:
    """The test's own time, which goes on when somebody waits."""
    return Clock()


@pytest.fixture
def double(clock: Clock) -> Iterator[WorkOSDouble]:
    """WorkOS, by that clock."""
    with WorkOSDouble(clock=clock) as double:
        yield double


@pytest.fixture
def application(double: WorkOSDouble) -> Application:
    """The one that the double knows."""
    return Application(CLIENT_ID, double.url, timeout_s=0.5)


@pytest.fixture
def signed_in(double: WorkOSDouble, application: Application, clock: Clock) -> SignIn:
    """Somebody who has signed in; the double's list of requests is empty again."""
    login = start_device_login(application, clock=clock)
    double.decide()
    done = poll(application, login, clock=clock, wait=clock.wait)
    double.asked.clear()
    return done
