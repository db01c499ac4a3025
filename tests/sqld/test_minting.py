"""What opens a tenant's database, handed out and taken back."""

from pathlib import Path

import jwt
import pytest

from auth.api_keys import check_shape, digest
from auth.tokens import Role, check
from sqld.minting import make_api_key, mint_token, revoke_api_key, revoke_token, signing_key, upstream_token
from sqld.registry import Registry
from sqld.tenant_errors import (
    AmbiguousIdError,
    LifetimeError,
    NoApiKeyError,
    NoTenantError,
    NoTokenError,
    SubjectError,
)
from tests.sqld.tenant_server import TenantServer

NOW = 1_800_000_000


@pytest.fixture
def acme(primary: TenantServer) -> TenantServer:
    """With a tenant, `acme`."""
    primary.tenancy.create("acme")
    return primary


def everything_in(path: Path) -> bytes:
    """All that was written, of the log of SQLite too."""
    return b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))


def test_a_token_is_written_down_by_its_digest_alone(acme: TenantServer) -> None:
    """It says whose it is, what for and until when; and the registry holds none of it that opens anything."""
    minted = mint_token(
        acme.registry, acme.vault, tenant="acme", role=Role.RO, ttl_s=60, subject="ann", clock=lambda: NOW
    )

    claims = check(minted.token, acme.registry.keys.verifying(now=NOW), now=NOW)
    record = acme.registry.tokens.find(claims.token_id)
    assert record == minted.record
    assert record is not None
    assert (record.tenant, record.role, record.subject, record.expires_at) == ("acme", Role.RO, "ann", NOW + 60)
    assert record.sha256 == digest(minted.token)
    assert minted.token not in repr(minted)
    written = everything_in(acme.state.registry_path)
    assert record.sha256.encode() in written
    assert minted.token.rpartition(".")[2].encode() not in written


def test_an_api_key_is_written_down_by_its_digest_alone(acme: TenantServer) -> None:
    """It is found by it."""
    made = make_api_key(acme.registry, tenant="acme", role=Role.RW, ttl_s=60, name="ci", clock=lambda: NOW)

    check_shape(made.api_key)
    assert acme.registry.api_keys.find_by_digest(digest(made.api_key)) == made.record
    assert made.api_key not in repr(made)
    assert made.api_key[8:].encode() not in everything_in(acme.state.registry_path)


@pytest.mark.parametrize("ttl_s", [0, -1, 400 * 86_400 + 1])
def test_nothing_is_made_without_an_end(acme: TenantServer, ttl_s: int) -> None:
    """Nor with one that is as good as none."""
    with pytest.raises(LifetimeError):
        mint_token(acme.registry, acme.vault, tenant="acme", role=Role.RO, ttl_s=ttl_s, subject="ann")
    with pytest.raises(LifetimeError):
        make_api_key(acme.registry, tenant="acme", role=Role.RO, ttl_s=ttl_s, name="ci")


@pytest.mark.parametrize("subject", ["", "  ", "a\nb", "a\x1b[2J", "x" * 101])
def test_somebody_is_named(acme: TenantServer, subject: str) -> None:
    """In words that can be shown."""
    with pytest.raises(SubjectError):
        mint_token(acme.registry, acme.vault, tenant="acme", role=Role.RO, ttl_s=60, subject=subject)
    with pytest.raises(SubjectError):
        make_api_key(acme.registry, tenant="acme", role=Role.RO, ttl_s=60, name=subject)

    assert acme.registry.tokens.of() == []


def test_nothing_is_made_for_a_tenant_that_is_not_there(acme: TenantServer) -> None:
    """Or could be one."""
    with pytest.raises(NoTenantError):
        mint_token(acme.registry, acme.vault, tenant="globex", role=Role.RO, ttl_s=60, subject="ann")
    with pytest.raises(NoTenantError):
        make_api_key(acme.registry, tenant="globex", role=Role.RO, ttl_s=60, name="ci")
    with pytest.raises(NoTenantError):
        signing_key(acme.registry, acme.vault, "globex")


def test_the_gateway_gets_a_token_of_minutes_that_nobody_keeps(acme: TenantServer) -> None:
    """Sqld takes it."""
    key = signing_key(acme.registry, acme.vault, "acme")

    token = upstream_token(key, tenant="acme", role=Role.RW)

    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 300
    assert acme.ask("acme", token) == "ok"
    assert acme.registry.tokens.of() == []


def test_what_is_revoked_is_named_by_the_beginning_of_its_id(acme: TenantServer) -> None:
    """If no other begins so; with or without what all ids begin with."""
    registry = acme.registry
    token = mint_token(registry, acme.vault, tenant="acme", role=Role.RO, ttl_s=60, subject="ann").record
    api_key = make_api_key(registry, tenant="acme", role=Role.RO, ttl_s=60, name="ci").record

    assert revoke_token(registry, token.id[:8], now=NOW).id == token.id
    assert revoke_api_key(registry, api_key.id[4:8], now=NOW).id == api_key.id
    for revoke, error in ((revoke_token, NoTokenError), (revoke_api_key, NoApiKeyError)):
        for given in ("", "none", api_key.id + "x"):
            with pytest.raises(error):
                revoke(registry, given, now=NOW)


def test_an_id_that_several_begin_with_is_told_with_them(acme: TenantServer) -> None:
    """And nothing is revoked."""
    ids = [record_of(acme.registry, acme) for _ in range(2)]

    with pytest.raises(AmbiguousIdError) as raised:
        revoke_token(acme.registry, "tok-", now=NOW)

    assert all(one in raised.value.hint for one in ids)
    assert all(token.revoked_at is None for token in acme.registry.tokens.of())


def record_of(registry: Registry, acme: TenantServer) -> str:
    """The id of a new token."""
    return mint_token(registry, acme.vault, tenant="acme", role=Role.RO, ttl_s=60, subject="ann").record.id
