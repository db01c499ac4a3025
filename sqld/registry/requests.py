"""The answers to requests that a program may send again.

Always true: a request id stands for one request of one tenant, and the first answer to it is the only one.
"""

from dataclasses import dataclass

from sqld.registry.storage import Storage


@dataclass(frozen=True, slots=True)
class Request:
    """sha256: of what was asked. answer: what was said to it. made_at: seconds since 1970."""

    tenant: str
    id: str
    sha256: str
    answer: str
    made_at: int


class Requests:
    """The table of requests."""

    def __init__(self, storage: Storage) -> None:
        """Of one registry."""
        self._storage = storage

    def find(self, tenant: str, request_id: str) -> Request | None:
        """What was answered to a request, if it was asked before."""
        row = self._storage.row("SELECT * FROM requests WHERE tenant = ? AND id = ?", tenant, request_id)
        return None if row is None else Request(**dict(row))

    def add(self, request: Request) -> Request:
        """Keep an answer; if there is one already, that one is returned and stays."""
        with self._storage.transaction():
            self._storage.write(
                "INSERT INTO requests (tenant, id, sha256, answer, made_at) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (tenant, id) DO NOTHING",
                request.tenant,
                request.id,
                request.sha256,
                request.answer,
                request.made_at,
            )
            return self.find(request.tenant, request.id) or request

    def forget_all(self, tenant: str) -> int:
        """Forget those of a tenant: answers may hold its rows. How many."""
        return self._storage.write("DELETE FROM requests WHERE tenant = ?", tenant)

    def forget(self, *, before: int) -> int:
        """Forget those that were made before a moment (seconds since 1970); how many."""
        return self._storage.write("DELETE FROM requests WHERE made_at < ?", before)
