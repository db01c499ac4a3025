"""The tokens that open a tenant's database: JWTs signed with Ed25519 (RFC 7519, RFC 8037), as sqld takes them.

Always true:
- every token made here names one tenant, one role, whom it is for, an id of its own, and an end;
- to sqld a token without claims may do everything, so none is made without, and none without passes;
- a key opens the tenant it belongs to and no other, whatever a token signed with it says;
- the algorithm is ours to choose, never the token's (RFC 8725 section 3.1).
"""

import base64
import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Self

from auth.token_errors import (
    BadSignatureError,
    MalformedTokenError,
    TokenAlgorithmError,
    TokenClaimError,
    TokenEarlyError,
    TokenExpiredError,
    UnknownKeyError,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_ALGORITHM: Final = "EdDSA"
_TOKEN_CHARACTERS_MAX: Final = 8_192
# RFC 7638 section 3 and RFC 8037 section 2: these members, in this order, without spaces.
_THUMBPRINT: Final = '{"crv":"Ed25519","kty":"OKP","x":"%s"}'


class Role(StrEnum):
    """What a token may do: all there is, or only read. The texts are those of sqld's claim `a`."""

    RW = "rw"
    RO = "ro"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key. private_pem: PKCS 8, unencrypted (RFC 8410); it is kept in a vault and nowhere else."""

    private_pem: str = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """A new one, from the randomness of the system."""
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - only who needs a key pays for it
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - the same

        pem = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return cls(pem.decode())

    @property
    def public_pem(self) -> str:
        """The public half, as sqld takes it in `jwt_key`."""
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - only who needs a key pays for it

        pem = (
            self.private_key()
            .public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
        return pem.decode()

    @property
    def key_id(self) -> str:
        """Its name in tokens: 16 characters of its thumbprint (RFC 7638), so the same key always has the same."""
        public = self.private_key().public_key().public_bytes_raw()
        x = base64.urlsafe_b64encode(public).rstrip(b"=").decode()
        return hashlib.sha256((_THUMBPRINT % x).encode()).hexdigest()[:16]

    def private_key(self) -> "Ed25519PrivateKey":
        """The key itself, for signing."""
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - only who needs a key pays for it
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - the same

        key = serialization.load_pem_private_key(self.private_pem.encode(), password=None)
        assert isinstance(key, Ed25519PrivateKey), "only keys made here are kept"
        return key


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """The public half of a tenant's key, and the tenant whose tokens it may sign."""

    tenant: str
    public_pem: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token that holds says. Times: seconds since 1970. subject: whom it was made for."""

    token_id: str
    tenant: str
    role: Role
    subject: str
    issued_at: float
    expires_at: float
    key_id: str


def mint(
    key: SigningKey,
    *,
    tenant: str,
    role: Role,
    ttl_s: int,
    token_id: str,
    subject: str,
    clock: Callable[[], float] = time.time,
) -> str:
    """A token of `tenant`, signed.

    Args:
        key: the tenant's own.
        tenant: the namespace it opens.
        role: what it may do there.
        ttl_s: for how long it holds, in seconds from now.
        token_id: its own id, by which it can be revoked.
        subject: whom or what it is for.
        clock: seconds since 1970.
    """
    import jwt  # noqa: PLC0415 - only who needs a token pays for it

    assert tenant, "to sqld a token without a namespace opens every one"
    assert ttl_s > 0, "a token has an end"
    now = int(clock())
    claims = {
        "id": tenant,
        "a": role.value,
        "exp": now + ttl_s,
        "iat": now,
        "jti": token_id,
        "sub": subject,
    }
    return jwt.encode(claims, key.private_key(), algorithm=_ALGORITHM, headers={"kid": key.key_id})


def check(token: str, keys: Mapping[str, VerifyingKey], *, now: float, leeway_s: float = 30.0) -> Claims:
    """What a token says, if it holds.

    Args:
        token: as it was given to us.
        keys: the keys that hold now, by key id, whichever tenants they are of.
        now: seconds since 1970.
        leeway_s: by how much the clock of whoever made it may differ from ours. (sqld itself allows 60.)

    Raises:
        MalformedTokenError: it is no JWT.
        TokenAlgorithmError: it is unsigned, or not signed with Ed25519.
        UnknownKeyError: it names none of `keys`.
        BadSignatureError: the key it names did not sign it.
        TokenClaimError: a claim is missing or unusable, or names another tenant than its key is for.
        TokenExpiredError: its time is over.
        TokenEarlyError: it was made in the future.
    """
    import jwt  # noqa: PLC0415 - only who checks a token pays for it

    key_id = _key_id(token)
    key = keys.get(key_id)
    if key is None:
        raise UnknownKeyError
    try:
        verified = jwt.PyJWS().decode_complete(token, key.public_pem, algorithms=[_ALGORITHM])
    except jwt.InvalidSignatureError as error:
        raise BadSignatureError from error
    except jwt.PyJWTError as error:
        raise MalformedTokenError from error
    return _claims(_json(verified["payload"]), key_id, key.tenant, now=now, leeway_s=leeway_s)


def _key_id(token: str) -> str:
    """The key that an unchecked token names, which says nothing until the signature was checked."""
    head, *rest = token.split(".")
    if len(rest) != 2 or len(token) > _TOKEN_CHARACTERS_MAX or not token.isascii():
        raise MalformedTokenError
    try:
        header = _json(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except ValueError as error:
        raise MalformedTokenError from error
    if header.get("alg") != _ALGORITHM:
        raise TokenAlgorithmError
    # Extensions that must be understood (RFC 7515 section 4.1.11): we know none.
    if "crit" in header:
        raise MalformedTokenError
    key_id = header.get("kid")
    if not isinstance(key_id, str):
        raise UnknownKeyError
    return key_id


def _json(text: bytes) -> dict[str, Any]:
    """An object of JSON; its values may be anything."""
    try:
        found = json.loads(text)
    # Brackets without end exhaust the parser.
    except (ValueError, RecursionError) as error:
        raise MalformedTokenError from error
    if not isinstance(found, dict):
        raise MalformedTokenError
    return found


def _claims(payload: Mapping[str, Any], key_id: str, tenant: str, *, now: float, leeway_s: float) -> Claims:
    found = Claims(
        token_id=_text(payload, "jti"),
        tenant=_text(payload, "id"),
        role=_role(payload),
        subject=_text(payload, "sub"),
        issued_at=_seconds(payload, "iat"),
        expires_at=_seconds(payload, "exp"),
        key_id=key_id,
    )
    if found.tenant != tenant:
        raise TokenClaimError("id")
    # sqld takes a list of permissions beside or in place of `id`: none of ours has one.
    if "p" in payload:
        raise TokenClaimError("p")
    if now >= found.expires_at + leeway_s:
        raise TokenExpiredError
    starts_at = max(found.issued_at, _seconds(payload, "nbf") if "nbf" in payload else -math.inf)
    if now < starts_at - leeway_s:
        raise TokenEarlyError
    return found


def _role(payload: Mapping[str, Any]) -> Role:
    try:
        return Role(_text(payload, "a"))
    except ValueError as error:
        raise TokenClaimError("a") from error


def _text(payload: Mapping[str, Any], claim: str) -> str:
    value = payload.get(claim)
    if not isinstance(value, str) or not value:
        raise TokenClaimError(claim)
    return value


def _seconds(payload: Mapping[str, Any], claim: str) -> float:
    value = payload.get(claim)
    # To Python True is a number.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        raise TokenClaimError(claim)
    return float(value)
