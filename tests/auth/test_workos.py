"""Signing in with WorkOS, against a server that speaks its endpoints and fails in every way that a network has."""

import base64
import json
import pickle
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth import sign_in_errors
from auth.sign_in import Application, SignIn, is_safe_url
from auth.sign_in_errors import (
    LoginDeniedError,
    LoginExpiredError,
    LoginSpentError,
    SignInEndedError,
    SignInError,
    WorkOSAddressError,
    WorkOSMissingError,
    WorkOSRefusedError,
    WorkOSUnansweredError,
    WorkOSUnreachableError,
)
from auth.workos import Told, ask, logout_url, next_interval_s, poll, renew, start_device_login
from tests.auth.workos_double import CLIENT_ID, ORGANIZATION_ID, PERSON, USER_ID, Clock, Fault, WorkOSDouble

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
# After these nobody can tell whether WorkOS did it; after the others it is known that it did not.
UNANSWERED = {
    Fault.TROUBLE,
    Fault.BROKEN,
    Fault.LOST,
    Fault.CUT,
    Fault.GARBAGE,
    Fault.NONSENSE,
    Fault.LIST,
    Fault.HANG,
    Fault.STUCK,
    Fault.FLOOD,
    Fault.TRICKLE,
}
SECRETS = ("device-secret", "refresh-secret", "eyJ")


@pytest.fixture
def clock() -> Clock:
    """The test's own time, which goes on when somebody waits."""
    return Clock()


@pytest.fixture
def double(clock: Clock) -> Iterator[WorkOSDouble]:
    """WorkOS."""
    with WorkOSDouble(clock=clock) as double:
        yield double


@pytest.fixture
def application(double: WorkOSDouble) -> Application:
    """The one that the double knows."""
    return Application(CLIENT_ID, double.url, timeout_s=0.5)


@pytest.fixture
def signed_in(double: WorkOSDouble, application: Application, clock: Clock) -> SignIn:
    """Somebody who has signed in; the double's list of requests is empty again."""
    login = start_device_login(application, clock=clock)
    double.decide()
    sign_in = poll(application, login, clock=clock, wait=clock.wait)
    double.asked.clear()
    return sign_in


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

    assert isinstance(raised.value, WorkOSUnansweredError) is (fault in UNANSWERED)
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

    assert isinstance(raised.value, WorkOSUnansweredError) is (fault in UNANSWERED)
    assert double.count("refresh_token") == 1


def test_who_asks_again_asks_the_same(double: WorkOSDouble, application: Application, signed_in: SignIn) -> None:
    """With one key for one token, by which WorkOS can know it; another token has another."""
    double.takes_used_tokens = True
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
    double.end_session()

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


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("https://api.workos.com", True),
        ("https://auth.td.example:8443/device?user_code=A", True),
        ("http://127.0.0.1:8080", True),
        ("http://localhost/x", True),
        ("http://[::1]:80", True),
        ("http://api.workos.com", False),
        ("http://127.0.0.1.example", False),
        ("http://127.0.0.1@evil.example", False),
        ("https://api.workos.com@evil.example", False),
        ("https://api.workos.com\\@evil.example", False),
        ("https://a b", False),
        ("https://", False),
        ("https://x:port", False),
        ("https://[::1", False),
        ("ftp://api.workos.com", False),
        ("api.workos.com", False),
        ("https://wоrkos.com", False),
        ("https://x\n", False),
        ("", False),
    ],
)
def test_secrets_go_over_https_or_stay_on_this_machine(url: str, *, is_safe: bool) -> None:
    """And no trick in an address sends them elsewhere."""
    assert is_safe_url(url) is is_safe
    if not is_safe:
        with pytest.raises(WorkOSAddressError):
            Application(CLIENT_ID, url)


def test_without_the_library_td_says_how_to_get_it(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "workos", None)

    with pytest.raises(WorkOSMissingError) as raised:
        start_device_login(application)

    assert "replica-toolkit[workos]" in raised.value.hint


def test_every_error_is_one_line_with_a_code_of_its_own_and_pickles() -> None:
    """They cross processes, and programs read them."""
    kinds = [kind for kind in vars(sign_in_errors).values() if isinstance(kind, type) and issubclass(kind, SignInError)]
    arguments: dict[type[SignInError], tuple[Any, ...]] = {
        sign_in_errors.SignInBusyError: (30.0,),
        sign_in_errors.SignInLostError: (1_790_000_000.0,),
        WorkOSRefusedError: ("invalid_client",),
        WorkOSUnreachableError: ("no connection", 7.0),
        WorkOSUnansweredError: ("the connection broke",),
    }
    errors = [kind(*arguments.get(kind, ())) for kind in kinds]

    assert len({error.code for error in errors}) == len(kinds)
    for error in errors:
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), again.args) == (type(error), str(error), error.args)
        assert "\n" not in f"{error}{error.hint}"
        assert error.hint
