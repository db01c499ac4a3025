"""The tokens that were handed out, by their digest.

Always true: a token is written down before anybody has it, so that each can be revoked.
"""

import sqlite3
from dataclasses import dataclass

from auth.tokens import Role
from sqld.registry.storage import Storage, number_or_none
from sqld.tenant_errors import NoTokenError


@dataclass(frozen=True, slots=True)
class Token:
    """Times: seconds since 1970. subject: whom it is for. key_id: what it is signed with. sha256: its digest."""

    id: str
    tenant: str
    role: Role
    subject: str
    key_id: str
    sha256: str
    created_at: int
    expires_at: int
    revoked_at: int | None = None

    def holds(self, now: float) -> bool:
        """Whether it was not revoked and is not over; whether its key holds is not asked here."""
        return self.revoked_at is None and now < self.expires_at


class Tokens:
    """The table of tokens."""

    def __init__(self, storage: Storage) -> None:
        """Of one registry."""
        self._storage = storage

    def add(self, token: Token) -> None:
        """Write a new one down."""
        self._storage.write(
            "INSERT INTO tokens (id, tenant, role, subject, key_id, sha256, created_at, expires_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            token.id,
            token.tenant,
            token.role,
            token.subject,
            token.key_id,
            token.sha256,
            token.created_at,
            token.expires_at,
        )

    def find(self, token_id: str) -> Token | None:
        """The token of this id, whether it holds or not."""
        row = self._storage.row("SELECT * FROM tokens WHERE id = ?", token_id)
        return None if row is None else _token(row)

    def of(self, tenant: str | None = None) -> list[Token]:
        """Every token of a tenant, or of all, the newest first."""
        rows = self._storage.rows(
            "SELECT * FROM tokens WHERE ? IS NULL OR tenant = ? ORDER BY created_at DESC, rowid DESC", tenant, tenant
        )
        return [_token(row) for row in rows]

    def revoke(self, token_id: str, *, now: int) -> Token:
        """Let a token open nothing from now on; again does nothing. Raises NoTokenError."""
        with self._storage.transaction():
            self._storage.write("UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", now, token_id)
            found = self.find(token_id)
        if found is None:
            raise NoTokenError(token_id)
        return found

    def revoke_all(self, tenant: str, *, now: int) -> int:
        """Revoke all tokens of a tenant; how many held until then or were only over."""
        return self._storage.write(
            "UPDATE tokens SET revoked_at = ? WHERE tenant = ? AND revoked_at IS NULL", now, tenant
        )


def _token(row: sqlite3.Row) -> Token:
    return Token(
        id=row["id"],
        tenant=row["tenant"],
        role=Role(row["role"]),
        subject=row["subject"],
        key_id=row["key_id"],
        sha256=row["sha256"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=number_or_none(row["revoked_at"]),
    )
