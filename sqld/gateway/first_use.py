"""What is done to a tenant's database before its first request: it is brought to the schema of the program.

Always true:
- no request of a tenant passes before that is done, and it is done once for as long as the gateway runs;
- only a few wait for it, so that a tenant whose database is never ready keeps no other waiting.
"""

import logging
from collections.abc import Callable
from typing import Final

from sqld.gateway.crowds import Crowds
from sqld.gateway.refusals import RefusedError, TenantNotReadyError
from sqld.gateway.turns import Turns

_LOG: Final = logging.getLogger(__name__)
_RETRY_S: Final = 5
_WAITING_MAX: Final = 6

Migrate = Callable[[str, Callable[[], str]], None]
"""Brings the database of a namespace to the schema; the second argument gives a token. Raises TenantNotReadyError."""


class FirstUse:
    """Which tenants were used."""

    def __init__(self, migrate: Migrate | None) -> None:
        self._migrate = migrate
        self._done: set[str] = set()
        self._turns = Turns()
        self._crowds = Crowds(_WAITING_MAX)

    def prepare(self, namespace: str, token: Callable[[], str]) -> None:
        """Return when the database of this namespace can be used. Raises RefusedError, and tries anew the next time."""
        if self._migrate is None or namespace in self._done:
            return
        with self._crowds.among(namespace), self._turns.turn(namespace):
            if namespace in self._done:
                return
            try:
                self._migrate(namespace, token)
            except TenantNotReadyError as error:
                _LOG.warning("tenant not ready", extra={"namespace": namespace, "reason": error.reason})
                raise RefusedError("unavailable", retry_after_s=_RETRY_S) from error
            self._done.add(namespace)
