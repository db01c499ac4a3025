"""The Platform API of Turso Cloud, against a double that speaks it: what is asked, and what each fault becomes."""

import pickle
import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Final

import pytest

from sqld import SqldError, turso_errors
from sqld.turso import Database, Group, TursoPlatform, expiration_of
from sqld.turso_errors import (
    TursoAnswerError,
    TursoError,
    TursoExistsError,
    TursoNotFoundError,
    TursoRefusedError,
    TursoSetupError,
    TursoTokenError,
    TursoUnknownOutcomeError,
    TursoUnreachableError,
)
from tests.sqld.turso_double import ORGANISATION, PLATFORM_TOKEN, Fault, TursoDouble

_DAY: Final = timedelta(days=1)
_LOST: Final = Fault(is_done=True)
_BUSY: Final = Fault(429)
_FAILING: Final = Fault(503)
Call = Callable[[TursoPlatform], object]


@pytest.fixture
def double() -> Iterator[TursoDouble]:
    """Turso, empty but for one group."""
    with TursoDouble() as running:
        yield running


@pytest.fixture
def waits() -> list[float]:
    """How long was waited between attempts, in seconds; the waiting itself is not done."""
    return []


@pytest.fixture
def platform(double: TursoDouble, waits: list[float]) -> Iterator[TursoPlatform]:
    """The organisation of the tests."""
    with TursoPlatform(ORGANISATION, PLATFORM_TOKEN, base_url=double.url, timeout_s=0.5, sleep=waits.append) as opened:
        yield opened


# -- what is asked


def test_a_database_is_made_found_listed_and_deleted(platform: TursoPlatform) -> None:
    """And clients get the URL that they need."""
    made = platform.create("issues", group="default")

    assert made == Database("issues", "issues-team.turso.io", "default")
    assert made.url == "libsql://issues-team.turso.io"
    listed = Database("issues", "issues-team.turso.io", "default", "aws-us-east-1")
    assert platform.database("issues") == listed
    assert platform.databases() == [listed] == platform.databases(group="default")
    assert platform.databases(group="other") == []
    assert platform.groups() == [Group("default", "aws-us-east-1")]
    platform.delete("issues")
    assert platform.databases() == []


def test_a_token_always_ends(platform: TursoPlatform, double: TursoDouble) -> None:
    """The API's own default is one that never does."""
    platform.create("issues", group="default")

    assert platform.mint_token("issues", ttl=30 * _DAY) == "token-1-of-issues"
    assert platform.mint_token("issues", ttl=timedelta(minutes=90), read_only=True) == "token-2-of-issues"

    assert double.state.tokens == [("issues", "30d", "full-access"), ("issues", "1h30m", "read-only")]
    for ttl in (timedelta(), timedelta(seconds=59), -_DAY):
        with pytest.raises(TursoSetupError):
            platform.mint_token("issues", ttl=ttl)
    assert len(double.state.tokens) == 2


def test_a_length_of_time_is_said_as_the_api_has_it() -> None:
    """Without parts that are nothing."""
    assert [expiration_of(each) for each in (_DAY, timedelta(hours=25), timedelta(minutes=1, seconds=59))] == [
        "1d",
        "1d1h",
        "1m",
    ]


def test_all_tokens_of_a_database_are_ended(platform: TursoPlatform, double: TursoDouble) -> None:
    """By one call, whose answer is empty."""
    platform.create("issues", group="default")

    platform.invalidate_tokens("issues")

    assert double.state.invalidated == ["issues"]


def test_the_platform_token_is_in_one_header(platform: TursoPlatform, double: TursoDouble) -> None:
    """And in no address."""
    platform.databases()

    ((_, path),) = double.state.requests
    (headers,) = double.state.headers
    assert {name for name, value in headers.items() if PLATFORM_TOKEN in value} == {"Authorization"}
    assert PLATFORM_TOKEN not in path


@pytest.mark.parametrize("name", ["", "..", "a/b", "Issues", "a b", "x" * 65, "a?b", "ä"])
def test_a_name_that_cannot_be_one_is_not_asked_for(platform: TursoPlatform, double: TursoDouble, name: str) -> None:
    """It might lead to another path."""
    calls: list[Call] = [
        lambda asked: asked.create(name, group="default"),
        lambda asked: asked.create("issues", group=name),
        lambda asked: asked.delete(name),
        lambda asked: asked.mint_token(name, ttl=_DAY),
    ]
    for call in calls:
        with pytest.raises(TursoSetupError):
            call(platform)

    assert double.state.requests == []


