"""The lease under which one client migrates the primary.

Always true:
- the primary's clock alone decides when a lease has expired;
- each holder gets a larger fencing token than the one before, and every migration checks its token in its own
  transaction, so a holder that slept past its lease changes nothing.
"""

from __future__ import annotations

from typing import Final

from replica.hrana import Statement

LEASE_TTL_S: Final = 30

_NOW: Final = "(julianday('now') - 2440587.5) * 86400.0"

ACQUIRE: Final = f"""INSERT INTO _replica_lease (name, holder, token, expires) VALUES ('migrations', ?1, 1, {_NOW} + ?2)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = token + 1, expires = excluded.expires
WHERE expires < {_NOW}
RETURNING token"""

IS_HELD: Final = f"SELECT 1 FROM _replica_lease WHERE name = 'migrations' AND expires >= {_NOW}"

RELEASE: Final = "UPDATE _replica_lease SET expires = 0 WHERE name = 'migrations' AND holder = ? AND token = ?"

_RENEW: Final = f"""UPDATE _replica_lease SET expires = {_NOW} + ?3
WHERE name = 'migrations' AND holder = ?1 AND token = ?2 AND expires >= {_NOW}"""


def check_token(holder: str, token: int) -> list[Statement]:
    """Renew the lease, and fail the transaction if it is not ours any more."""
    lost = "SELECT json(CASE WHEN changes() = 1 THEN '1' ELSE 'the lease is lost' END)"
    return [Statement(_RENEW, (holder, token, LEASE_TTL_S)), Statement(lost)]
