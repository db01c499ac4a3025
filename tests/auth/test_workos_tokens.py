"""Access tokens of WorkOS, as a server checks them: signed by the real algorithm, with keys that come over HTTP."""

import base64
import json
from typing import Any

import jwt
import pytest

from auth.errors import TokenError
from auth.sign_in import Application
from auth.sign_in_errors import WorkOSUnreachableError
from auth.token_errors import TokenExpiredError
from auth.workos_keys import WorkOSKeys
from auth.workos_token_errors import (
    ForeignTokenError,
    NoOrganizationError,
    WorkOSAlgorithmError,
    WorkOSClaimError,
    WorkOSEarlyError,
    WorkOSExpiredError,
    WorkOSMalformedError,
    WorkOSSignatureError,
    WorkOSUnknownKeyError,
)
from auth.workos_tokens import Member, WorkOSTokens, default_issuers
from tests.auth.workos_double import CLIENT_ID, ORGANIZATION_ID, USER_ID, Clock, WorkOSDouble, key_id, rsa_key


@pytest.fixture
def tokens(double: WorkOSDouble, clock: Clock) -> WorkOSTokens:
    """What is tested."""
    return tokens_of(double, clock)


def tokens_of(double: WorkOSDouble, clock: Clock, **options: Any) -> WorkOSTokens:  # options of WorkOSTokens
    """As a server makes it, for the double's application."""
    application = Application(CLIENT_ID, double.url, timeout_s=5)
    return WorkOSTokens(application, clock=clock, keys=WorkOSKeys(application, clock=clock), **options)


def test_a_token_tells_whose_it_is(double: WorkOSDouble, tokens: WorkOSTokens, clock: Clock) -> None:
    """The person, the organisation, the session, and what they may do."""
    member = tokens.check(double.token(jti="token_7"))

    assert member == Member(
        user_id=USER_ID,
        organization_id=ORGANIZATION_ID,
        session_id="session_01HQSXZGF8FHF7A9ZZFCW4387R",
        token_id="token_7",
        role="member",
        permissions=frozenset({"issues:read", "issues:write"}),
        expires_at=clock.now + 300,
    )


@pytest.mark.parametrize("issuer", ["{url}", "{url}/", "{url}/user_management/" + CLIENT_ID])
def test_each_way_in_which_workos_names_itself_holds(double: WorkOSDouble, tokens: WorkOSTokens, issuer: str) -> None:
    """It depends on when the environment was made."""
    assert tokens.check(double.token(iss=issuer.format(url=double.url))).user_id == USER_ID


@pytest.mark.parametrize(
    ("claims", "claim"),
    [
        ({"iss": "https://api.workos.example"}, "iss"),
        ({"iss": "{url}/user_management/client_other"}, "iss"),
        ({"client_id": "client_other"}, "client_id"),
        ({"aud": "client_other"}, "aud"),
        ({"aud": ["client_other", "https://other.example"]}, "aud"),
        ({"aud": []}, "aud"),
    ],
)
def test_a_token_for_others_is_refused(
    double: WorkOSDouble, tokens: WorkOSTokens, claims: dict[str, Any], claim: str
) -> None:
    """WorkOS signed it, and yet it is not for this application."""
    claims = {name: value.format(url=double.url) if isinstance(value, str) else value for name, value in claims.items()}

    with pytest.raises(ForeignTokenError) as raised:
        tokens.check(double.token(**claims))

    assert raised.value.claim == claim


@pytest.mark.parametrize("audience", [CLIENT_ID, ["https://other.example", CLIENT_ID]])
def test_a_token_that_names_this_application_holds(
    double: WorkOSDouble, tokens: WorkOSTokens, audience: str | list[str]
) -> None:
    """Alone, or among others."""
    assert tokens.check(double.token(aud=audience, client_id=CLIENT_ID)).user_id == USER_ID


def test_an_audience_that_is_asked_for_must_be_there(double: WorkOSDouble, clock: Clock) -> None:
    """And be the one that is asked for."""
    tokens = tokens_of(double, clock, audience="https://td.example")

    assert tokens.check(double.token(aud="https://td.example")).user_id == USER_ID
    with pytest.raises(ForeignTokenError):
        tokens.check(double.token(aud=CLIENT_ID))
    with pytest.raises(WorkOSClaimError):
        tokens.check(double.token())


def test_a_token_without_an_organisation_opens_nothing(double: WorkOSDouble, tokens: WorkOSTokens) -> None:
    """It is organisations that have databases, and the person is told to choose one."""
    with pytest.raises(NoOrganizationError) as raised:
        tokens.check(double.token(org_id=None))

    assert "choose an organisation" in raised.value.hint


@pytest.mark.parametrize(
    ("claims", "holds"),
    [
        ({"exp": -29}, True),
        ({"exp": -30}, False),
        ({"iat": 30}, True),
        ({"iat": 31}, False),
        ({"nbf": 30}, True),
        ({"nbf": 31}, False),
    ],
)
def test_clocks_may_differ_by_the_leeway_and_no_more(
    double: WorkOSDouble, tokens: WorkOSTokens, clock: Clock, claims: dict[str, int], *, holds: bool
) -> None:
    """Thirty seconds, at the end of a token and at its beginning."""
    token = double.token(**{claim: int(clock.now) + off for claim, off in claims.items()}, headers=None)

    if holds:
        assert tokens.check(token).user_id == USER_ID
    else:
        with pytest.raises(WorkOSExpiredError if "exp" in claims else WorkOSEarlyError):
            tokens.check(token)


