"""Hand out what opens a tenant's database, and take it back.

Always true:
- what is handed out is in the registry, by its digest, before it is returned, and is shown this once;
- it opens one tenant, has a role, and has an end within 400 days;
- what is revoked does not come back.

sqld itself knows keys, not tokens: a revoked token is refused by the gateway, and sqld must not be reached around it.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from auth.api_keys import digest, new_api_key
from auth.tokens import Role, SigningKey, mint
from auth.vault import Vault
from sqld.registry import ApiKey, KeyState, Registry, TenantState, Token
from sqld.tenant_errors import (
    AmbiguousIdError,
    KeyLostError,
    LifetimeError,
    NoApiKeyError,
    NoTokenError,
    SubjectError,
    TenantStateError,
)
from sqld.tenants import LIFETIME_S_MAX, vault_name

# What people may have to type has nothing in it that looks like something else.
_ID_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_ID_CHARACTERS: Final = 10
_UPSTREAM_TTL_S: Final = 300
_SUBJECT_CHARACTERS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Minted:
    """A token, and what is kept of it."""

    token: str = field(repr=False)
    record: Token


@dataclass(frozen=True, slots=True)
class MadeApiKey:
    """An API key, and what is kept of it."""

    api_key: str = field(repr=False)
    record: ApiKey


def mint_token(
    registry: Registry,
    vault: Vault,
    *,
    tenant: str,
    role: Role,
    ttl_s: int,
    subject: str,
    clock: Callable[[], float] = time.time,
) -> Minted:
    """A new token, signed with the tenant's current key.

    Args:
        registry: where it is written down.
        vault: where the key is.
        tenant: what it opens.
        role: what it may do there.
        ttl_s: for how many seconds it holds.
        subject: whom it is for.
        clock: seconds since 1970.

    Raises:
        NoTenantError: there is no such tenant.
        TenantStateError: it is not active.
        LifetimeError: the time is too short or too long.
        SubjectError: nobody is named, or at length.
        KeyLostError: the vault has no key for it.
        AuthError: the vault does not open.
    """
    _check(registry, tenant, ttl_s, subject)
    key = signing_key(registry, vault, tenant)
    now, token_id = int(clock()), _new_id("tok")
    token = mint(key, tenant=tenant, role=role, ttl_s=ttl_s, token_id=token_id, subject=subject, clock=lambda: now)
    record = Token(token_id, tenant, role, subject, key.key_id, digest(token), now, now + ttl_s)
    registry.tokens.add(record)
    return Minted(token, record)


def make_api_key(
    registry: Registry,
    *,
    tenant: str,
    role: Role,
    ttl_s: int,
    name: str,
    clock: Callable[[], float] = time.time,
) -> MadeApiKey:
    """A new API key, which the gateway takes. Arguments and errors as of `mint_token`; name: what it is for."""
    _check(registry, tenant, ttl_s, name)
    now, api_key = int(clock()), new_api_key()
    record = ApiKey(_new_id("key"), tenant, role, name, digest(api_key), now, now + ttl_s)
    registry.api_keys.add(record)
    return MadeApiKey(api_key, record)


def signing_key(registry: Registry, vault: Vault, tenant: str) -> SigningKey:
    """The key that tokens of a tenant are signed with now. Raises NoTenantError, KeyLostError, AuthError."""
    registry.tenants.get(tenant)
    for key in registry.keys.in_state(tenant, KeyState.CURRENT):
        private_pem = vault.read(vault_name(tenant, key.id))
        if private_pem is not None:
            return SigningKey(private_pem)
    raise KeyLostError(tenant)


def upstream_token(key: SigningKey, *, tenant: str, role: Role, clock: Callable[[], float] = time.time) -> str:
    """A token for sqld alone, that holds for five minutes and is written down nowhere. clock: seconds since 1970."""
    return mint(
        key,
        tenant=tenant,
        role=role,
        ttl_s=_UPSTREAM_TTL_S,
        token_id=_new_id("up"),
        subject="gateway",
        clock=clock,
    )


def revoke_token(registry: Registry, given: str, *, now: int) -> Token:
    """Revoke a token by its id or the beginning of it; again changes nothing.

    Args:
        registry: where it is written down.
        given: what was typed.
        now: seconds since 1970.

    Raises:
        NoTokenError: no id begins so.
        AmbiguousIdError: several do.
    """
    token_id = _the_one(given, [token.id for token in registry.tokens.of()])
    if token_id is None:
        raise NoTokenError(given)
    return registry.tokens.revoke(token_id, now=now)


def revoke_api_key(registry: Registry, given: str, *, now: int) -> ApiKey:
    """Revoke an API key by its id. As `revoke_token`; raises NoApiKeyError, AmbiguousIdError."""
    key_id = _the_one(given, [key.id for key in registry.api_keys.of()])
    if key_id is None:
        raise NoApiKeyError(given)
    return registry.api_keys.revoke(key_id, now=now)


def _check(registry: Registry, tenant: str, ttl_s: int, subject: str) -> None:
    found = registry.tenants.get(tenant)
    if found.state is not TenantState.ACTIVE:
        raise TenantStateError(tenant, found.state)
    if not 1 <= ttl_s <= LIFETIME_S_MAX:
        raise LifetimeError(ttl_s)
    if not subject.strip() or len(subject) > _SUBJECT_CHARACTERS_MAX or not subject.isprintable():
        raise SubjectError


def _the_one(given: str, ids: Sequence[str]) -> str | None:
    if given in ids:
        return given
    # With and without what all ids begin with.
    found = [one for one in ids if given and (one.startswith(given) or one.partition("-")[2].startswith(given))]
    if len(found) > 1:
        raise AmbiguousIdError(given, tuple(found))
    return found[0] if found else None


def _new_id(kind: str) -> str:
    return f"{kind}-" + "".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_CHARACTERS))
