"""What td asks of the admin API of an sqld (the namespaces of sqld 0.24, docs/ADMIN_API.md of tursodatabase/libsql).

Always true:
- settings are read, merged and written back whole: what sqld is not told, it clears, the key of the namespace too;
- the admin key goes in a header, over a connection to the address that the server itself listens on;
- no answer is waited for longer than the timeout.

That nobody else changes the settings of the same namespace meanwhile is for the caller to see to.
"""

import http.client
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from sqld.state_errors import AdminAnswerError, AdminKeyError, AdminUnreachableError

_TIMEOUT_S: Final = 10.0
_ANSWER_BYTES_MAX: Final = 16 << 20


class Admin:
    """The admin API of one sqld.

    Every call raises AdminUnreachableError if sqld does not answer (what was asked may have been done; asking again is
    harmless), AdminKeyError if it does not take the key, and AdminAnswerError if it answers with anything unexpected.
    """

    def __init__(self, port: int, key: str, *, host: str = "127.0.0.1", timeout_s: float = _TIMEOUT_S) -> None:
        """Nothing is asked yet.

        Args:
            port: of `--admin-listen-addr`.
            key: what sqld was given as `LIBSQL_ADMIN_AUTH_KEY`.
            host: the address it listens on.
            timeout_s: for each wait for the network.
        """
        self.host, self.port = host, port
        self._key, self._timeout_s = key, timeout_s

    def see_that_it_answers(self) -> None:
        """Return if it does, and takes the key.

        A SIGINT that comes before sqld has answered anything here may leave it waiting for ever: 6 of 80 stops
        (measured); after an answer, none of 310.
        """
        self._expect_done(*self._ask("GET", ""))

    def create(self, namespace: str, settings: Mapping[str, Any]) -> bool:
        """Make an empty database with these settings from its first moment on; False if there is one of this name."""
        status, text = self._ask("POST", namespace, "create", settings)
        if status == 400 and "already exists" in text:
            return False
        self._expect_done(status, text)
        return True

    def fork(self, namespace: str, to: str) -> None:
        """Copy a database with its settings, its key too: what replicates the one then replicates the other."""
        self._expect_done(*self._ask("POST", namespace, f"fork/{quote(to, safe='')}"))

    def delete(self, namespace: str) -> bool:
        """Delete a database with all that is in it; False if there is none."""
        status, text = self._ask("DELETE", namespace)
        if status == 404:
            return False
        self._expect_done(status, text)
        return True

    def settings(self, namespace: str) -> dict[str, Any] | None:
        """All settings of a namespace, as sqld names them; None if there is none of this name."""
        return self._read(namespace, "config")

    def change(self, namespace: str, changes: Mapping[str, Any]) -> None:
        """Change some settings of a namespace, and leave the others as they are.

        sqld tells sizes rounded to a tenth of their unit, and so they are written back.
        """
        settings = self.settings(namespace)
        if settings is None:
            raise AdminAnswerError(404, f"there is no namespace {namespace}")
        changed = {**settings, **changes}
        if changed != settings:
            self._expect_done(*self._ask("POST", namespace, "config", changed))

    def stats(self, namespace: str) -> dict[str, Any] | None:
        """What sqld counts of a namespace, `replication_index` and `storage_bytes_used` among it; None without one."""
        return self._read(namespace, "stats")

    def _read(self, namespace: str, what: str) -> dict[str, Any] | None:
        status, text = self._ask("GET", namespace, what)
        if status == 404:
            return None
        self._expect_done(status, text)
        try:
            found = json.loads(text)
        except ValueError as error:
            raise AdminAnswerError(status, "it is no JSON") from error
        if not isinstance(found, dict):
            raise AdminAnswerError(status, "it is no object")
        return found

    def _ask(
        self, method: str, namespace: str, action: str = "", body: Mapping[str, Any] | None = None
    ) -> tuple[int, str]:
        path = "/".join(part for part in ("/v1/namespaces", quote(namespace, safe=""), action) if part)
        headers = {"Authorization": f"basic {self._key}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection(self.host, self.port, timeout=self._timeout_s)
        try:
            # To sqld a request to create has a body, even an empty one.
            connection.request(method, path, json.dumps(body or {}) if method == "POST" else None, headers)
            answer = connection.getresponse()
            text = answer.read(_ANSWER_BYTES_MAX).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise AdminUnreachableError(self.host, self.port, _reason(error)) from error
        finally:
            connection.close()
        if answer.status in (401, 403):
            raise AdminKeyError
        return answer.status, text

    def _expect_done(self, status: int, text: str) -> None:
        if status != 200:
            raise AdminAnswerError(status, _message(text))


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _message(text: str) -> str:
    """What sqld says is wrong."""
    try:
        return str(json.loads(text)["error"])
    except (ValueError, TypeError, KeyError):
        return text[:200]
