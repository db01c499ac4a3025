"""Who may come in: from what a request carries to a tenant and a role.

Always true:
- nothing but the credential itself says which tenant is meant: no other header, no path and no host;
- a token must be whole, signed with a key of its tenant that holds, written down here, and not revoked;
- the registry is asked at each request, so what is revoked or suspended opens nothing from then on.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from auth.api_keys import check_shape, digest, looks_like_api_key
from auth.errors import TokenError
from auth.token_errors import UnknownKeyError
from auth.tokens import Role, check
from sqld.gateway.refusals import REFUSALS, RefusedError
from sqld.registry import Registry, Tenant, TenantState

_LEEWAY_S: Final = 30.0
_CREDENTIAL_CHARACTERS_MAX: Final = 8_192


class Kind(StrEnum):
    """By what a caller came in."""

    TOKEN = "token"  # noqa: S105 - a kind, not a token
    API_KEY = "api_key"
    SIGNED_IN = "signed_in"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request. id: of the token, the API key or the person; limits are held by it.

    subject: whom or what it is for. expires_at: seconds since 1970.
    """

    tenant: str
    namespace: str
    role: Role
    kind: Kind
    id: str
    subject: str
    expires_at: float


class SignIn(Protocol):
    """How people of an organisation come in; written for the gateway."""

    def recognises(self, credential: str) -> bool:
        """Whether it is to be taken for one of its tokens. Says nothing about whether that holds."""

    def caller(self, credential: str, now: float) -> Caller:
        """Who it is, of an active tenant. Raises TokenError or RefusedError."""


def credential_of(authorization: Sequence[str], x_authorization: Sequence[str]) -> str:
    """The one credential of a request, from the values of the two headers that clients put it in.

    Hrana has it in `Authorization`, replication in `x-authorization` (measured); a request with both, or with one of
    them twice, could mean two things, and is refused unless all say the same. Raises RefusedError.
    """
    values = {*authorization, *x_authorization}
    if not values:
        raise RefusedError("no_token")
    if len(values) > 1:
        raise RefusedError("two_tokens")
    # RFC 6750 section 2.1; the name of a scheme is in any case (RFC 9110 section 11.1).
    scheme, _, credential = values.pop().partition(" ")
    if scheme.lower() != "bearer" or not credential:
        raise RefusedError("no_token")
    if len(credential) > _CREDENTIAL_CHARACTERS_MAX or not (credential.isascii() and credential.isprintable()):
        raise RefusedError("token_malformed")
    return credential


def identify(credential: str, registry: Registry, *, now: float, sign_in: SignIn | None = None) -> Caller:
    """Whose credential this is. now: seconds since 1970. Raises RefusedError; RegistryError."""
    try:
        if looks_like_api_key(credential):
            return _holder_of_api_key(credential, registry, now)
        if sign_in is not None and sign_in.recognises(credential):
            return sign_in.caller(credential, now)
        return _holder_of_token(credential, registry, now)
    except TokenError as error:
        raise RefusedError(error.code if error.code in REFUSALS else "token_unknown") from error


def active_tenant(registry: Registry, name: str) -> Tenant:
    """The tenant of this name. Raises RefusedError where it is not active."""
    tenant = registry.tenants.find(name)
    if tenant is None or tenant.state is not TenantState.ACTIVE:
        raise RefusedError("not_active")
    return tenant


def _holder_of_api_key(credential: str, registry: Registry, now: float) -> Caller:
    check_shape(credential)
    kept = registry.api_keys.find_by_digest(digest(credential))
    if kept is None:
        raise RefusedError("api_key_unknown")
    if kept.revoked_at is not None:
        raise RefusedError("api_key_revoked")
    if not kept.holds(now):
        raise RefusedError("api_key_expired")
    tenant = active_tenant(registry, kept.tenant)
    registry.api_keys.used(kept, now=int(now))
    return Caller(tenant.name, tenant.namespace, kept.role, Kind.API_KEY, kept.id, kept.name, kept.expires_at)


def _holder_of_token(credential: str, registry: Registry, now: float) -> Caller:
    try:
        claims = check(credential, registry.keys.verifying(now=now), now=now, leeway_s=_LEEWAY_S)
    except UnknownKeyError:
        # Who has a token of a tenant that is closed is not to be sent for another one.
        check(credential, registry.keys.suspended(now=now), now=now, leeway_s=_LEEWAY_S)
        raise RefusedError("not_active") from None
    kept = registry.tokens.find(claims.token_id)
    # Also what is signed with the right key must be the very token that was handed out: not one that the gateway
    # made for sqld, and not one with other claims under the id of another.
    if kept is None or kept.tenant != claims.tenant or not hmac.compare_digest(kept.sha256, digest(credential)):
        raise RefusedError("token_unknown")
    if kept.revoked_at is not None:
        raise RefusedError("token_revoked")
    tenant = active_tenant(registry, kept.tenant)
    return Caller(
        tenant.name, tenant.namespace, claims.role, Kind.TOKEN, claims.token_id, claims.subject, claims.expires_at
    )
