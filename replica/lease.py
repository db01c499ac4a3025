"""The lease under which one client migrates the primary.

Always true:
- the primary's clock alone decides when a lease has expired;
- a lease lasts a little longer than its holder may work, because nobody can renew it from outside the transaction of
  a migration: to a primary with one writer at a time, the renewal would be a second one;
- each holder gets a larger fencing token than the one before, and every migration checks its token in its own
  transaction, so a holder that slept past its lease changes nothing.
"""

from __future__ import annotations

from typing import Final

from replica.hrana import Statement

_MARGIN_S: Final = 10.0

_NOW: Final = "(julianday('now') - 2440587.5) * 86400.0"

ACQUIRE: Final = f"""INSERT INTO _replica_lease (name, holder, token, expires) VALUES ('migrations', ?1, 1, {_NOW} + ?2)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = token + 1, expires = excluded.expires
WHERE expires < {_NOW}
RETURNING token"""

IS_HELD: Final = f"SELECT 1 FROM _replica_lease WHERE name = 'migrations' AND expires >= {_NOW}"

RELEASE: Final = "UPDATE _replica_lease SET expires = 0 WHERE name = 'migrations' AND holder = ? AND token = ?"

_RENEW: Final = f"""UPDATE _replica_lease SET expires = {_NOW} + ?3
WHERE name = 'migrations' AND holder = ?1 AND token = ?2 AND expires >= {_NOW}"""


def ttl_s(work_s: float) -> float:
    """How long a lease must last for a holder that stops after `work_s` seconds."""
    return max(work_s, 0.0) + _MARGIN_S


def check_token(holder: str, token: int, lease_s: float) -> list[Statement]:
    """Renew the lease for so many seconds, and fail the transaction if it is not ours any more."""
    lost = "SELECT json(CASE WHEN changes() = 1 THEN '1' ELSE 'the lease is lost' END)"
    return [Statement(_RENEW, (holder, token, lease_s)), Statement(lost)]
