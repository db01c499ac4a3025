"""Signing in with WorkOS, against a server that speaks its endpoints and fails in every way that a network has."""

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.sign_in import Application, SignIn
from auth.sign_in_errors import (
    LoginDeniedError,
    LoginExpiredError,
    LoginSpentError,
    SignInError,
    WorkOSMissingError,
    WorkOSRefusedError,
    WorkOSUnansweredError,
    WorkOSUnreachableError,
)
from auth.workos import Told, ask, logout_url, next_interval_s, poll, renew, start_device_login
from tests.auth.workos_double import ORGANIZATION_ID, USER_ID, Clock, Fault, WorkOSDouble, may_have_happened

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SECRETS = ("device-secret", "refresh-secret", "eyJ")


def test_a_login_leads_from_a_code_to_a_sign_in(double: WorkOSDouble, application: Application, clock: Clock) -> None:
    """The person gets a code and a link, and after they said yes, td knows who they are and for how long."""
    login = start_device_login(application, clock=clock)
    double.decide()
    sign_in = poll(application, login, clock=clock, wait=clock.wait)

    assert login.user_code == "RRGQ-BJV1"
    assert login.verification_uri == f"{double.url}/device"
    assert login.verification_uri_complete == f"{double.url}/device?user_code=RRGQ-BJV1"
    assert (sign_in.user_id, sign_in.email, sign_in.name) == (USER_ID, "ada@example.com", "Ada Lovelace")
    assert (sign_in.organization_id, sign_in.session_id) == (ORGANIZATION_ID, "session_01HQSXZGF8FHF7A9ZZFCW4387R")
    assert (sign_in.renew_at, sign_in.expires_at) == (clock.now + 240, clock.now + 300)
    assert clock.waits == [5]


def test_a_name_cannot_steer_a_terminal(double: WorkOSDouble, application: Application, clock: Clock) -> None:
    """People choose their names, and others see them."""
    login = start_device_login(application, clock=clock)
    double.person |= {"first_name": "A\x1b[2Jd\u202ea", "last_name": "Love\nlace\ud800", "email": "a\x07da@example.com"}
    double.decide()

    sign_in = poll(application, login, clock=clock, wait=clock.wait)

    assert (sign_in.name, sign_in.email) == ("A[2Jda Lovelace", "ada@example.com")


def test_an_id_that_could_steer_a_terminal_is_no_id(
    double: WorkOSDouble, application: Application, clock: Clock
) -> None:
    """WorkOS makes ids itself, of letters and digits."""
    login = start_device_login(application, clock=clock)
    double.person["id"] = "user_\x1b[2J"
    double.decide()
    clock.wait(login.interval_s)

    with pytest.raises(WorkOSUnansweredError, match="no sign-in"):
        ask(application, login, clock=clock)


