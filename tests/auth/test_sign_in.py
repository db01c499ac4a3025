"""A sign-in as a value: how it is kept as text, where it may be sent, and the errors that tell of it."""

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth import sign_in_errors
from auth.sign_in import Application, SignIn, claims_of, is_safe_url
from auth.sign_in_errors import (
    DamagedSignInError,
    SignInError,
    WorkOSAddressError,
    WorkOSRefusedError,
    WorkOSUnansweredError,
    WorkOSUnreachableError,
)
from tests.auth.workos_double import CLIENT_ID

SIGN_INS = st.builds(
    SignIn,
    client_id=st.text(min_size=1),
    url=st.text(min_size=1),
    access_token=st.text(min_size=1),
    refresh_token=st.text(min_size=1),
    renew_at=st.floats(0, 2**52),
    expires_at=st.floats(0, 2**52),
    user_id=st.text(min_size=1),
    email=st.text(min_size=1),
    name=st.none() | st.text(),
    organization_id=st.none() | st.text(),
    session_id=st.none() | st.text(),
    asked_at=st.none() | st.floats(0, 2**52),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(SIGN_INS)
def test_what_was_kept_is_what_is_read(sign_in: SignIn) -> None:
    """Every field of it."""
    assert SignIn.from_text(sign_in.to_text()) == sign_in


@given(SIGN_INS, st.dictionaries(st.sampled_from([*SignIn.__dataclass_fields__, "version", "other"]), JSON, min_size=1))
def test_what_is_no_sign_in_is_told_as_damaged(sign_in: SignIn, odd: dict[str, Any]) -> None:
    """Whatever somebody put there, or a newer program: it is read whole, or it is damaged, and nothing else."""
    text = json.dumps(json.loads(sign_in.to_text()) | odd)

    try:
        found = SignIn.from_text(text)
    except DamagedSignInError:
        return

    assert json.loads(found.to_text()) == json.loads(text)


@given(st.text() | JSON)
def test_the_claims_of_what_is_no_token_are_none(token: object) -> None:
    """Nothing makes the reader fail."""
    assert claims_of(token) == {}


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
