"""The keys that WorkOS publishes: fetched over HTTP from a server that rotates them, and that fails."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from auth.sign_in import Application
from auth.sign_in_errors import WorkOSUnansweredError, WorkOSUnreachableError
from auth.workos_keys import Pace, WorkOSKeys, published_keys
from auth.workos_token_errors import WorkOSUnknownKeyError
from tests.auth.workos_double import CLIENT_ID, Asked, Clock, Fault, WorkOSDouble, key_id, published

PACE = Pace(fresh_s=600, retry_s=30, old_s=86_400)
FAILURES = [fault for fault in Fault if fault not in {Fault.HANG, Fault.STUCK, Fault.TRICKLE}]


@pytest.fixture
def keys(double: WorkOSDouble, clock: Clock) -> WorkOSKeys:
    """What is tested."""
    return WorkOSKeys(Application(CLIENT_ID, double.url, timeout_s=5), pace=PACE, clock=clock)


def test_keys_are_asked_for_once_and_used_while_they_are_fresh(
    double: WorkOSDouble, keys: WorkOSKeys, clock: Clock
) -> None:
    """A server that checks a token for every request does not ask WorkOS for every request."""
    for _ in range(5):
        keys.find(key_id(0))
        clock.wait(100)

    assert len(double.asked) == 1


def test_a_new_key_is_found_at_once(double: WorkOSDouble, keys: WorkOSKeys, clock: Clock) -> None:
    """WorkOS rotates them when it likes."""
    keys.find(key_id(0))
    clock.wait(PACE.retry_s)
    double.keys.append(1)

    assert keys.find(key_id(1)).key_id == key_id(1)
    assert len(double.asked) == 2


def test_names_that_somebody_made_up_make_us_ask_once_in_a_while(
    double: WorkOSDouble, keys: WorkOSKeys, clock: Clock
) -> None:
    """However many there are."""
    keys.find(key_id(0))
    clock.wait(PACE.retry_s)

    for number in range(100, 150):
        with pytest.raises(WorkOSUnknownKeyError):
            keys.find(key_id(number))

    assert len(double.asked) == 2


def test_a_key_that_was_withdrawn_holds_no_longer_than_the_others_are_fresh(
    double: WorkOSDouble, keys: WorkOSKeys, clock: Clock
) -> None:
    """A key that was stolen is withdrawn; it must end everywhere."""
    keys.find(key_id(0))
    double.keys[:] = [1]
    clock.wait(PACE.fresh_s)
    keys.find(key_id(0))
    clock.wait(1)

    with pytest.raises(WorkOSUnknownKeyError):
        keys.find(key_id(0))


@pytest.mark.parametrize("fault", FAILURES)
def test_an_outage_does_not_end_the_keys_that_were_there(
    double: WorkOSDouble, keys: WorkOSKeys, clock: Clock, fault: Fault
) -> None:
    """In whatever way WorkOS fails: they hold on, for a time, and it is asked again now and then."""
    keys.find(key_id(0))
    clock.wait(PACE.fresh_s + 1)
    double.faults.extend([fault] * 2)

    for _ in range(5):
        assert keys.find(key_id(0)).key_id == key_id(0)
    assert len(double.asked) == 2
    clock.wait(PACE.old_s - PACE.fresh_s)
    with pytest.raises(WorkOSUnreachableError):
        keys.find(key_id(0))
    with pytest.raises(WorkOSUnreachableError):
        keys.find(key_id(0))
    assert len(double.asked) == 3
    clock.wait(PACE.retry_s)
    assert keys.find(key_id(0)).key_id == key_id(0)


def test_in_an_outage_an_unknown_key_is_nobodys_fault(double: WorkOSDouble, keys: WorkOSKeys, clock: Clock) -> None:
    """It may be the newest: the token is not refused, the caller comes again."""
    keys.find(key_id(0))
    clock.wait(PACE.retry_s)
    double.keys.append(1)
    double.faults.append(Fault.TROUBLE)

    for _ in range(3):
        with pytest.raises(WorkOSUnreachableError):
            keys.find(key_id(1))
    clock.wait(PACE.retry_s)

    assert keys.find(key_id(1)).key_id == key_id(1)
    assert len(double.asked) == 3


def test_many_who_come_at_once_ask_once(double: WorkOSDouble, keys: WorkOSKeys) -> None:
    """The first asks, and the others wait for what it learns."""
    start = threading.Barrier(8)

    def find(_: int) -> str | None:
        start.wait(5)
        return keys.find(key_id(0)).key_id

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(find, range(8)))

    assert found == [key_id(0)] * 8
    assert len(double.asked) == 1


def test_who_can_do_with_what_is_known_waits_for_nobody(
    double: WorkOSDouble, keys: WorkOSKeys, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one asks a WorkOS that does not answer, the others go on."""
    keys.find(key_id(0))
    clock.wait(PACE.fresh_s + 1)
    arrived, go_on = threading.Event(), threading.Event()
    answer = double.answer

    def slow_answer(asked: Asked) -> tuple[int, Any]:  # as in the double
        arrived.set()
        go_on.wait(5)
        return answer(asked)

    monkeypatch.setattr(double, "answer", slow_answer)
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(keys.find, key_id(0))
        assert arrived.wait(5)

        assert keys.find(key_id(0)).key_id == key_id(0)

        assert not asking.done()
        go_on.set()
        asking.result(5)


@pytest.mark.parametrize(
    "odd",
    [
        {"kty": "EC"},
        {"alg": "RS512"},
        {"use": "enc"},
        {"n": "AQAB"},
        {"n": "not base64!"},
        {"n": 7},
        {"e": None},
        {"kid": 7},
    ],
)
def test_keys_that_cannot_be_used_are_left_out(
    double: WorkOSDouble, monkeypatch: pytest.MonkeyPatch, odd: dict[str, Any]
) -> None:
    """The others of the set hold, and where there are none it is as if WorkOS had not answered."""
    url = f"{double.url}/sso/jwks/{CLIENT_ID}"
    entries = [published(0), published(1) | odd, "none", None]
    monkeypatch.setattr(double, "answer", lambda _: (200, {"keys": entries}))

    assert list(published_keys(url, timeout_s=5)) == [key_id(0)]

    del entries[0]
    with pytest.raises(WorkOSUnansweredError):
        published_keys(url, timeout_s=5)


def test_a_weak_key_is_none(double: WorkOSDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 7518 section 3.3 asks for 2048 bits."""
    monkeypatch.setattr(double, "answer", lambda _: (200, {"keys": [published(0, bits=1024)]}))

    with pytest.raises(WorkOSUnansweredError):
        published_keys(f"{double.url}/sso/jwks/{CLIENT_ID}", timeout_s=5)


@pytest.mark.parametrize(
    "body", [[], {}, {"keys": None}, {"keys": {}}, "text", None, json.loads("[" * 500 + "]" * 500)]
)
def test_what_is_no_set_of_keys_is_no_answer(
    double: WorkOSDouble, monkeypatch: pytest.MonkeyPatch, body: object
) -> None:
    """Whatever it is."""
    monkeypatch.setattr(double, "answer", lambda _: (200, body))

    with pytest.raises(WorkOSUnansweredError):
        published_keys(f"{double.url}/sso/jwks/{CLIENT_ID}", timeout_s=5)


def test_a_server_that_never_answers_is_given_up() -> None:
    """In the time that was given."""
    with WorkOSDouble() as double:
        double.faults.append(Fault.HANG)

        with pytest.raises(WorkOSUnansweredError):
            published_keys(f"{double.url}/sso/jwks/{CLIENT_ID}", timeout_s=0.2)
