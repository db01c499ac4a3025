"""The sign-in that is kept: renewed in time, by one process at a time, and never lost without a word."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from auth.file_vault import FileVault
from auth.sign_in import Application, SignIn
from auth.sign_in_errors import (
    DamagedSignInError,
    NotSignedInError,
    SignInBusyError,
    SignInEndedError,
    SignInLostError,
    WorkOSMissingError,
    WorkOSRefusedError,
    WorkOSUnansweredError,
    WorkOSUnreachableError,
)
from auth.signed_in import SignedIn
from auth.vault_errors import VaultUnusableError
from auth.vault_key import VaultKey
from auth.workos import poll, start_device_login
from auth.workos_tokens import WorkOSTokens
from tests.auth.workos_double import CLIENT_ID, NOT_DONE, Asked, Clock, Fault, WorkOSDouble

KEY = VaultKey(bytes(range(32)))
# After this many seconds a token is to be renewed; after so many it has ended.
DUE_S, OVER_S = 250, 400
# WorkOS may have done it, and answered in a way that ends soon, so that tests need not wait.
UNANSWERED = [Fault.LOST, Fault.CUT, Fault.GARBAGE, Fault.NONSENSE, Fault.LIST]


@pytest.fixture
def nobody(tmp_path: Path, clock: Clock) -> SignedIn:
    """Before anybody signed in, with a vault that is a real file."""
    return SignedIn(
        FileVault(tmp_path / "vault", KEY), "workos", lock=tmp_path / "sign-in.lock", clock=clock, wait=clock.wait
    )


@pytest.fixture
def signed_in(nobody: SignedIn, double: WorkOSDouble, clock: Clock) -> SignedIn:
    """After it; the double's list of requests is empty again."""
    application = Application(CLIENT_ID, double.url)
    login = start_device_login(application, clock=clock)
    double.decide()
    nobody.keep(poll(application, login, clock=clock, wait=clock.wait))
    double.asked.clear()
    return nobody


def kept(signed_in: SignedIn) -> SignIn:
    """What the vault holds."""
    found = signed_in.read()
    assert found is not None
    return found


def test_where_nobody_signed_in_it_says_so(nobody: SignedIn) -> None:
    """And how to."""
    assert nobody.read() is None
    with pytest.raises(NotSignedInError) as raised:
        nobody.access_token()

    assert "td login --workos" in raised.value.hint


def test_a_token_that_holds_is_given_without_a_question(
    signed_in: SignedIn, double: WorkOSDouble, clock: Clock
) -> None:
    """The common case costs a look into the vault."""
    clock.wait(200)

    assert signed_in.access_token() == kept(signed_in).access_token
    assert double.asked == []


def test_a_token_is_renewed_before_it_ends_and_kept_before_it_is_given(
    signed_in: SignedIn, double: WorkOSDouble, clock: Clock
) -> None:
    """The next call finds the new one."""
    before = kept(signed_in)
    clock.wait(DUE_S)

    token = signed_in.access_token()

    assert token != before.access_token
    assert kept(signed_in).access_token == token
    assert kept(signed_in).refresh_token != before.refresh_token
    assert kept(signed_in).asked_at is None
    assert signed_in.access_token() == token
    assert double.count("refresh_token") == 1


def test_what_a_person_gets_is_what_a_server_takes(signed_in: SignedIn, double: WorkOSDouble, clock: Clock) -> None:
    """Before a renewal and after it, for the same person and organisation."""
    tokens = WorkOSTokens(Application(CLIENT_ID, double.url), clock=clock)
    first = tokens.check(signed_in.access_token())
    clock.wait(DUE_S)
    second = tokens.check(signed_in.access_token())

    assert (first.user_id, first.organization_id) == (second.user_id, second.organization_id)
    assert first.organization_id == kept(signed_in).organization_id
    assert second.expires_at > first.expires_at


def test_a_token_that_was_refused_is_renewed_at_once(signed_in: SignedIn, double: WorkOSDouble) -> None:
    """The primary answered 401, whatever our clock says; it is not given again."""
    refused = signed_in.access_token()

    token = signed_in.access_token(refused=refused)

    assert token != refused
    assert double.count("refresh_token") == 1


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.PATIENCE])
def test_a_token_that_was_refused_is_not_given_in_an_outage_either(
    signed_in: SignedIn, double: WorkOSDouble, fault: Fault
) -> None:
    """It would be refused again: sync waits for WorkOS."""
    double.faults.extend([fault] * 5)

    with pytest.raises(WorkOSUnreachableError):
        signed_in.access_token(refused=kept(signed_in).access_token)


