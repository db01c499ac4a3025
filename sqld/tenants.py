"""Tenants, each with a database and a key of its own: the registry, the vault and sqld changed together.

Always true:
- a tenant is closed in the registry before it is in sqld, and open in sqld before it is in the registry;
- sqld learns of a key only after its private half is in the vault, and it is taken out of the vault only after sqld has
  forgotten it;
- whatever ends a call, calling it again finishes it, and one process at a time changes tenants;
- a database that was not made for a tenant is never touched.

sqld checks a token's namespace on HTTP, but not on replication, so it is the key of its own that keeps a tenant apart.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from auth.tokens import SigningKey
from auth.vault import Vault
from sqld.admin import Admin
from sqld.registry import Key, KeyState, Registry, Tenant, TenantState
from sqld.registry.tenants import check_tenant
from sqld.state_errors import StateBusyError, StateError
from sqld.tenant_errors import LifetimeError, NamespaceTakenError, TenantStateError

LIFETIME_S_MAX: Final = 400 * 86_400
_LOCK_WAIT_S: Final = 10.0
_OPEN: Final[Mapping[str, Any]] = {
    # The default of sqld loses what it acknowledged when the power goes.
    "durability_mode": "strong",
    "block_reads": False,
    "block_writes": False,
    "block_reason": None,
}
# Blocking alone leaves replication open, and another key alone leaves websockets open that are there already.
_CLOSED: Final[Mapping[str, Any]] = {**_OPEN, "block_reads": True, "block_writes": True, "block_reason": "suspended"}


def vault_name(tenant: str, key_id: str) -> str:
    """The name under which the private half of a key is in the vault."""
    return f"tenant/{tenant}/{key_id}"


class Tenancy:
    """The tenants of one server.

    Calls raise RegistryError, AuthError where the vault does not open, AdminUnreachableError, AdminKeyError and
    AdminAnswerError where sqld does not do its part, and StateBusyError where another process changes tenants.
    """

    def __init__(
        self,
        registry: Registry,
        vault: Vault,
        admin: Admin,
        *,
        lock_path: Path,
        closed_key: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Nothing is changed yet.

        Args:
            registry: what is known of the tenants.
            vault: where the private halves of their keys are.
            admin: the sqld that holds their databases.
            lock_path: a file that is locked while tenants are changed.
            closed_key: a public key, in PEM, of which nobody has the private half: it opens nothing.
            clock: seconds since 1970.
        """
        self._registry, self._vault, self._admin = registry, vault, admin
        self._lock_path, self._closed_key, self._clock = lock_path, closed_key, clock

    def create(self, name: str, *, organisation: str | None = None) -> Tenant:
        """Make a tenant with an empty database.

        Raises:
            TenantNameError: none may be called so.
            OrganisationError: no organisation has such an id.
            TenantStateError: there is one, or was one, of this name.
            OrganisationTakenError: the organisation has another tenant.
            NamespaceTakenError: sqld has a database of this name that is no tenant's.
        """
        check_tenant(name, organisation)
        with self._changing():
            if self._registry.tenants.find(name) is None and self._admin.settings(name) is not None:
                raise NamespaceTakenError(name)
            tenant = self._registry.tenants.add(name, organisation=organisation, now=self._now())
            key = self._coming_key(name)
            if not self._admin.create(tenant.namespace, {**_OPEN, "jwt_key": key.public_pem}):
                self._refuse_foreign(tenant)
                self._admin.change(tenant.namespace, {**_OPEN, "jwt_key": key.public_pem})
            with self._registry.transaction():
                self._registry.keys.make_current(name, not_after=self._now())
                return self._registry.tenants.move(name, TenantState.ACTIVE)

    def rotate_key(self, name: str, *, overlap_s: int) -> Key:
        """Give a tenant a new key, which is returned.

        Args:
            name: the tenant, which is active.
            overlap_s: for how many seconds tokens of the keys before still hold; 0 ends them all.

        Raises:
            NoTenantError: there is none.
            TenantStateError: it is not active.
            LifetimeError: the overlap is negative or longer than anything holds.
        """
        if not 0 <= overlap_s <= LIFETIME_S_MAX:
            raise LifetimeError(overlap_s)
        with self._changing():
            tenant = self._registry.tenants.get(name)
            if tenant.state is not TenantState.ACTIVE:
                raise TenantStateError(name, tenant.state)
            key = self._coming_key(name)
            self._apply(tenant)
            self._registry.keys.make_current(name, not_after=self._now() + overlap_s)
            self._close_old_keys(tenant)
            return next(found for found in self._registry.keys.of(name) if found.id == key.id)

    def suspend(self, name: str) -> Tenant:
        """Close a tenant, and keep all of it. Raises NoTenantError, TenantStateError."""
        with self._changing():
            tenant = self._registry.tenants.move(name, TenantState.SUSPENDED)
            self._apply(tenant)
            return tenant

    def resume(self, name: str) -> Tenant:
        """Open a suspended tenant as it was. Raises NoTenantError, TenantStateError."""
        with self._changing():
            tenant = self._registry.tenants.get(name)
            if tenant.state not in (TenantState.SUSPENDED, TenantState.ACTIVE):
                raise TenantStateError(name, tenant.state)
            self._admin.change(tenant.namespace, self._settings_of(tenant, TenantState.ACTIVE))
            return self._registry.tenants.move(name, TenantState.ACTIVE)

    def delete(self, name: str) -> Tenant:
        """Delete a tenant with its database, its keys and all that opens it; only its name is kept, as taken.

        Raises:
            NoTenantError: there is none.
            NamespaceTakenError: the database of its name is not the one that was made for it.
        """
        with self._changing():
            tenant = self._registry.tenants.get(name)
            self._refuse_foreign(tenant)
            if tenant.state is TenantState.DELETED:
                return tenant
            with self._registry.transaction():
                self._registry.tenants.move(name, TenantState.DELETING)
                self._registry.tokens.revoke_all(name, now=self._now())
                self._registry.api_keys.revoke_all(name, now=self._now())
            self._admin.delete(tenant.namespace)
            for key in self._registry.keys.of(name):
                self._forget_key(key)
            with self._registry.transaction():
                # Answers to its programs, which hold rows of its database.
                self._registry.requests.forget_all(name)
                return self._registry.tenants.move(name, TenantState.DELETED)

    def settle(self) -> list[str]:
        """Bring sqld to what the registry says, as after a restore or a crash; the tenants that have no database.

        What is being created or deleted is left as it is: calling that again finishes it.
        """
        missing = []
        self._admin.see_that_it_answers()
        with self._changing():
            for tenant in self._registry.tenants.all():
                if tenant.state not in (TenantState.ACTIVE, TenantState.SUSPENDED):
                    continue
                if self._admin.settings(tenant.namespace) is None:
                    missing.append(tenant.name)
                    continue
                self._apply(tenant)
                self._close_old_keys(tenant)
        return missing

    def close_old_keys(self) -> list[str]:
        """Let sqld forget the keys whose time is over; their ids. Cheap when there is none."""
        if not self._registry.keys.over(now=self._now()):
            return []
        with self._changing():
            over = {key.tenant for key in self._registry.keys.over(now=self._now())}
            return [
                key_id for name in sorted(over) for key_id in self._close_old_keys(self._registry.tenants.get(name))
            ]

    def _apply(self, tenant: Tenant) -> None:
        self._admin.change(tenant.namespace, self._settings_of(tenant, tenant.state))

    def _settings_of(self, tenant: Tenant, state: TenantState) -> dict[str, Any]:
        if state is not TenantState.ACTIVE:
            return {**_CLOSED, "jwt_key": self._closed_key}
        now = self._now()
        holding = [key.public_pem for key in self._registry.keys.of(tenant.name) if key.holds(now)]
        # To sqld no key at all means the key of the server.
        return {**_OPEN, "jwt_key": "".join(holding) or self._closed_key}

    def _coming_key(self, tenant: str) -> Key:
        """The key that is to be the next, with its private half in the vault."""
        for key in self._registry.keys.in_state(tenant, KeyState.COMING):
            if self._vault.read(vault_name(tenant, key.id)) is not None:
                return key
            # Killed before the vault had it: so nobody else has it either.
            self._registry.keys.retire(key.id)
        made = SigningKey.generate()
        self._registry.keys.add(tenant, key_id=made.key_id, public_pem=made.public_pem, now=self._now())
        self._vault.store(vault_name(tenant, made.key_id), made.private_pem)
        (key,) = self._registry.keys.in_state(tenant, KeyState.COMING)
        return key

    def _close_old_keys(self, tenant: Tenant) -> list[str]:
        over = [key for key in self._registry.keys.over(now=self._now()) if key.tenant == tenant.name]
        if over:
            self._apply(tenant)
        for key in over:
            self._forget_key(key)
        return [key.id for key in over]

    def _forget_key(self, key: Key) -> None:
        self._vault.delete(vault_name(key.tenant, key.id))
        self._registry.keys.retire(key.id)

    def _refuse_foreign(self, tenant: Tenant) -> None:
        """Raise NamespaceTakenError if the database of this name has no key that is or was the tenant's."""
        settings = self._admin.settings(tenant.namespace)
        if settings is None:
            return
        there = settings.get("jwt_key") or ""
        ours = [self._closed_key, *(key.public_pem for key in self._registry.keys.of(tenant.name))]
        if not any(pem in there for pem in ours):
            raise NamespaceTakenError(tenant.namespace)

    def _now(self) -> int:
        return int(self._clock())

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        lock = FileLock(self._lock_path, timeout=_LOCK_WAIT_S, mode=0o600)
        try:
            lock.acquire()
        except Timeout as error:
            raise StateBusyError(self._lock_path.parent) from error
        except OSError as error:
            raise StateError(self._lock_path, error.strerror or str(error)) from error
        try:
            yield
        finally:
            lock.release()