# -- what it refuses


def test_each_refusal_has_a_name_and_turso_s_own_words(platform: TursoPlatform, double: TursoDouble) -> None:
    """As its documentation has them."""
    platform.create("issues", group="default")

    with pytest.raises(TursoExistsError, match="database with name issues already exists"):
        platform.create("issues", group="default")
    with pytest.raises(TursoRefusedError, match="group not found"):
        platform.create("notes", group="other")
    with pytest.raises(TursoNotFoundError, match="could not find database with name notes"):
        platform.delete("notes")
    with TursoPlatform("nobody", PLATFORM_TOKEN, base_url=double.url) as other, pytest.raises(TursoNotFoundError):
        other.databases()


def test_a_platform_token_that_is_refused_is_told_without_it(double: TursoDouble) -> None:
    """Also where Turso repeats it."""
    with TursoPlatform(ORGANISATION, "another-s3cret", base_url=double.url) as platform:
        with pytest.raises(TursoTokenError, match="invalid or expired auth token"):
            platform.databases()
        double.fail(Fault(401, b'{"error": "unknown token another-s3cret\\n"}'))
        with pytest.raises(TursoTokenError) as caught:
            platform.databases()

    assert str(caught.value) == "Turso refuses the platform token: unknown token …"
    assert "TURSO_API_TOKEN" in caught.value.hint


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "é"])
def test_what_cannot_be_a_token_is_not_sent(double: TursoDouble, token: str) -> None:
    """Nor repeated."""
    with pytest.raises(TursoTokenError) as caught:
        TursoPlatform(ORGANISATION, token, base_url=double.url)

    assert not token or token not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, TursoRefusedError), (402, TursoRefusedError), (403, TursoRefusedError), (418, TursoRefusedError)],
)
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": {"message": "no"}}', b'{"error": 1}'])
def test_a_refusal_in_any_words_is_a_refusal(
    platform: TursoPlatform, double: TursoDouble, status: int, kind: type[TursoError], body: bytes
) -> None:
    """The status decides."""
    double.fail(Fault(status, body))

    with pytest.raises(kind) as caught:
        platform.databases()

    assert caught.value.hint
    assert "\n" not in str(caught.value)


# -- what goes wrong


def test_a_busy_turso_is_asked_again_as_it_says(
    platform: TursoPlatform, double: TursoDouble, waits: list[float]
) -> None:
    """What it turned away was not done, so that even what changes something may be asked again."""
    double.fail(Fault(429, retry_after="7"), _BUSY)

    assert platform.create("issues", group="default").name == "issues"

    assert waits == [7.0, 1.0]
    assert len(double.state.requests) == 3


def test_turso_is_not_waited_for_longer_than_patience_lasts(
    platform: TursoPlatform, double: TursoDouble, waits: list[float]
) -> None:
    """It says how long, and the person decides."""
    double.fail(Fault(429, retry_after="3600"))

    with pytest.raises(TursoUnreachableError) as caught:
        platform.databases()

    assert "3600 s" in caught.value.hint
    assert waits == []


@pytest.mark.parametrize("fault", [_LOST, _FAILING, Fault(500), Fault(hang_s=0.8)])
def test_what_only_reads_is_asked_again(
    platform: TursoPlatform, double: TursoDouble, waits: list[float], fault: Fault
) -> None:
    """After longer and longer waits."""
    platform.create("issues", group="default")
    double.fail(fault, fault)

    assert [each.name for each in platform.databases()] == ["issues"]
    assert waits == [0.5, 1.0]


def test_a_deletion_whose_answer_was_lost_is_done(platform: TursoPlatform, double: TursoDouble) -> None:
    """The second attempt finds nothing, and that is what was wanted."""
    platform.create("issues", group="default")
    double.fail(_LOST)

    platform.delete("issues")

    assert double.state.databases == {}