def test_nothing_of_the_environment_is_sent_to_workos(
    double: WorkOSDouble, application: Application, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its library would send the key of a server along, and ask where the environment says."""
    monkeypatch.setenv("WORKOS_API_KEY", "sk_s3cret")
    monkeypatch.setenv("WORKOS_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("WORKOS_REQUEST_TIMEOUT", "never")
    monkeypatch.setenv("WORKOS_CLIENT_ID", "client_other")

    login = start_device_login(application, clock=clock)
    double.decide()
    renew(poll(application, login, clock=clock, wait=clock.wait), clock=clock)

    assert len(double.asked) == 3
    assert "s3cret" not in repr(double.asked)
    assert not any("authorization" in {name.lower() for name in asked.headers} for asked in double.asked)


def test_waiting_goes_at_the_pace_that_workos_names(
    double: WorkOSDouble, application: Application, clock: Clock
) -> None:
    """As often as it allows, and no more."""
    double.interval_s = 8
    login = start_device_login(application, clock=clock)

    with pytest.raises(LoginExpiredError):
        poll(application, login, clock=clock, wait=clock.wait)

    assert set(clock.waits) == {8}
    assert double.count(DEVICE_GRANT) == 37


def test_without_a_pace_it_is_five_seconds(double: WorkOSDouble, application: Application, clock: Clock) -> None:
    """RFC 8628 section 3.2."""
    double.interval_s = None

    assert start_device_login(application, clock=clock).interval_s == 5


def test_slow_down_adds_five_seconds_for_good(double: WorkOSDouble, application: Application, clock: Clock) -> None:
    """RFC 8628 section 3.5."""
    double.oddities = {"interval": 2}
    login = start_device_login(application, clock=clock)
    asks = iter(range(4))

    def wait(seconds: float) -> None:
        clock.wait(seconds)
        if next(asks) == 3:
            double.decide()

    poll(application, login, clock=clock, wait=wait)

    assert clock.waits == [2, 7, 7, 7]


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("access_denied", LoginDeniedError),
        ("expired_token", LoginExpiredError),
        ("invalid_grant", LoginSpentError),
        ("invalid_client", WorkOSRefusedError),
        ("mfa_enrollment", WorkOSRefusedError),
    ],
)
def test_a_login_that_cannot_come_about_ends_at_once(
    double: WorkOSDouble, application: Application, clock: Clock, state: str, error: type[SignInError]
) -> None:
    """And says how to go on."""
    login = start_device_login(application, clock=clock)
    double.decide(state)

    with pytest.raises(error) as raised:
        poll(application, login, clock=clock, wait=clock.wait)

    assert double.count(DEVICE_GRANT) == 1
    assert "td login --workos" in raised.value.hint


def test_nobody_is_asked_after_a_code_ran_out(double: WorkOSDouble, application: Application, clock: Clock) -> None:
    """Our own clock ends it too."""
    login = start_device_login(application, clock=clock)
    clock.wait(double.login_s)

    with pytest.raises(LoginExpiredError):
        poll(application, login, clock=clock, wait=clock.wait)

    assert double.count(DEVICE_GRANT) == 0


@pytest.mark.parametrize("fault", Fault)
def test_a_wait_outlives_what_goes_wrong_in_it(
    double: WorkOSDouble, application: Application, clock: Clock, fault: Fault
) -> None:
    """While the person has not decided, any question may fail; the next ones come more slowly."""
    login = start_device_login(application, clock=clock)
    double.faults.append(fault)
    waited = iter(range(3))

    def wait(seconds: float) -> None:
        clock.wait(seconds)
        if next(waited) == 2:
            double.decide()

    assert poll(application, login, clock=clock, wait=wait).user_id == USER_ID
    assert clock.waits == [5, 10, 10]


def test_a_wait_in_an_outage_ends_when_the_code_does(
    double: WorkOSDouble, application: Application, clock: Clock
) -> None:
    """And says that it was WorkOS, not the person."""
    login = start_device_login(application, clock=clock)
    double.faults.extend([Fault.TROUBLE] * 100)

    with pytest.raises(WorkOSUnreachableError):
        poll(application, login, clock=clock, wait=clock.wait)

    assert clock.waits == [5, 10, 20, 40, 60, 60, 60]


def test_an_outage_that_is_over_is_not_what_ended_a_login(
    double: WorkOSDouble, application: Application, clock: Clock
) -> None:
    """WorkOS was back in time, and the person was not."""
    login = start_device_login(application, clock=clock)
    double.faults.append(Fault.TROUBLE)

    with pytest.raises(LoginExpiredError):
        poll(application, login, clock=clock, wait=clock.wait)


def test_patience_that_workos_asks_for_is_had(double: WorkOSDouble, application: Application, clock: Clock) -> None:
    """Where it names a longer time than we would wait."""
    double.interval_s = 1
    login = start_device_login(application, clock=clock)
    double.faults.append(Fault.PATIENCE)
    double.decide()

    poll(application, login, clock=clock, wait=clock.wait)

    assert clock.waits == [1, 7]


def test_a_login_whose_answer_was_lost_says_so(double: WorkOSDouble, application: Application, clock: Clock) -> None:
    """A code is good for one use."""
    login = start_device_login(application, clock=clock)
    double.decide()
    double.faults.append(Fault.LOST)

    with pytest.raises(LoginSpentError):
        poll(application, login, clock=clock, wait=clock.wait)


def test_one_question_tells_what_workos_says(double: WorkOSDouble, application: Application, clock: Clock) -> None:
    """For who waits in a way of their own."""
    login = start_device_login(application, clock=clock)

    assert ask(application, login, clock=clock) is Told.SLOW_DOWN
    clock.wait(5)
    assert ask(application, login, clock=clock) is Told.PENDING
    clock.wait(5)
    double.decide()
    assert isinstance(ask(application, login, clock=clock), SignIn)


@given(st.floats(0.1, 3_600), st.sampled_from(Told))
def test_no_answer_makes_us_ask_faster(interval_s: float, told: Told) -> None:
    """Whatever it is."""
    assert next_interval_s(interval_s, told) >= interval_s


@pytest.mark.parametrize("fault", Fault)
def test_a_login_that_cannot_begin_says_why(double: WorkOSDouble, application: Application, fault: Fault) -> None:
    """And asks once: the person is there, and can ask again."""
    double.faults.append(fault)

    with pytest.raises(WorkOSUnreachableError) as raised:
        start_device_login(application)

    assert isinstance(raised.value, WorkOSUnansweredError) is may_have_happened(fault)
    assert len(double.asked) == 1


def test_an_application_that_workos_does_not_know_is_told(double: WorkOSDouble) -> None:
    """By the name that WorkOS gives to it."""
    with pytest.raises(WorkOSRefusedError, match="WorkOS refuses: invalid_client"):
        start_device_login(Application("client_other", double.url))


@pytest.mark.parametrize(
    "odd",
    [
        {"verification_uri": "http://login.example/device"},
        {"verification_uri": "file:///etc/passwd"},
        {"verification_uri": None},
        {"verification_uri_complete": "javascript:alert(1)"},
        {"verification_uri_complete": "https://api.workos.com@evil.example/"},
        {"verification_uri_complete": "https://login.example/\x1b]0;pwned\x07"},
        {"user_code": "\x1b[2J"},
        {"user_code": 7},
        {"user_code": ""},
        {"device_code": None},
        {"device_code": "a\nb"},
        {"expires_in": -1},
        {"expires_in": "300"},
        {"expires_in": 1e300},
        {"interval": 0},
        {"interval": 1e300},
        {"interval": True},
    ],
)
def test_what_no_person_should_be_shown_is_no_answer(
    double: WorkOSDouble, application: Application, odd: dict[str, Any]
) -> None:
    """A link is opened and a code is printed: neither may be anything else."""
    double.oddities = odd

    with pytest.raises(WorkOSUnansweredError):
        start_device_login(application)


def test_no_secret_is_shown(double: WorkOSDouble, application: Application, clock: Clock) -> None:
    """Not by a `repr`, not by an error, whatever WorkOS answers."""
    login = start_device_login(application, clock=clock)
    double.decide("access_denied for device-secret-1 eyJ")
    with pytest.raises(WorkOSRefusedError) as raised:
        poll(application, login, clock=clock, wait=clock.wait)
    clock.wait(5)
    double.decide()
    sign_in = poll(application, login, clock=clock, wait=clock.wait)

    shown = f"{login!r}{sign_in!r}{raised.value}{raised.value.args}"

    assert not any(secret in shown for secret in SECRETS)


def test_signing_out_at_workos_is_done_in_a_browser(application: Application, signed_in: SignIn) -> None:
    """A program without a secret of its own cannot end a session; the link names the session and no token."""
    assert logout_url(signed_in) == (
        f"{application.url}/user_management/sessions/logout?session_id=session_01HQSXZGF8FHF7A9ZZFCW4387R"
    )


def test_without_the_library_td_says_how_to_get_it(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "workos", None)

    with pytest.raises(WorkOSMissingError) as raised:
        start_device_login(application)

    assert "replica-toolkit[workos]" in raised.value.hint
