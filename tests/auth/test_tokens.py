"""The tokens that open a tenant's database."""

import base64
import json
import pickle
from typing import Any, Final

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from auth.errors import TokenError
from auth.token_errors import (
    BadSignatureError,
    MalformedTokenError,
    TokenAlgorithmError,
    TokenClaimError,
    TokenEarlyError,
    TokenExpiredError,
    UnknownKeyError,
)
from auth.tokens import Claims, Role, SigningKey, VerifyingKey, check, mint

NOW: Final = 1_800_000_000.0
KEY: Final = SigningKey.generate()
KEYS: Final = {KEY.key_id: VerifyingKey("acme", KEY.public_pem)}
CLAIMS: Final = {"id": "acme", "a": "rw", "exp": NOW + 60, "iat": NOW, "jti": "t1", "sub": "ann"}


def token_of(**changes: Any) -> str:  # a claim may be anything
    """A token of acme at NOW that lives a minute; `changes` are to its claims, and None takes one away."""
    claims = {name: value for name, value in {**CLAIMS, **changes}.items() if value is not None}
    return jwt.encode(claims, KEY.private_key(), algorithm="EdDSA", headers={"kid": KEY.key_id})


def part(document: object) -> str:
    """A part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


def minted(ttl_s: int = 60) -> str:
    """A token as it is made for people."""
    return mint(KEY, tenant="acme", role=Role.RO, ttl_s=ttl_s, token_id="t1", subject="ann", clock=lambda: NOW)


def test_a_token_says_what_it_was_made_for() -> None:
    """Tenant, role, whom it is for, its id, its end, and which key it is of."""
    claims = check(minted(), KEYS, now=NOW)

    assert claims == Claims("t1", "acme", Role.RO, "ann", NOW, NOW + 60, KEY.key_id)


def test_sqld_gets_the_claims_it_knows() -> None:
    """`id` is the namespace and `a` the role; there is an end, and the header names the key."""
    decoded = jwt.decode_complete(minted(), options={"verify_signature": False})

    assert decoded["payload"] == {"id": "acme", "a": "ro", "exp": NOW + 60, "iat": NOW, "jti": "t1", "sub": "ann"}
    assert decoded["header"] == {"alg": "EdDSA", "kid": KEY.key_id, "typ": "JWT"}


def test_the_id_of_a_key_is_its_thumbprint() -> None:
    """As RFC 8037, appendix A.3 reckons it for its example."""
    public = base64.urlsafe_b64decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    seed = base64.urlsafe_b64decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    key = SigningKey(private_pem_of(seed))

    assert key.private_key().public_key().public_bytes_raw() == public
    assert key.key_id == base64.urlsafe_b64decode("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k=").hex()[:16]


def private_pem_of(seed: bytes) -> str:
    """A PKCS 8 key of 32 bytes (RFC 8410, section 7: the head is always the same)."""
    body = base64.b64encode(bytes.fromhex("302e020100300506032b657004220420") + seed).decode()
    return f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"


def test_a_key_keeps_its_secret_to_itself() -> None:
    """It is in no text of it but the one that is kept."""
    secret = KEY.private_pem.splitlines()[1]

    assert secret not in repr(KEY)
    assert secret not in KEY.public_pem
    assert load_pem_public_key(KEY.public_pem.encode()) == KEY.private_key().public_key()


@pytest.mark.parametrize(
    ("now", "error"),
    [(NOW + 89.9, None), (NOW + 90, TokenExpiredError), (NOW - 30, None), (NOW - 30.1, TokenEarlyError)],
)
def test_a_token_holds_from_its_making_to_its_end(now: float, error: type[TokenError] | None) -> None:
    """Give or take what clocks differ by."""
    assert outcome(token_of(), now=now) is error


def outcome(token: str, *, now: float = NOW) -> type[TokenError] | None:
    """Why a token is refused; None if it is not."""
    try:
        check(token, KEYS, now=now)
    except TokenError as error:
        return type(error)
    return None


@pytest.mark.parametrize("claim", ["id", "a", "exp", "iat", "jti", "sub"])
@pytest.mark.parametrize("value", [None, "", True, [], {}, float("nan"), float("inf"), -1])
def test_a_token_without_a_usable_claim_is_refused(claim: str, value: object) -> None:
    """Whichever it is, and even if its signature is right."""
    with pytest.raises(TokenClaimError) as raised:
        check(token_of(**{claim: value}), KEYS, now=NOW)

    assert raised.value.claim == claim


@pytest.mark.parametrize(
    ("changes", "claim"),
    [({"id": "globex"}, "id"), ({"a": "admin"}, "a"), ({"p": {"rw": {"ns": ["globex"]}}}, "p"), ({"nbf": "x"}, "nbf")],
)
def test_the_key_of_a_tenant_opens_no_other(changes: dict[str, object], claim: str) -> None:
    """Whatever was signed with it."""
    with pytest.raises(TokenClaimError) as raised:
        check(token_of(**changes), KEYS, now=NOW)

    assert raised.value.claim == claim


def test_a_token_for_later_is_refused_until_then() -> None:
    """`nbf` is kept, though we never set it."""
    token = token_of(nbf=NOW + 31)

    assert outcome(token) is TokenEarlyError
    assert outcome(token, now=NOW + 1) is None


FORGED: Final = {
    "unsigned": (f"{part({'alg': 'none', 'kid': KEY.key_id})}.{part(CLAIMS)}.", TokenAlgorithmError),
    "unsigned in another spelling": (
        f"{part({'alg': 'nOnE', 'kid': KEY.key_id})}.{part(CLAIMS)}.",
        TokenAlgorithmError,
    ),
    "the public key as a password": (
        jwt.encode(CLAIMS, KEY.public_pem.encode()[28:], algorithm="HS256", headers={"kid": KEY.key_id}),
        TokenAlgorithmError,
    ),
    "another key under the name of ours": (
        jwt.encode(CLAIMS, SigningKey.generate().private_key(), algorithm="EdDSA", headers={"kid": KEY.key_id}),
        BadSignatureError,
    ),
    "another key": (
        jwt.encode(CLAIMS, SigningKey.generate().private_key(), algorithm="EdDSA", headers={"kid": "other"}),
        UnknownKeyError,
    ),
    "no key named": (jwt.encode(CLAIMS, KEY.private_key(), algorithm="EdDSA"), UnknownKeyError),
    "a key that is no text": (f"{part({'alg': 'EdDSA', 'kid': [KEY.key_id]})}.{part(CLAIMS)}.", UnknownKeyError),
    "the signature cut off": (token_of().rpartition(".")[0] + ".", BadSignatureError),
    "the claims exchanged": (".".join([*token_of().split(".")[:1], part(CLAIMS), "AAAA"]), BadSignatureError),
    "an extension": (
        jwt.encode(CLAIMS, KEY.private_key(), algorithm="EdDSA", headers={"kid": KEY.key_id, "crit": ["exp"]}),
        MalformedTokenError,
    ),
    "nothing": ("", MalformedTokenError),
    "two parts": ("a.b", MalformedTokenError),
    "four parts": (token_of() + ".x", MalformedTokenError),
    "no JSON": ("AAAA.AAAA.AAAA", MalformedTokenError),
    "a list": (f"{part([])}.{part(CLAIMS)}.AAAA", MalformedTokenError),
    "deep brackets": (f"{base64.b64encode(b'[' * 5000).decode()}.A.A", MalformedTokenError),
    "other letters": ("é.é.é", MalformedTokenError),
    "very long": (token_of(sub="x" * 9000), MalformedTokenError),
    "the payload no base64": (f"{token_of().split('.')[0]}.!.AAAA", MalformedTokenError),
}


@pytest.mark.parametrize("name", list(FORGED))
def test_a_forged_token_is_refused_for_what_it_is(name: str) -> None:
    """The algorithm, the key and the signature are checked before anything it says is believed."""
    token, error = FORGED[name]

    with pytest.raises(TokenError) as raised:
        check(token, KEYS, now=NOW)

    assert type(raised.value) is error
    assert raised.value.hint
    assert not token or token not in str(raised.value) + raised.value.hint
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_every_changed_character_is_noticed() -> None:
    """There is no part of a token that could be another, but the bits that base64 leaves over at its end."""
    token = token_of()
    for place, letter in enumerate(token[:-1]):
        changed = token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :]

        assert outcome(changed) is not None, place