def test_a_token_that_another_process_renewed_meanwhile_is_taken(signed_in: SignedIn, double: WorkOSDouble) -> None:
    """A refusal of the one before it asks for nothing."""
    refused = signed_in.access_token()
    renewed = signed_in.access_token(refused=refused)

    assert signed_in.access_token(refused=refused) == renewed
    assert double.count("refresh_token") == 1


@pytest.mark.parametrize("fault", [*UNANSWERED, *sorted(NOT_DONE)])
def test_an_outage_stops_nothing_while_the_token_holds(
    signed_in: SignedIn, double: WorkOSDouble, clock: Clock, fault: Fault
) -> None:
    """The token that is there goes on, and WorkOS is asked again only where it may have an answer."""
    token = signed_in.access_token()
    clock.wait(DUE_S)
    double.faults.extend([fault] * 5)

    assert signed_in.access_token() == token
    assert double.count("refresh_token") == (3 if fault in UNANSWERED else 1)


@pytest.mark.parametrize("fault", [*sorted(NOT_DONE), Fault.TROUBLE, Fault.BROKEN])
def test_an_outage_that_did_nothing_ends_with_itself(
    signed_in: SignedIn, double: WorkOSDouble, clock: Clock, fault: Fault
) -> None:
    """Sync waits, says why, and goes on by itself when WorkOS is back."""
    clock.wait(OVER_S)
    double.faults.extend([fault] * 5)

    with pytest.raises(WorkOSUnreachableError) as raised:
        signed_in.access_token()
    assert "reading and writing go on" in raised.value.hint
    double.faults.clear()

    assert signed_in.access_token() == kept(signed_in).access_token
    assert kept(signed_in).asked_at is None


def test_without_a_network_nothing_is_used_up(nobody: SignedIn, clock: Clock) -> None:
    """What is kept after it is what was kept before."""
    with WorkOSDouble(clock=clock) as gone:
        application = Application(CLIENT_ID, gone.url)
        login = start_device_login(application, clock=clock)
        gone.decide()
        sign_in = poll(application, login, clock=clock, wait=clock.wait)
    nobody.keep(sign_in)
    clock.wait(OVER_S)

    with pytest.raises(WorkOSUnreachableError):
        nobody.access_token()

    assert nobody.read() == sign_in


@pytest.mark.parametrize("due_s", [DUE_S, OVER_S])
@pytest.mark.parametrize("then", [[], [Fault.PATIENCE], [Fault.TROUBLE]])
@pytest.mark.parametrize("fault", UNANSWERED)
def test_a_lost_answer_is_asked_for_again_at_once(
    signed_in: SignedIn, double: WorkOSDouble, clock: Clock, fault: Fault, then: list[Fault], due_s: int
) -> None:
    """WorkOS takes a used token for half a minute, so that nobody is signed out by a bad line."""
    double.same_answer_s = 30
    clock.wait(due_s)
    before = kept(signed_in)
    double.faults.extend([fault, *then])

    token = signed_in.access_token()

    assert token != before.access_token
    assert kept(signed_in).access_token == token
    assert kept(signed_in).asked_at is None
    assert double.count("refresh_token") == 2 + len(then)


def test_nobody_is_asked_again_when_it_is_too_late(signed_in: SignedIn, double: WorkOSDouble, clock: Clock) -> None:
    """After half a minute the same question would end the sign-in."""
    clock.wait(OVER_S)
    slow = replace(signed_in, wait=lambda seconds: clock.wait(seconds + 30))
    double.faults.append(Fault.LOST)

    with pytest.raises(WorkOSUnansweredError):
        slow.access_token()

    assert double.count("refresh_token") == 1