def test_a_token_that_ran_out_is_told_with_the_code_that_ours_have(
    double: WorkOSDouble, tokens: WorkOSTokens, clock: Clock
) -> None:
    """So that a client need not know who made a token to know what to do."""
    token = double.token()
    clock.wait(1_000)

    with pytest.raises(TokenExpiredError) as raised:
        tokens.check(token)

    assert raised.value.code == "token_expired"
    assert "td login --workos" in raised.value.hint


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": None},
        {"exp": "2099"},
        {"exp": True},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"iss": None},
        {"org_id": 7},
        {"org_id": ""},
        {"aud": 7},
        {"sid": 7},
        {"permissions": "all"},
        {"permissions": [1]},
    ],
)
def test_a_claim_that_is_missing_or_odd_is_refused(
    double: WorkOSDouble, tokens: WorkOSTokens, claims: dict[str, Any]
) -> None:
    """Above all an end that is none."""
    private = rsa_key(0)
    said = jwt.decode(double.token(), options={"verify_signature": False}) | claims
    payload = json.dumps({name: value for name, value in said.items() if value is not None}).encode()

    with pytest.raises(WorkOSClaimError):
        tokens.check(jwt.api_jws.encode(payload, private, algorithm="RS256", headers={"kid": key_id(0)}))


def test_a_changed_token_is_refused(double: WorkOSDouble, tokens: WorkOSTokens) -> None:
    """Whatever was changed in it."""
    head, _, signature = double.token().split(".")
    other = double.token(org_id="org_other").split(".")[1]

    with pytest.raises(WorkOSSignatureError):
        tokens.check(f"{head}.{other}.{signature}")


def test_a_token_signed_with_a_key_of_ones_own_is_refused(double: WorkOSDouble, tokens: WorkOSTokens) -> None:
    """Even when it carries that key, or names WorkOS' own, or where to fetch one (RFC 8725 section 3.10)."""
    claims = jwt.decode(double.token(), options={"verify_signature": False})
    mine = rsa_key(99)
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(mine.public_key()))

    for headers in ({"kid": key_id(0)}, {"kid": key_id(0), "jwk": jwk}, {"kid": key_id(0), "jku": f"{double.url}/x"}):
        with pytest.raises(WorkOSSignatureError):
            tokens.check(jwt.encode(claims, mine, algorithm="RS256", headers=headers))
    with pytest.raises(WorkOSUnknownKeyError):
        tokens.check(jwt.encode(claims, mine, algorithm="RS256", headers={"kid": key_id(99)}))
    assert [asked.path for asked in double.asked] == [f"/sso/jwks/{CLIENT_ID}"]


def test_no_other_algorithm_is_taken(double: WorkOSDouble, tokens: WorkOSTokens) -> None:
    """Neither none, nor one keyed with what everybody can read, nor a cousin of the right one."""
    claims = jwt.decode(double.token(), options={"verify_signature": False})
    headers = {"kid": key_id(0)}
    public = base64.b64encode(str(rsa_key(0).public_key().public_numbers().n).encode())
    forged = [
        jwt.encode(claims, "", algorithm="none", headers=headers),
        jwt.encode(claims, public, algorithm="HS256", headers=headers),
        jwt.encode(claims, rsa_key(0), algorithm="RS512", headers=headers),
        jwt.encode(claims, rsa_key(0), algorithm="PS256", headers=headers),
    ]

    for token in forged:
        with pytest.raises(WorkOSAlgorithmError):
            tokens.check(token)
    assert double.asked == []


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b.c", "e30.e30.", "é.é.é", "a." * 9_000, "eyJhbGciOiJSUzI1NiJ9.e30.e30", "Ww.Ww.Ww", "\x00.\x00.\x00"],
)
def test_what_is_no_token_is_refused_without_a_question(double: WorkOSDouble, tokens: WorkOSTokens, token: str) -> None:
    """Nobody makes us ask WorkOS by sending rubbish."""
    with pytest.raises(TokenError) as raised:
        tokens.check(token)

    assert raised.value.code in {"token_malformed", "token_algorithm"}
    assert double.asked == []


def test_what_must_be_understood_and_is_not_is_refused(double: WorkOSDouble, tokens: WorkOSTokens) -> None:
    """RFC 7515 section 4.1.11, and RFC 7797, which the library would understand and WorkOS never writes."""
    for headers in ({"crit": ["exp"], "exp": 1}, {"crit": ["b64"], "b64": True}):
        with pytest.raises(WorkOSMalformedError):
            tokens.check(double.token(headers=headers))
    assert double.asked == []


def test_no_error_holds_a_token(double: WorkOSDouble, tokens: WorkOSTokens, clock: Clock) -> None:
    """Not in its text, not in its hint, not in its arguments."""
    clock.wait(0)
    token = double.token(aud="client_other")

    with pytest.raises(TokenError) as raised:
        tokens.check(token)

    told = f"{raised.value}{raised.value.hint}{raised.value.args}"
    assert not any(part in told for part in (*token.split("."), "client_other"))


def test_without_workos_nobody_can_tell(clock: Clock) -> None:
    """That is no refusal: the caller may come again."""
    with WorkOSDouble(clock=clock) as gone:
        token = gone.token()

    with pytest.raises(WorkOSUnreachableError):
        tokens_of(gone, clock).check(token)


def test_an_application_of_its_own_domain_names_its_issuers(double: WorkOSDouble, clock: Clock) -> None:
    """And then no other holds."""
    tokens = tokens_of(double, clock, issuers=frozenset({"https://auth.td.example"}))

    assert tokens.check(double.token(iss="https://auth.td.example")).user_id == USER_ID
    with pytest.raises(ForeignTokenError):
        tokens.check(double.token())


def test_the_default_issuers_are_those_of_the_service_itself() -> None:
    """As WorkOS writes them today."""
    assert default_issuers(Application("client_1")) == {
        "https://api.workos.com",
        "https://api.workos.com/",
        "https://api.workos.com/user_management/client_1",
    }
