"""The tenants of a server, and what state each is in.

Always true: a tenant goes only along `NEXT`, and its name is never given to another, even after it was deleted.
"""

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqld.registry.storage import Storage
from sqld.tenant_errors import (
    NoTenantError,
    OrganisationError,
    OrganisationTakenError,
    TenantNameError,
    TenantStateError,
)

# A label of a host name as well as a folder and a word of a shell; `default` is what sqld takes where none is named.
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,37}[a-z0-9]")
# As those of WorkOS are, and longer: org_01EHWNCE74X7JSDV0X3SZ3KJNY.
_ORGANISATION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
_RESERVED: Final = frozenset({"default", "localhost", "www", "metastore"})


class TenantState(StrEnum):
    """creating: not whole yet. active: it serves. suspended: kept, and closed. deleting: not gone whole yet."""

    CREATING = "creating"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETING = "deleting"
    DELETED = "deleted"


NEXT: Final[Mapping[TenantState, frozenset[TenantState]]] = {
    TenantState.CREATING: frozenset({TenantState.ACTIVE, TenantState.DELETING}),
    TenantState.ACTIVE: frozenset({TenantState.SUSPENDED, TenantState.DELETING}),
    TenantState.SUSPENDED: frozenset({TenantState.ACTIVE, TenantState.DELETING}),
    TenantState.DELETING: frozenset({TenantState.DELETED}),
    TenantState.DELETED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Tenant:
    """One team. organisation: its id at whoever signs its people in, if any. created_at: seconds since 1970."""

    name: str
    namespace: str
    state: TenantState
    organisation: str | None
    created_at: int


def check_tenant(name: str, organisation: str | None = None) -> None:
    """Return if a tenant may be called so, and be of that organisation. Raises TenantNameError, OrganisationError."""
    if _NAME.fullmatch(name) is None or name in _RESERVED:
        raise TenantNameError(name)
    if organisation is not None and _ORGANISATION.fullmatch(organisation) is None:
        raise OrganisationError


class Tenants:
    """The table of tenants."""

    def __init__(self, storage: Storage) -> None:
        """Of one registry."""
        self._storage = storage

    def add(self, name: str, *, organisation: str | None, now: int) -> Tenant:
        """Write a new tenant down, as being created; one that is being created already is returned as it is.

        Raises:
            TenantNameError: none may be called so.
            OrganisationError: no organisation has such an id.
            TenantStateError: there is one, or was one, of this name.
            OrganisationTakenError: the organisation has another tenant.
        """
        check_tenant(name, organisation)
        with self._storage.transaction():
            there = self.find(name)
            if there is not None and there.state is not TenantState.CREATING:
                raise TenantStateError(name, there.state)
            if there is None:
                self._insert(name, organisation, now)
            return self.get(name)

    def find(self, name: str) -> Tenant | None:
        """The tenant of this name, in whatever state."""
        if _NAME.fullmatch(name) is None:
            return None
        row = self._storage.row("SELECT * FROM tenants WHERE name = ?", name)
        return None if row is None else _tenant(row)

    def get(self, name: str) -> Tenant:
        """The tenant of this name, in whatever state. Raises NoTenantError."""
        found = self.find(name)
        if found is None:
            raise NoTenantError(name)
        return found

    def find_by_organisation(self, organisation: str) -> Tenant | None:
        """The tenant of an organisation, in whatever state but deleted."""
        if _ORGANISATION.fullmatch(organisation) is None:
            return None
        row = self._storage.row("SELECT * FROM tenants WHERE organisation = ?", organisation)
        return None if row is None else _tenant(row)

    def all(self) -> list[Tenant]:
        """Every tenant there is or was, by name."""
        return [_tenant(row) for row in self._storage.rows("SELECT * FROM tenants ORDER BY name")]

    def move(self, name: str, to: TenantState) -> Tenant:
        """Bring a tenant into another state; into the one that it is in already does nothing.

        Raises:
            NoTenantError: there is none.
            TenantStateError: it cannot get there from where it is.
        """
        with self._storage.transaction():
            tenant = self.get(name)
            if tenant.state is not to and to not in NEXT[tenant.state]:
                raise TenantStateError(name, tenant.state)
            self._storage.write("UPDATE tenants SET state = ? WHERE name = ?", to, name)
            if to is TenantState.DELETED:
                # Its people may begin anew, under another name.
                self._storage.write("UPDATE tenants SET organisation = NULL WHERE name = ?", name)
            return self.get(name)

    def _insert(self, name: str, organisation: str | None, now: int) -> None:
        try:
            self._storage.write(
                "INSERT INTO tenants (name, namespace, state, organisation, created_at) VALUES (?, ?, ?, ?, ?)",
                name,
                name,
                TenantState.CREATING,
                organisation,
                now,
            )
        except sqlite3.IntegrityError as error:
            raise OrganisationTakenError(name) from error


def _tenant(row: sqlite3.Row) -> Tenant:
    return Tenant(
        name=row["name"],
        namespace=row["namespace"],
        state=TenantState(row["state"]),
        organisation=row["organisation"],
        created_at=row["created_at"],
    )