@pytest.mark.parametrize("fault", UNANSWERED)
def test_a_lost_answer_that_cannot_be_had_again_is_told_as_that(
    signed_in: SignedIn, double: WorkOSDouble, clock: Clock, fault: Fault
) -> None:
    """The person learns that the line lost it, when, that nothing of theirs is lost, and what to type; each time."""
    clock.wait(OVER_S)
    asked_at = clock.now
    double.faults.append(fault)

    for _ in range(2):
        with pytest.raises(SignInLostError) as raised:
            signed_in.access_token()

        assert raised.value.asked_at == asked_at
        assert "never arrived" in str(raised.value)
        assert "2026-" in str(raised.value)
        assert "td login --workos" in raised.value.hint
        assert "kept" in raised.value.hint


def test_an_answer_that_was_lost_while_the_token_held_is_told_when_it_matters(
    signed_in: SignedIn, double: WorkOSDouble, clock: Clock
) -> None:
    """Not before: until then everything goes on."""
    token = signed_in.access_token()
    clock.wait(DUE_S)
    asked_at = clock.now
    double.faults.extend([Fault.LOST] * 3)
    assert signed_in.access_token() == token
    clock.wait(100)

    with pytest.raises(SignInLostError) as raised:
        signed_in.access_token()

    assert raised.value.asked_at == asked_at


def test_an_outage_in_which_an_answer_was_lost_stays_open(
    signed_in: SignedIn, double: WorkOSDouble, clock: Clock
) -> None:
    """The first question may have been heard, even if those after it certainly were not."""
    clock.wait(OVER_S)
    asked_at = clock.now
    double.faults.extend([Fault.LOST, Fault.PATIENCE, Fault.PATIENCE])

    with pytest.raises(WorkOSUnansweredError):
        signed_in.access_token()
    clock.wait(60)
    double.faults.extend([Fault.TROUBLE] * 3)
    with pytest.raises(WorkOSUnansweredError):
        signed_in.access_token()
    with pytest.raises(SignInLostError) as raised:
        signed_in.access_token()

    assert raised.value.asked_at == asked_at


@pytest.mark.parametrize("error", ["invalid_grant", "mfa_enrollment", "sso_required"])
def test_a_sign_in_that_workos_ended_is_told_as_that_each_time(
    signed_in: SignedIn, double: WorkOSDouble, clock: Clock, error: str
) -> None:
    """It was not lost on the way, so nobody is told that it was."""
    double.ends_with = error
    clock.wait(OVER_S)

    for _ in range(2):
        with pytest.raises(SignInEndedError) as raised:
            signed_in.access_token()
        assert not isinstance(raised.value, SignInLostError)


def test_another_refusal_changes_nothing_of_what_is_kept(
    signed_in: SignedIn, clock: Clock, double: WorkOSDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be otherwise tomorrow."""
    clock.wait(OVER_S)
    before = kept(signed_in)
    with monkeypatch.context() as patch:
        patch.setattr(double, "answer", lambda _: (403, {"code": "not_today", "message": "Not today."}))

        with pytest.raises(WorkOSRefusedError, match="not_today"):
            signed_in.access_token()

    assert kept(signed_in) == before
    assert signed_in.access_token() != before.access_token


def test_a_library_that_is_gone_uses_nothing_up(
    signed_in: SignedIn, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what to install."""
    clock.wait(OVER_S)
    before = kept(signed_in)
    monkeypatch.setitem(sys.modules, "workos", None)

    with pytest.raises(WorkOSMissingError):
        signed_in.access_token()

    assert kept(signed_in) == before


def test_a_vault_that_cannot_be_written_is_found_out_before_workos_is_asked(
    signed_in: SignedIn, double: WorkOSDouble, clock: Clock, tmp_path: Path
) -> None:
    """Else the new refresh token would have no place, and the old one would be used up."""
    clock.wait(OVER_S)
    locked_out = replace(signed_in, vault=FileVault(tmp_path / "vault", KEY, lock_wait_s=0))

    with FileLock(tmp_path / "vault.lock"), pytest.raises(VaultUnusableError):
        locked_out.access_token()

    assert double.asked == []


def start_processes(tmp_path: Path, clock: Clock, count: int) -> list[subprocess.Popen[str]]:
    """So many that are ready to ask for the token."""
    command = [sys.executable, "-m", "tests.auth.renewing", str(tmp_path), str(clock.now)]
    environ = os.environ | {"TD_VAULT": "file", "TD_VAULT_KEY": KEY.text}
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ)
        for _ in range(count)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    return processes


