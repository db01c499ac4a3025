"""The API keys that were handed out, by their digest.

Always true: which key is meant is found by its digest alone, so that nothing here can be used as one.
"""

import sqlite3
from dataclasses import dataclass
from typing import Final

from auth.tokens import Role
from sqld.registry.storage import Storage, number_or_none
from sqld.tenant_errors import NoApiKeyError

# A busy key is not written down at each of its requests.
_USE_EVERY_S: Final = 60


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Times: seconds since 1970; last_used_at may be a minute late. name: what it is for. sha256: its digest."""

    id: str
    tenant: str
    role: Role
    name: str
    sha256: str
    created_at: int
    expires_at: int
    revoked_at: int | None = None
    last_used_at: int | None = None

    def holds(self, now: float) -> bool:
        """Whether it was not revoked and is not over."""
        return self.revoked_at is None and now < self.expires_at


class ApiKeys:
    """The table of API keys."""

    def __init__(self, storage: Storage) -> None:
        """Of one registry."""
        self._storage = storage

    def add(self, api_key: ApiKey) -> None:
        """Write a new one down."""
        self._storage.write(
            "INSERT INTO api_keys (id, tenant, role, name, sha256, created_at, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            api_key.id,
            api_key.tenant,
            api_key.role,
            api_key.name,
            api_key.sha256,
            api_key.created_at,
            api_key.expires_at,
        )

    def find(self, key_id: str) -> ApiKey | None:
        """The API key of this id, whether it holds or not."""
        row = self._storage.row("SELECT * FROM api_keys WHERE id = ?", key_id)
        return None if row is None else _api_key(row)

    def find_by_digest(self, sha256: str) -> ApiKey | None:
        """The API key with this digest (`auth.api_keys.digest`), whether it holds or not."""
        row = self._storage.row("SELECT * FROM api_keys WHERE sha256 = ?", sha256)
        return None if row is None else _api_key(row)

    def of(self, tenant: str | None = None) -> list[ApiKey]:
        """Every API key of a tenant, or of all, the newest first."""
        rows = self._storage.rows(
            "SELECT * FROM api_keys WHERE ? IS NULL OR tenant = ? ORDER BY created_at DESC, rowid DESC", tenant, tenant
        )
        return [_api_key(row) for row in rows]

    def used(self, key: ApiKey, *, now: int) -> None:
        """Write down that a key was just used; no more than once a minute."""
        if key.last_used_at is None or now >= key.last_used_at + _USE_EVERY_S:
            self._storage.write("UPDATE api_keys SET last_used_at = ? WHERE id = ?", now, key.id)

    def revoke(self, key_id: str, *, now: int) -> ApiKey:
        """Let an API key open nothing from now on; again does nothing. Raises NoApiKeyError."""
        with self._storage.transaction():
            self._storage.write("UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", now, key_id)
            found = self.find(key_id)
        if found is None:
            raise NoApiKeyError(key_id)
        return found

    def revoke_all(self, tenant: str, *, now: int) -> int:
        """Revoke all API keys of a tenant; how many were not."""
        return self._storage.write(
            "UPDATE api_keys SET revoked_at = ? WHERE tenant = ? AND revoked_at IS NULL", now, tenant
        )


def _api_key(row: sqlite3.Row) -> ApiKey:
    return ApiKey(
        id=row["id"],
        tenant=row["tenant"],
        role=Role(row["role"]),
        name=row["name"],
        sha256=row["sha256"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=number_or_none(row["revoked_at"]),
        last_used_at=number_or_none(row["last_used_at"]),
    )
