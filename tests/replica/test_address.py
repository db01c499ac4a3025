"""Addresses of primaries: what is none is refused when it is typed, not when a sync meets it."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replica import InputError, NotAllowedError, check_url, is_turso, refuse_open_token
from replica.address import http_url

_PARTS = st.sampled_from(
    ["http", "https", "libsql", "://", "a", "..", ":", "8080", "[::1]", "@", "/", "?", "#", "é", " "]
)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        (" libsql://team-db.turso.io ", "https://team-db.turso.io"),
        ("ws://localhost:1", "http://localhost:1"),
        ("libsql://10.0.0.1:8080?tls=0", "http://10.0.0.1:8080"),
        ("http://[::1]:8080/team", "http://[::1]:8080/team"),
        ("https://my_host.example.", "https://my_host.example."),
    ],
)
def test_an_address_is_what_the_url_names(typed: str, address: str) -> None:
    """Whichever of the schemes that Turso and libSQL use it has."""
    assert http_url(typed) == address


@pytest.mark.parametrize(
    "typed",
    ["", "x", "ftp://x", "http://", "http://...", "http://a..b", f"http://{'a' * 64}", "http://a b", "http://*", "http://é",
     "http://x:y", "http://x:99999", "http://[::1", "http://[x]", "http://-a", "http://x?y=1", "http://x#y", "http://x/\0y"],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    """Also what only the name service would refuse, after the files were made."""
    with pytest.raises(InputError):
        check_url(typed)


@pytest.mark.parametrize("typed", ["http://u:s3cret@x", "https://x?authToken=s3cret", "s3cret"])
def test_a_secret_in_a_url_is_refused_and_not_repeated(typed: str) -> None:
    """It would be kept in a file and shown."""
    with pytest.raises(InputError) as caught:
        check_url(typed)

    assert "s3cret" not in str(caught.value) + caught.value.hint


@given(st.one_of(st.text(), st.lists(_PARTS).map("".join), st.text().map("http://{}".format)))
def test_a_url_that_passed_can_be_asked(typed: str) -> None:
    """By the HTTP client, without any error of its own."""
    try:
        address = http_url(typed)
    except InputError:
        return

    assert httpx.URL(address).host.encode("idna")
    assert http_url(address) == address


def test_a_token_travels_in_the_open_only_to_this_machine() -> None:
    """To another one it needs TLS."""
    for url in (
        "http://127.0.0.1:8080",
        "http://localhost",
        "http://[::1]:1",
        "https://x.example",
        "libsql://x.example",
    ):
        refuse_open_token(url, "s3cret")
    refuse_open_token("http://x.example", None)

    for url in ("http://x.example", "ws://x.example", "libsql://x.example?tls=0", "http://127.0.0.1.example"):
        with pytest.raises(NotAllowedError):
            refuse_open_token(url, "s3cret")


def test_turso_is_known_by_its_domain() -> None:
    """And by nothing that only looks like it."""
    assert is_turso("libsql://team.turso.io")
    assert not is_turso("libsql://team.turso.io.example")
