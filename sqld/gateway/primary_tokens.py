"""The tokens with which the gateway opens a tenant's database for a request: short-lived, and never seen outside.

Always true:
- each names one tenant, one role and an end, and is signed with the key that is the tenant's now;
- none is accepted from a client: they are not written down in the registry.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from auth.tokens import Role, SigningKey
from sqld.gateway.refusals import RefusedError
from sqld.minting import upstream_token
from sqld.registry import KeyState, Registry

# A token holds for twice as long, so that what is handed out outlives the wait of the slowest request.
_RENEW_S: Final = 150
_KEPT_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Kept:
    token: str
    renew_at: float


class PrimaryTokens:
    """Makes them, and keeps each for half of its time."""

    def __init__(
        self, registry: Registry, signing_key: Callable[[str], SigningKey], clock: Callable[[], float]
    ) -> None:
        """signing_key: the one that is a tenant's now, from the vault. clock: seconds since 1970."""
        self._registry, self._signing_key, self._clock = registry, signing_key, clock
        self._kept: dict[tuple[str, str, Role], _Kept] = {}
        self._turn = threading.Lock()

    def token(self, tenant: str, role: Role) -> str:
        """A token of this tenant that holds for two minutes at least. Raises RefusedError if it has no key."""
        current = self._registry.keys.in_state(tenant, KeyState.CURRENT)
        if not current:
            raise RefusedError("unavailable")
        # By the key, too: after it was rotated away, nothing signed with it goes out.
        name = (tenant, current[0].id, role)
        now = self._clock()
        with self._turn:
            kept = self._kept.get(name)
            if kept is None or now >= kept.renew_at:
                token = upstream_token(self._signing_key(tenant), tenant=tenant, role=role, clock=self._clock)
                if len(self._kept) >= _KEPT_MAX:
                    self._kept.clear()
                kept = self._kept[name] = _Kept(token, now + _RENEW_S)
        return kept.token