def test_many_processes_renew_once(signed_in: SignedIn, double: WorkOSDouble, clock: Clock, tmp_path: Path) -> None:
    """All get the token that the first of them got."""
    clock.wait(OVER_S)
    processes = start_processes(tmp_path, clock, 4)

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda process: process.communicate("go\n", timeout=60)[0], processes))

    assert told == [f"{kept(signed_in).access_token}\n"] * 4
    assert double.count("refresh_token") == 1


@pytest.mark.parametrize("same_answer_s", [0, 30])
def test_a_process_that_is_killed_while_it_renews_leaves_a_clear_word(
    signed_in: SignedIn, double: WorkOSDouble, clock: Clock, tmp_path: Path, same_answer_s: int
) -> None:
    """WorkOS has used the token up, and nobody kept the next: another process repairs it, or says what happened."""
    double.same_answer_s = same_answer_s
    clock.wait(OVER_S)
    arrived = threading.Event()
    double.on_stuck = arrived.set
    double.faults.append(Fault.STUCK)
    (process,) = start_processes(tmp_path, clock, 1)
    with process:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        assert arrived.wait(60)
        process.kill()

    if same_answer_s:
        assert signed_in.access_token() == kept(signed_in).access_token
    else:
        with pytest.raises(SignInLostError):
            signed_in.access_token()


def in_the_middle_of_a_renewal(
    signed_in: SignedIn, double: WorkOSDouble, monkeypatch: pytest.MonkeyPatch, then: Callable[[], None]
) -> str:
    """Renew, and do `then` while WorkOS thinks about it; what the renewal gave."""
    arrived, go_on = threading.Event(), threading.Event()
    answer = double.answer

    def slow_answer(asked: Asked) -> tuple[int, Any]:  # as in the double
        arrived.set()
        go_on.wait(5)
        return answer(asked)

    monkeypatch.setattr(double, "answer", slow_answer)
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(signed_in.access_token)
        try:
            assert arrived.wait(5)
            then()
        finally:
            go_on.set()
        return renewing.result(5)


def test_nobody_waits_for_another_while_the_token_holds(
    signed_in: SignedIn, double: WorkOSDouble, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One renews it, the others go on with it."""
    token = signed_in.access_token()
    clock.wait(DUE_S)
    given: list[str] = []

    renewed = in_the_middle_of_a_renewal(signed_in, double, monkeypatch, lambda: given.append(signed_in.access_token()))

    assert given == [token]
    assert renewed != token


def test_who_cannot_wait_any_longer_is_told_so(
    signed_in: SignedIn, double: WorkOSDouble, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the token has ended there is nothing to go on with."""
    clock.wait(OVER_S)
    impatient = replace(signed_in, wait_s=0.05)

    def ask() -> None:
        with pytest.raises(SignInBusyError) as raised:
            impatient.access_token()
        assert raised.value.waited_s == 0.05

    in_the_middle_of_a_renewal(signed_in, double, monkeypatch, ask)


def test_who_signs_out_while_another_renews_is_signed_out(
    signed_in: SignedIn, double: WorkOSDouble, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The renewal does not bring the sign-in back."""
    clock.wait(OVER_S)
    with ThreadPoolExecutor(1) as pool:
        leaving: list[Any] = []

        in_the_middle_of_a_renewal(
            signed_in, double, monkeypatch, lambda: leaving.append(pool.submit(signed_in.forget))
        )
        leaving[0].result(5)

    assert signed_in.read() is None


def test_the_lock_is_the_owners_alone(nobody: SignedIn, signed_in: SignedIn) -> None:
    """As all files of ours."""
    assert nobody.lock.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "x", "[]", "null", "{}", '{"version": 1}', "[" * 100_000])
def test_rubbish_is_no_sign_in(signed_in: SignedIn, text: str) -> None:
    """It is told with what to type, and signing in again mends it."""
    before = kept(signed_in)
    signed_in.vault.store("workos", text)

    with pytest.raises(DamagedSignInError) as raised:
        signed_in.access_token()
    signed_in.keep(before)

    assert "td login --workos" in raised.value.hint
    assert signed_in.read() == before
