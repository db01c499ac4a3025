"""`td login --workos`: a person signs in with a browser, and stays so; WorkOS is a double that speaks its endpoints."""

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import pytest

from auth.file_vault import FileVault
from auth.vault_key import VaultKey
from cli.config import load_config
from cli.device import has_browser
from cli.tokens import Tokens
from tests.auth.workos_double import CLIENT_ID, ORGANIZATION_ID, Fault, WorkOSDouble
from tests.cli.in_process import call, done
from tests.cli.program import Program
from tests.cli.test_json import problems
from tests.cli.test_login import config, kept, profiles
from tests.cli.test_vault import typed
from tests.docs.console import ROOT
from tracker import NotSentError

KEY: Final = VaultKey(bytes(range(32))).text
NOWHERE: Final = "http://127.0.0.1:1"


@pytest.fixture
def double() -> Iterator[WorkOSDouble]:
    """WorkOS, where the person has confirmed before they are asked."""
    with WorkOSDouble(interval_s=0.05, decides="approved") as double:
        yield double


@pytest.fixture
def laptop(tmp_path: Path) -> Program:
    """A td on a machine without a keyring."""
    return Program(tmp_path / "laptop", {"TD_VAULT_KEY": KEY})


class Primary(ThreadingHTTPServer):
    """A primary that refuses every token, and notes which it was shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        super().__init__(("127.0.0.1", 0), _Refuse)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Refuse(BaseHTTPRequestHandler):
    server: Primary

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer 401."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.shown.append(self.headers["Authorization"].removeprefix("Bearer "))
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def refusing() -> Iterator[Primary]:
    """It runs."""
    with Primary() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


def login_words(double: WorkOSDouble, url: str = NOWHERE) -> list[str]:
    """What a person types the first time."""
    return ["login", "--workos", "--client-id", CLIENT_ID, "--workos-url", double.url, "--url", url]


@pytest.fixture
def signed_in(laptop: Program, double: WorkOSDouble) -> Program:
    """After it, in a directory that was made with that profile; the list of what WorkOS was asked is empty again."""
    done(laptop, *login_words(double))
    done(laptop, "init")
    double.asked.clear()
    return laptop


def test_a_person_is_shown_a_code_and_signed_in(laptop: Program, double: WorkOSDouble) -> None:
    """On stderr; the result says as whom, and no token stands in it or in a file in the clear."""
    answer = done(laptop, *login_words(double))

    assert answer.err == f"open {double.url}/device and confirm the code RRGQ-BJV1\n"
    assert answer.out == f"LOGGED IN to {NOWHERE} as ada@example.com (profile default; kept in the vault)\n"
    profile = profiles(laptop)["profiles"]["default"]
    assert profile.pop("credential").startswith("file/")
    assert profile == {"auth": "workos", "url": NOWHERE, "workos_client_id": CLIENT_ID, "workos_url": double.url}
    (text,) = kept(laptop)
    secrets = [json.loads(text)[name] for name in ("access_token", "refresh_token")]
    files = [path.read_bytes() for path in laptop.directory.rglob("*") if path.is_file()]
    assert not any(secret.encode() in data for secret in secrets for data in files)
    assert not any(secret in answer.out + answer.err for secret in secrets)


def test_the_page_tells_what_a_person_sees(laptop: Program, double: WorkOSDouble) -> None:
    """But for the addresses."""
    answer = done(laptop, *login_words(double))

    shown = f"{answer.err}{answer.out}".replace(NOWHERE, "https://td.example.com").replace(
        double.url, "https://auth.example.com"
    )
    typed_words = f"$ td login --workos --client-id {CLIENT_ID} --url https://td.example.com\n"
    assert f"```text\n{typed_words}{shown}```" in (ROOT / "docs/auth.md").read_text()


def test_a_program_reads_the_code_as_json(laptop: Program, double: WorkOSDouble) -> None:
    """It stands on stderr while stdout waits for the result; the second time nothing need be told again."""
    done(laptop, *login_words(double))

    answer = done(laptop, "login", "--json")

    assert json.loads(answer.err) == {"login": {"code": "RRGQ-BJV3", "url": f"{double.url}/device"}}
    document = answer.document()
    assert problems("login", document) == []
    assert (document["auth"], document["user"], document["email"], document["organisation"]) == (
        "workos", "Ada Lovelace", "ada@example.com", ORGANIZATION_ID,
    )  # fmt: skip
    assert len(kept(laptop)) == 1


def test_whoami_and_status_tell_the_person(signed_in: Program) -> None:
    """Without asking anybody."""
    whoami = done(signed_in, "whoami", "--json").document()
    status = done(signed_in, "auth", "status", "--json").document()

    for document in (whoami, status):
        assert (document["user"], document["email"], document["organisation"]) == (
            "Ada Lovelace", "ada@example.com", ORGANIZATION_ID,
        )  # fmt: skip
        assert document["expires_at"] is not None
    assert (status["auth"], status["renews"], status["kept_in"]) == ("workos", True, "vault")
    assert problems("whoami", whoami) + problems("auth status", status) == []


def test_logging_out_forgets_the_sign_in_and_says_where_workos_ends_it(signed_in: Program) -> None:
    """The session at WorkOS is the person's to end."""
    answer = done(signed_in, "logout")

    assert kept(signed_in) == []
    assert "session_01HQSXZGF8FHF7A9ZZFCW4387R" in answer.err
    assert call(signed_in, "sync", "--json").error()["message"] == "nobody is signed in with profile default"


