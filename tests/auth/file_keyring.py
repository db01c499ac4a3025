"""A keyring for tests: what a desktop's keyring does, in a file that the test names."""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked


class FileKeyring(KeyringBackend):
    """Keeps passwords in the file TEST_KEYRING; locked while that file holds `locked`."""

    # A class attribute takes the place of the property that keyring declares.
    priority = 5

    def get_password(self, service: str, username: str) -> str | None:
        """The password, or None."""
        return self._read().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep it."""
        _path().write_text(json.dumps(self._read() | {f"{service}/{username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        """Forget it."""
        _path().write_text(json.dumps({k: v for k, v in self._read().items() if k != f"{service}/{username}"}))

    def _read(self) -> dict[str, str]:
        if not _path().exists():
            return {}
        text = _path().read_text()
        if text == "locked":
            raise KeyringLocked("s3cret")
        kept: dict[str, str] = json.loads(text)
        return kept


def _path() -> Path:
    return Path(os.environ["TEST_KEYRING"])
