"""How many requests a token may make, and what it is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqld import free_port
from sqld.gateway.limits import Limits, OverLimitError
from sqld.nginx import Nginx
from sqld.proxy import ProxySettings
from tests.sqld.gateway.site import Site, open_site


@pytest.fixture(scope="module")
def narrow(sqld_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a tenant, each of whose tokens may make three requests a minute."""
    with open_site(sqld_binary, tmp_path_factory.mktemp("narrow"), per_minute=3) as opened:
        opened.add_tenant("alpha")
        yield opened


@pytest.mark.parametrize("path", ["/v3/pipeline", "/v1/tenants/me"])
def test_a_token_is_told_how_much_is_left_and_then_to_wait(narrow: Site, path: str) -> None:
    """By nginx for what goes to sqld, by the gateway for its own, in the same headers."""
    token = narrow.token("alpha")
    method, body = ("POST", b'{"requests":[]}') if "pipeline" in path else ("GET", b"")

    answers = [narrow.ask(method, path, token=token, body=body) for _ in range(4)]

    assert [answer.headers["x-ratelimit-limit"] for answer in answers] == ["3"] * 4
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert all(0 < int(answer.headers["x-ratelimit-reset"]) <= 60 for answer in answers)
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].code == "rate_limited"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 20


def test_another_token_of_the_tenant_has_a_limit_of_its_own(narrow: Site) -> None:
    """A program that runs wild takes nothing from the others."""
    wild, calm = narrow.token("alpha"), narrow.token("alpha")
    for _ in range(4):
        narrow.run("SELECT 1", token=wild)

    assert narrow.run("SELECT 1", token=calm).status == 200


def test_an_address_without_a_token_is_limited_too(narrow: Site, tmp_path: Path) -> None:
    """To check what it sends costs as much as to check what holds."""
    port = free_port()
    gateway, primary = f"127.0.0.1:{narrow.gateway_port}", f"127.0.0.1:{narrow.primary.port}"
    settings = ProxySettings(tmp_path, f"127.0.0.1:{port}", gateway, primary, address_rate=1)

    with Nginx(settings):
        answers = [narrow.run("SELECT 1", token="x.y.z", port=port) for _ in range(12)]

    assert [answer.status for answer in answers[:5]] == [401] * 5
    assert {answer.code for answer in answers if answer.status == 429} == {"rate_limited"}
    assert answers[-1].headers["retry-after"] == "1"


@given(st.integers(1, 100), st.lists(st.floats(0, 100), max_size=200))
def test_in_no_minute_passes_more_than_twice_the_limit(per_minute: int, pauses: list[float]) -> None:
    """A full bucket, and what flows in meanwhile."""
    limits, now, passed = Limits(per_minute), 0.0, []
    for pause in pauses:
        now += pause
        try:
            limits.take("token", now)
        except OverLimitError:
            continue
        passed.append(now)

    for start in passed:
        assert sum(start <= moment < start + 60 for moment in passed) <= 2 * per_minute


@given(st.integers(1, 100))
def test_after_what_it_was_told_to_wait_a_token_passes(per_minute: int) -> None:
    """Retry-After is enough."""
    limits = Limits(per_minute)
    for _ in range(per_minute):
        limits.take("token", 0.0)
    with pytest.raises(OverLimitError) as caught:
        limits.take("token", 0.0)

    assert caught.value.retry_after_s is not None
    limits.take("token", float(caught.value.retry_after_s))


def test_of_tokens_that_rest_nothing_is_kept() -> None:
    """However many come by."""
    limits = Limits(60)

    for number in range(30_000):
        limits.take(f"token {number}", float(number))

    assert len(limits._levels) <= 10_001
