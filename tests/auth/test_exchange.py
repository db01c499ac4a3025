"""One request over HTTP, with bounds: what is sent goes to one address, and an answer ends."""

import time
from collections.abc import Iterator

import pytest

from auth._exchange import exchange
from auth.sign_in_errors import WorkOSUnansweredError, WorkOSUnreachableError
from tests.auth.workos_double import CLIENT_ID, Fault, WorkOSDouble


@pytest.fixture
def double() -> Iterator[WorkOSDouble]:
    """A server."""
    with WorkOSDouble() as double:
        yield double


def test_an_answer_comes_as_it_is(double: WorkOSDouble) -> None:
    """Its status, its headers in any spelling, and its body."""
    answer = exchange("GET", f"{double.url}/sso/jwks/{CLIENT_ID}", timeout_s=5)

    assert answer.status == 200
    assert answer.headers["content-TYPE"] == "application/json"
    assert answer.body.startswith(b'{"keys"')


def test_an_answer_without_end_is_cut_by_its_size(double: WorkOSDouble) -> None:
    """Long before its time is over."""
    double.faults.append(Fault.FLOOD)

    with pytest.raises(WorkOSUnansweredError, match="too large"):
        exchange("GET", double.url, timeout_s=60)


def test_an_answer_that_trickles_is_cut_by_its_time(double: WorkOSDouble) -> None:
    """Though something comes all the time."""
    double.faults.append(Fault.TRICKLE)
    began = time.monotonic()

    with pytest.raises(WorkOSUnansweredError, match="too long"):
        exchange("GET", double.url, timeout_s=0.2)

    assert time.monotonic() - began < 10


def test_a_redirect_is_not_followed(double: WorkOSDouble) -> None:
    """What was sent is for one address only."""
    double.faults.append(Fault.REDIRECT)

    with pytest.raises(WorkOSUnreachableError, match="another address"):
        exchange("POST", double.url, content=b'{"refresh_token": "secret"}', timeout_s=5)

    assert len(double.asked) == 1


def test_a_proxy_of_the_environment_gets_nothing_that_is_readable(
    double: WorkOSDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain http is for this machine; a proxy would be told the secret."""
    with WorkOSDouble() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)

        exchange("GET", f"{double.url}/sso/jwks/{CLIENT_ID}", timeout_s=5)

        assert (len(double.asked), len(proxy.asked)) == (1, 0)
