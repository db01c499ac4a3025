"""People who signed in elsewhere: the tenant of their organisation.

Always true:
- an organisation has one tenant, found by the organisation's id and by nothing else that a token says;
- one is made on first use only where whoever runs the server allows it.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from typing import Final, Protocol

from auth.tokens import Role
from sqld.errors import SqldError
from sqld.gateway.credentials import Caller, Kind, active_tenant
from sqld.gateway.refusals import RefusedError
from sqld.registry import Registry, Tenant, TenantState
from sqld.state_errors import StateBusyError
from sqld.tenant_errors import OrganisationError, OrganisationTakenError, TenantNameError, TenantStateError

_NOT_IN_A_NAME: Final = re.compile(r"[^a-z0-9]+")


class Person(Protocol):
    """Who a token of a sign-in says somebody is, once it was checked."""

    @property
    def user_id(self) -> str:
        """The person."""

    @property
    def organization_id(self) -> str:
        """The organisation that they signed in to."""

    @property
    def expires_at(self) -> float:
        """Until when that holds, in seconds since 1970."""


class Organisations:
    """The way in for people of organisations."""

    def __init__(
        self,
        registry: Registry,
        check: Callable[[str], Person],
        *,
        create: Callable[[str, str], Tenant] | None,
    ) -> None:
        """Nothing is asked yet.

        Args:
            registry: which organisation has which tenant.
            check: whose token it is; raises TokenError, or RefusedError where nobody can tell just now.
            create: makes the tenant of this name for this organisation; None where none is made on first use.
        """
        self._registry, self._check, self._create = registry, check, create

    def recognises(self, credential: str) -> bool:
        """Whether it says that it is signed as sign-ins are, and not as our tokens are."""
        head = credential.partition(".")[0]
        try:
            header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        except (ValueError, RecursionError):
            return False
        return isinstance(header, dict) and header.get("alg") == "RS256"

    def caller(self, credential: str, now: float) -> Caller:  # noqa: ARG002 - the check has a clock of its own
        """Who it is. Raises TokenError, RefusedError."""
        person = self._check(credential)
        tenant = self._registry.tenants.find_by_organisation(person.organization_id)
        # One that is being made is made by somebody else, or was begun by who was killed: either way it is finished.
        if tenant is None or (tenant.state is TenantState.CREATING and self._create is not None):
            tenant = self._made(person.organization_id)
        tenant = active_tenant(self._registry, tenant.name)
        return Caller(
            tenant.name, tenant.namespace, Role.RW, Kind.SIGNED_IN, person.user_id, person.user_id, person.expires_at
        )

    def _made(self, organisation: str) -> Tenant:
        if self._create is None:
            raise RefusedError("no_tenant")
        try:
            return self._create(tenant_name(organisation), organisation)
        except (OrganisationError, OrganisationTakenError, TenantNameError, TenantStateError) as error:
            # Somebody else of the organisation was faster, or its tenant was deleted.
            made = self._registry.tenants.find_by_organisation(organisation)
            if made is None:
                raise RefusedError("no_tenant") from error
            return made
        except StateBusyError as error:
            raise RefusedError("unavailable", retry_after_s=1) from error
        except SqldError as error:
            raise RefusedError("unavailable", retry_after_s=5) from error


def tenant_name(organisation: str) -> str:
    """What the tenant of an organisation is called: after its id, and told from others that look alike."""
    words = _NOT_IN_A_NAME.sub("-", organisation.lower()).strip("-")
    digest = hashlib.sha256(organisation.encode()).hexdigest()[:8]
    name = words[:29].strip("-") if words[:1].isalpha() else f"org-{words[:25]}".strip("-")
    return f"{name}-{digest}"