def test_a_renewal_that_runs_just_now_does_not_bring_back_what_was_logged_out(
    signed_in: Program, double: WorkOSDouble
) -> None:
    """The logout waits for it."""
    expire(signed_in)
    double.faults.append(Fault.HANG)
    renewing = signed_in.start("sync")
    while not double.asked:
        assert renewing.poll() is None
        double.is_over.wait(0.02)

    leaving = signed_in.start("logout")
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            leaving.wait(1)
    finally:
        double.is_over.set()
        answers = [process.communicate(timeout=30) for process in (renewing, leaving)]

    assert leaving.returncode == 0, answers
    assert kept(signed_in) == []


def test_another_organisation_is_signed_in_to_when_it_is_wanted(laptop: Program, double: WorkOSDouble) -> None:
    """WorkOS gives the one it finds first; the other is asked for at once, and stays."""
    document = done(laptop, *login_words(double), "--organisation", "org_wanted", "--json").document()

    assert document["organisation"] == "org_wanted"
    assert [asked.body.get("organization_id") for asked in double.asked][-1] == "org_wanted"
    assert profiles(laptop)["profiles"]["default"]["organisation"] == "org_wanted"


@pytest.mark.parametrize(("decision", "code"), [("access_denied", "login_denied"), ("expired_token", "login_expired")])
def test_a_login_that_was_declined_or_not_confirmed_changes_nothing(
    laptop: Program, double: WorkOSDouble, decision: str, code: str
) -> None:
    """One line says so."""
    double.decides = decision

    answer = call(laptop, *login_words(double))

    assert answer.code == 1
    assert answer.err.splitlines()[-1].startswith("td: ")
    assert len(answer.err.splitlines()) == 2
    assert (
        call(laptop, *login_words(double), "--json").err.splitlines()[-1].startswith(f'{{"error": {{"code": "{code}"')
    )
    assert kept(laptop) == []
    assert not (laptop.home / ".config").exists()


def test_without_workos_nobody_is_signed_in(laptop: Program, double: WorkOSDouble) -> None:
    """Trouble there is told in one line."""
    double.faults.append(Fault.TROUBLE)

    answer = call(laptop, *login_words(double), "--json")

    assert (answer.code, answer.out, answer.error()["code"]) == (4, "", "workos_unanswered")
    assert kept(laptop) == []


def test_ctrl_c_while_waiting_changes_nothing(laptop: Program, double: WorkOSDouble) -> None:
    """The code runs out by itself."""
    double.decides = None
    process = laptop.start(*login_words(double))
    assert process.stderr is not None
    assert b"confirm the code" in process.stderr.readline()

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    assert (process.returncode, out) == (130, b"")
    assert err == b"td: interrupted; nothing was changed; begin again with td login --workos\n"
    assert kept(laptop) == []
    assert not (laptop.home / ".config").exists()


