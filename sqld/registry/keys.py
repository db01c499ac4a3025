"""The public halves of the tenants' keys, and which of them hold.

```
coming ──► current ──► previous ──► retired
```
A key comes before sqld knows it, is current when sqld does, and goes on to hold for a while after the next has become
current, so that tokens signed with it do not end at once.

Always true: a tenant has at most one key that is coming and one that is current.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from auth.tokens import VerifyingKey
from sqld.registry.storage import Storage, number_or_none
from sqld.registry.tenants import TenantState

_HOLDING: Final = (
    "FROM keys JOIN tenants ON tenants.name = keys.tenant WHERE tenants.state = ?"
    " AND (keys.state = 'current' OR (keys.state = 'previous' AND keys.not_after > ?))"
)


class KeyState(StrEnum):
    """coming: in the vault, maybe not yet known to sqld. previous: it still holds, until `not_after`."""

    COMING = "coming"
    CURRENT = "current"
    PREVIOUS = "previous"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Key:
    """id: as tokens name it. not_after: when it stops to hold, in seconds since 1970; None while it is not known."""

    id: str
    tenant: str
    public_pem: str
    state: KeyState
    created_at: int
    not_after: int | None

    def holds(self, now: float) -> bool:
        """Whether what is signed with it may be taken; what is coming has signed nothing yet."""
        if self.state is KeyState.PREVIOUS:
            return self.not_after is not None and now < self.not_after
        return self.state is not KeyState.RETIRED


class Keys:
    """The table of keys."""

    def __init__(self, storage: Storage) -> None:
        """Of one registry."""
        self._storage = storage

    def add(self, tenant: str, *, key_id: str, public_pem: str, now: int) -> None:
        """Write down a key that is coming; the same one again does nothing."""
        self._storage.write(
            "INSERT INTO keys (id, tenant, public_pem, state, created_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO NOTHING",
            key_id,
            tenant,
            public_pem,
            KeyState.COMING,
            now,
        )

    def of(self, tenant: str) -> list[Key]:
        """Every key that a tenant has or had, the newest first."""
        rows = self._storage.rows("SELECT * FROM keys WHERE tenant = ? ORDER BY created_at DESC, rowid DESC", tenant)
        return [_key(row) for row in rows]

    def in_state(self, tenant: str, state: KeyState) -> list[Key]:
        """The keys of a tenant in one state, the newest first; of `coming` and `current` there is at most one."""
        return [key for key in self.of(tenant) if key.state is state]

    def verifying(self, *, now: float) -> Mapping[str, VerifyingKey]:
        """The keys by which tokens hold now, of every active tenant, by key id; for `auth.tokens.check`.

        Each is looked up when it is asked for, so that a token costs the same however many tenants there are.
        """
        return _Verifying(self._storage, TenantState.ACTIVE, now)

    def suspended(self, *, now: float) -> Mapping[str, VerifyingKey]:
        """The same of the tenants that are suspended: they open nothing, and tell only whose a token is."""
        return _Verifying(self._storage, TenantState.SUSPENDED, now)

    def over(self, *, now: float) -> list[Key]:
        """The keys of any tenant that held for a while after the next had come, and hold no more."""
        rows = self._storage.rows("SELECT * FROM keys WHERE state = 'previous' AND not_after <= ? ORDER BY rowid", now)
        return [_key(row) for row in rows]

    def make_current(self, tenant: str, *, not_after: int) -> None:
        """The key that is coming becomes current, and none before it holds after `not_after`. Without one: nothing."""
        with self._storage.transaction():
            if not self.in_state(tenant, KeyState.COMING):
                return
            self._storage.write(
                "UPDATE keys SET state = ?, not_after = min(coalesce(not_after, ?), ?)"
                " WHERE tenant = ? AND state IN (?, ?)",
                KeyState.PREVIOUS,
                not_after,
                not_after,
                tenant,
                KeyState.CURRENT,
                KeyState.PREVIOUS,
            )
            self._storage.write(
                "UPDATE keys SET state = ? WHERE tenant = ? AND state = ?", KeyState.CURRENT, tenant, KeyState.COMING
            )

    def retire(self, key_id: str) -> None:
        """A key that holds no more, for good."""
        self._storage.write("UPDATE keys SET state = ? WHERE id = ?", KeyState.RETIRED, key_id)


class _Verifying(Mapping[str, VerifyingKey]):
    """The keys that hold at a moment, as they are in the registry whenever they are looked at."""

    def __init__(self, storage: Storage, state: TenantState, now: float) -> None:
        self._storage, self._state, self._now = storage, state, now

    def __getitem__(self, key_id: str) -> VerifyingKey:
        row = self._storage.row(f"SELECT keys.* {_HOLDING} AND keys.id = ?", self._state, self._now, key_id)
        if row is None:
            raise KeyError(key_id)
        return VerifyingKey(row["tenant"], row["public_pem"])

    def __iter__(self) -> Iterator[str]:
        return (row["id"] for row in self._storage.rows(f"SELECT keys.id {_HOLDING}", self._state, self._now))

    def __len__(self) -> int:
        return len(list(iter(self)))


def _key(row: sqlite3.Row) -> Key:
    return Key(
        id=row["id"],
        tenant=row["tenant"],
        public_pem=row["public_pem"],
        state=KeyState(row["state"]),
        created_at=row["created_at"],
        not_after=number_or_none(row["not_after"]),
    )
