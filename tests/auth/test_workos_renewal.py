"""Trading a refresh token for the next pair, against a server that fails in every way that a network has."""

import base64
import json
import socket
from typing import Any

import pytest

from auth.sign_in import Application, SignIn
from auth.sign_in_errors import SignInEndedError, WorkOSUnansweredError, WorkOSUnreachableError
from auth.workos import poll, renew, start_device_login
from tests.auth.workos_double import (
    CLIENT_ID,
    ORGANIZATION_ID,
    PERSON,
    USER_ID,
    Clock,
    Fault,
    WorkOSDouble,
    may_have_happened,
)


def test_a_renewal_gives_the_next_pair(
    double: WorkOSDouble, application: Application, signed_in: SignIn, clock: Clock
) -> None:
    """For the same person and organisation, from now on."""
    clock.wait(250)

    renewed = renew(signed_in, clock=clock)

    assert renewed.access_token != signed_in.access_token
    assert renewed.refresh_token != signed_in.refresh_token
    assert (renewed.user_id, renewed.organization_id) == (USER_ID, ORGANIZATION_ID)
    assert (renewed.renew_at, renewed.expires_at) == (clock.now + 240, clock.now + 300)
    assert double.asked[-1].body["organization_id"] == ORGANIZATION_ID


def test_a_sign_in_without_an_organisation_is_one(double: WorkOSDouble, application: Application, clock: Clock) -> None:
    """It is for the primary to want one."""
    login = start_device_login(application, clock=clock)
    double.decide(organization_id=None)
    sign_in = poll(application, login, clock=clock, wait=clock.wait)

    assert sign_in.organization_id is None
    assert renew(sign_in, clock=clock).organization_id is None
    assert "organization_id" not in double.asked[-1].body


@pytest.mark.parametrize("fault", Fault)
def test_a_renewal_is_asked_for_once_and_tells_whether_it_may_have_happened(
    double: WorkOSDouble, application: Application, signed_in: SignIn, fault: Fault
) -> None:
    """A refresh token is good for one use: WorkOS' own library would have sent it four times."""
    double.faults.append(fault)

    with pytest.raises(WorkOSUnreachableError) as raised:
        renew(signed_in, application=application)

    assert isinstance(raised.value, WorkOSUnansweredError) is may_have_happened(fault)
    assert double.count("refresh_token") == 1


def test_who_asks_again_asks_the_same(double: WorkOSDouble, application: Application, signed_in: SignIn) -> None:
    """With one key for one token, by which WorkOS can know it; another token has another."""
    double.same_answer_s = 30
    renewed = renew(signed_in)
    renew(signed_in)
    renew(renewed)

    keys = [asked.headers["Idempotency-Key"] for asked in double.asked]

    assert keys[0] == keys[1] != keys[2]
    assert signed_in.refresh_token not in keys[0]


def test_a_used_or_ended_sign_in_is_told(double: WorkOSDouble, signed_in: SignIn) -> None:
    """It is over, and td says what to type."""
    renewed = renew(signed_in)
    with pytest.raises(SignInEndedError):
        renew(signed_in)
    double.ends_with = "invalid_grant"

    with pytest.raises(SignInEndedError) as raised:
        renew(renewed)

    assert "td login --workos" in raised.value.hint


def test_what_td_does_not_need_may_change(double: WorkOSDouble, signed_in: SignIn, clock: Clock) -> None:
    """A refresh token is not lost because a field about the person is gone, or new."""
    needed = {"id", "email"}
    double.person = dict.fromkeys(PERSON.keys() - needed) | {"birthday": {"day": 1}}

    renewed = renew(signed_in, clock=clock)

    assert (renewed.email, renewed.name) == ("ada@example.com", None)


@pytest.mark.parametrize("person", [{"id": None}, {"id": 7}, {"email": None}, {"email": ""}])
def test_an_answer_about_nobody_is_none(double: WorkOSDouble, signed_in: SignIn, person: dict[str, Any]) -> None:
    """What td does need must be there."""
    double.person = person

    with pytest.raises(WorkOSUnansweredError):
        renew(signed_in)


@pytest.mark.parametrize("claims", [{"exp": None}, {"exp": "soon"}, {"exp": True}, {"exp": 5, "iat": 6}, {"sid": 7}])
def test_tokens_that_do_not_end_are_no_answer(
    double: WorkOSDouble, signed_in: SignIn, claims: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody could tell when to renew them."""
    said = {"iat": 1, "exp": 301} | claims
    monkeypatch.setattr(double, "token", lambda **_: unsigned(said))

    with pytest.raises(WorkOSUnansweredError):
        renew(signed_in)


def unsigned(claims: dict[str, Any]) -> str:
    """What looks like a JWT."""
    said = {name: value for name, value in claims.items() if value is not None}
    payload = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
    return f"e30.{payload}.c2ln"


def test_a_clock_that_is_wrong_changes_nothing(double: WorkOSDouble, clock: Clock) -> None:
    """A token lives as long as WorkOS says, from the moment it came, by whatever this machine takes for the time."""
    wrong = Clock(now=1_000.0)
    application = Application(CLIENT_ID, double.url)
    login = start_device_login(application, clock=wrong)
    double.decide()
    clock.wait(5)

    sign_in = poll(application, login, clock=wrong, wait=wrong.wait)

    assert (sign_in.renew_at, sign_in.expires_at) == (wrong.now + 240, wrong.now + 300)


def test_where_nobody_listens_nothing_happened(signed_in: SignIn) -> None:
    """No connection, so no question: the refresh token is as good as before."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nowhere = Application(CLIENT_ID, f"http://127.0.0.1:{closed.getsockname()[1]}")

        with pytest.raises(WorkOSUnreachableError) as raised:
            renew(signed_in, application=nowhere)

    assert not isinstance(raised.value, WorkOSUnansweredError)
    assert "sync waits" in raised.value.hint