def test_a_vault_that_cannot_be_opened_is_found_out_before_the_person_has_done_anything(
    signed_in: Program, double: WorkOSDouble
) -> None:
    """WorkOS is not asked."""
    signed_in.environ["TD_VAULT_KEY"] = VaultKey(bytes(32)).text

    answer = call(signed_in, "login", "--json")

    assert answer.error()["code"] == "vault_key_wrong"
    assert double.asked == []


# -- the browser


@pytest.mark.parametrize(
    ("environ", "platform", "is_terminal", "expected"),
    [
        ({"DISPLAY": ":0"}, "linux", True, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True, True),
        ({}, "linux", True, False),
        ({"DISPLAY": ":0"}, "linux", False, False),
        ({"DISPLAY": ":0", "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, "linux", True, False),
        ({"DISPLAY": ":0", "SSH_TTY": "/dev/pts/1"}, "linux", True, False),
        ({}, "darwin", True, True),
        ({"SSH_CLIENT": "x"}, "darwin", True, False),
    ],
)
def test_a_browser_is_opened_where_somebody_sees_it(
    environ: dict[str, str], platform: str, *, is_terminal: bool, expected: bool
) -> None:
    """Not over SSH, where it would open elsewhere or in the terminal; not for programs."""
    assert has_browser(environ, platform, is_terminal=is_terminal) is expected


@pytest.mark.parametrize("option", [[], ["--no-browser"]])
def test_the_browser_gets_the_address_and_no_secret(
    laptop: Program, double: WorkOSDouble, tmp_path: Path, option: list[str]
) -> None:
    """With the code in it, so that nobody need type it; and none at all where none is wanted."""
    seen, pipe = tmp_path / "seen", tmp_path / "pipe"
    os.mkfifo(pipe)
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\n(echo "$1"; env) > {seen}\necho done > {pipe}\n')
    browser.chmod(browser.stat().st_mode | stat.S_IXUSR)
    laptop.environ |= {"DISPLAY": ":99", "BROWSER": f"{browser} %s", "TD_DATABASE_TOKEN": "s3cret"}

    code, shown = typed(laptop, [*login_words(double), *option], [])

    assert code == 0, shown
    if option:
        assert not seen.exists()
        return
    assert pipe.read_text() == "done\n"
    address, *environment = seen.read_text().splitlines()
    assert address == f"{double.url}/device?user_code=RRGQ-BJV1"
    assert not any(KEY in line or "s3cret" in line for line in environment)


# -- what sync shows


def test_a_sync_shows_the_access_token_and_renews_it_once_when_it_is_refused(
    laptop: Program, double: WorkOSDouble, refusing: Primary
) -> None:
    """A primary that refuses two in a row does not refuse them for their age."""
    done(laptop, *login_words(double, refusing.url))
    before = json.loads(kept(laptop)[0])["access_token"]
    call(laptop, "init")
    refusing.shown.clear()
    double.asked.clear()
    before = json.loads(kept(laptop)[0])["access_token"]

    answer = call(laptop, "sync", "--json")

    assert (answer.code, answer.error()["code"]) == (5, "not_allowed")
    after = json.loads(kept(laptop)[0])["access_token"]
    assert refusing.shown == [before, after]
    assert double.count("refresh_token") == 1


def test_mode_remote_renews_a_refused_token_too(laptop: Program, double: WorkOSDouble, refusing: Primary) -> None:
    """It asks for everything."""
    done(laptop, *login_words(double, refusing.url))
    call(laptop, "init", "--mode", "remote")
    refusing.shown.clear()
    double.asked.clear()

    answer = call(laptop, "list", "--json")

    assert (answer.code, answer.error()["code"]) == (5, "not_allowed")
    assert len(set(refusing.shown)) == len(refusing.shown) == 2
    assert double.count("refresh_token") == 1


def expire(program: Program) -> None:
    """Let the time of the access token be over."""
    (path,) = program.home.rglob("vault")
    vault = FileVault(path, lambda: VaultKey.parse(KEY))
    name = profiles(program)["profiles"]["default"]["credential"]
    kept_now = json.loads(vault.read(name) or "")
    vault.store(name, json.dumps(kept_now | {"renew_at": 1, "expires_at": 2}))


def test_an_outage_of_workos_stops_nothing_but_sync(signed_in: Program, double: WorkOSDouble) -> None:
    """Reading and writing go on; a sync says in one line what it waits for, and asks once."""
    expire(signed_in)
    double.faults.extend([Fault.PATIENCE] * 10)
    done(signed_in, "create", "Oat milk")
    assert len(done(signed_in, "list", "--json").document()) == 1

    answer = call(signed_in, "sync")

    assert answer.code == 4
    assert answer.err == (
        "td: WorkOS is out of reach: it asks for patience; reading and writing go on, and sync waits; try again later\n"
    )
    assert double.count("refresh_token") == 1
    assert done(signed_in, "sync", "status", "--json").document()["pending"] == 1


def test_a_sign_in_that_ended_says_how_to_sign_in_again(signed_in: Program, double: WorkOSDouble) -> None:
    """And what was written waits."""
    expire(signed_in)
    double.ends_with = "invalid_grant"

    answer = call(signed_in, "sync", "--json")

    assert (answer.code, answer.error()["code"]) == (5, "not_allowed")
    assert "td login --workos" in answer.error()["hint"]


def test_in_mode_remote_an_outage_is_no_unknown_outcome(
    laptop: Program, double: WorkOSDouble, refusing: Primary
) -> None:
    """Nothing was sent, so nothing can have been written."""
    done(laptop, *login_words(double, refusing.url))
    call(laptop, "init", "--mode", "remote")
    expire(laptop)
    refusing.shown.clear()
    double.faults.extend([Fault.PATIENCE] * 10)

    answer = call(laptop, "create", "Oat milk", "--json")

    assert (answer.code, answer.error()["code"]) == (4, "unreachable")
    assert answer.error()["hint"].startswith("nothing was written; ")
    assert refusing.shown == []


def test_what_failed_once_is_not_tried_again_in_the_same_call(
    signed_in: Program, double: WorkOSDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A push tries several times, and WorkOS must not be asked each time."""
    expire(signed_in)
    double.faults.extend([Fault.PATIENCE] * 10)
    for name, value in signed_in.environ.items():
        monkeypatch.setenv(name, value)
    tokens = Tokens(os.environ, load_config(signed_in.directory / ".todos"))

    for _ in range(5):
        with pytest.raises(NotSentError):
            tokens.find()

    assert double.count("refresh_token") == 1


def test_a_token_is_renewed_once_in_a_call(
    signed_in: Program, double: WorkOSDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many requests of it are refused; the next call may again."""
    for name, value in signed_in.environ.items():
        monkeypatch.setenv(name, value)
    config_now = load_config(signed_in.directory / ".todos")
    tokens = Tokens(os.environ, config_now)
    first = tokens.find()
    assert first is not None

    renewed = tokens.renew(first)

    assert renewed not in (None, first)
    assert tokens.renew(renewed or "") is None
    assert tokens.find() == renewed
    assert double.count("refresh_token") == 1
    assert Tokens(os.environ, config_now).renew(renewed or "") not in (None, renewed)


def test_the_library_of_workos_is_imported_by_those_who_ask_it(signed_in: Program) -> None:
    """Who is signed in pays nothing for it, as long as the token holds."""
    script = (
        "import atexit, sys; sys.argv[0] = 'td'; from cli.main import main; "
        "atexit.register(lambda: sys.stderr.write(' '.join(sorted(sys.modules)))); main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, "list"],
        cwd=signed_in.directory, env=signed_in.environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr
    assert {"workos", "auth.signed_in", "auth", "platformdirs", "httpx"} & set(ran.stderr.split()) == set()
    assert config(signed_in)["profile"] == "default"