@pytest.mark.parametrize("fault", [_LOST, Fault(502, is_done=True), Fault(502), Fault(hang_s=0.8, is_done=True)])
@pytest.mark.parametrize(
    "call",
    [
        lambda platform: platform.create("notes", group="default"),
        lambda platform: platform.mint_token("issues", ttl=_DAY),
        lambda platform: platform.invalidate_tokens("issues"),
    ],
    ids=["create", "mint_token", "invalidate_tokens"],
)
def test_what_changes_something_is_asked_once(
    platform: TursoPlatform, double: TursoDouble, fault: Fault, call: Call
) -> None:
    """Whether it was done is not known, and the error says how to find out."""
    platform.create("issues", group="default")
    before = len(double.state.requests)
    double.fail(fault)

    with pytest.raises(TursoUnknownOutcomeError, match="it is not known whether it was done") as caught:
        call(platform)

    assert len(double.state.requests) == before + 1
    assert caught.value.hint


def test_an_outage_ends_in_bounded_time(double: TursoDouble) -> None:
    """With a name that says that asking again does no harm."""
    double.fail(*[_FAILING] * 20)
    with TursoPlatform(ORGANISATION, PLATFORM_TOKEN, base_url=double.url, patience_s=0.6) as platform:
        began = time.monotonic()
        with pytest.raises(TursoUnreachableError, match="HTTP 503"):
            platform.databases()

        assert time.monotonic() - began < 5


def test_nobody_there_is_told_at_once(waits: list[float]) -> None:
    """Nothing was sent, and nothing is waited for."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with (
        TursoPlatform(
            ORGANISATION, PLATFORM_TOKEN, base_url=f"http://127.0.0.1:{port}", sleep=waits.append
        ) as platform,
        pytest.raises(TursoUnreachableError),
    ):
        platform.create("issues", group="default")

    assert waits == []


@pytest.mark.parametrize(
    "body",
    [b"", b"garbage", b"[]", b"{}", b'{"databases": {}}', b'{"databases": [{"Name": "x"}]}', b'{"databases": [1]}',
     b'{"databases": [{"Name": "x", "Hostname": "evil.example/?"}]}', b"[" * 100_000,
     b'{"databases": [{"Name": "x\\u001b[2J", "Hostname": "x.turso.io"}]}'],
)  # fmt: skip
def test_an_answer_of_another_shape_is_no_crash(platform: TursoPlatform, double: TursoDouble, body: bytes) -> None:
    """Nor does it reach a terminal, or become an address that a token goes to."""
    double.fail(Fault(200, body))

    with pytest.raises(TursoAnswerError):
        platform.databases()


# -- where the token goes


@pytest.mark.parametrize(
    "url",
    ["http://api.turso.tech", "http://localhost.evil.example", "ftp://x", "https://u:p@x", "https://", "x",
     "http://0x7f000001", "https://x?a=b", "https://x:y"],
)  # fmt: skip
def test_an_address_that_is_no_safe_one_is_refused(url: str) -> None:
    """Before anything is asked."""
    with pytest.raises(TursoSetupError) as caught:
        TursoPlatform(ORGANISATION, PLATFORM_TOKEN, base_url=url)

    assert "https" in caught.value.hint


@pytest.mark.parametrize("status", [301, 307])
def test_turso_is_not_followed_elsewhere(platform: TursoPlatform, double: TursoDouble, status: int) -> None:
    """The token would go along."""
    with TursoDouble() as stranger:
        double.fail(Fault(status, location=f"{stranger.url}/v1/organizations/team/databases"))

        with pytest.raises(TursoAnswerError):
            platform.databases()

        assert stranger.state.requests == []


def test_a_proxy_of_the_environment_gets_nothing(double: TursoDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would see the token."""
    with TursoDouble() as stranger:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, stranger.url)
        with TursoPlatform(ORGANISATION, PLATFORM_TOKEN, base_url=double.url) as platform:
            platform.databases()

        assert stranger.state.requests == []


def test_every_error_pickles_and_says_what_to_do() -> None:
    """In one line."""
    kinds = [each for each in vars(turso_errors).values() if isinstance(each, type) and issubclass(each, TursoError)]

    assert len(kinds) == 9
    for kind in kinds:
        error = kind("one\ntwo", "do this")
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), again.hint, again.code) == (kind, "one two", "do this", kind.code)
        assert isinstance(error, SqldError)
