"""`td login` with a token, `td logout`, `td auth status`: what is kept, for whom it is, and what becomes of it."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import certifi
import pytest

from auth.tokens import Role, SigningKey, mint
from auth.vault_format import lock_of, unseal
from auth.vault_key import VaultKey
from sqld import Server
from tests.cli.in_process import call, done
from tests.cli.program import Program
from tests.cli.test_json import problems
from tests.cli.test_vault import typed

KEY: Final = VaultKey(bytes(range(32)))
NOWHERE: Final = "http://127.0.0.1:1"
ELSEWHERE: Final = "http://127.0.0.1:2"
SIGNING: Final = SigningKey.generate()


def token(*, now: float | None = None) -> str:
    """A token for the primary of these tests."""
    clock = time.time if now is None else lambda: now
    return mint(SIGNING, tenant="default", role=Role.RW, ttl_s=3600, token_id="tok-1", clock=clock, subject="ann")


@pytest.fixture
def server(tmp_path: Path) -> Program:
    """A td on a machine without a keyring, where TD_VAULT_KEY is set."""
    return Program(tmp_path / "server", {"TD_VAULT_KEY": KEY.text})


@pytest.fixture
def guarded(sqld_binary: Path, tmp_path: Path) -> Iterator[Server]:
    """An sqld that lets nobody in without a token."""
    key = tmp_path / "key.pem"
    key.write_text(SIGNING.public_pem)
    with Server(sqld_binary, flags=["--auth-jwt-key-file", str(key)]) as server:
        yield server


def kept(program: Program) -> list[str]:
    """Every secret in the vault."""
    return sorted(
        secret
        for path in program.home.rglob("vault")
        for secret in unseal(path.read_bytes(), lock_of(path.read_bytes(), KEY, path=path), path=path).values()
    )


def profiles(program: Program) -> dict[str, Any]:
    """The file of profiles."""
    found: dict[str, Any] = json.loads((program.home / ".config/replica-toolkit/profiles.json").read_text())
    return found


def config(program: Program) -> dict[str, Any]:
    """The settings of the directory."""
    found: dict[str, Any] = json.loads((program.directory / ".todos/config.json").read_text())
    return found


def log_in(program: Program, secret: str, *args: str) -> Any:  # a JSON document
    """Log in with a token on stdin."""
    return done(program, "login", "--token-stdin", *args, "--json", stdin=f"{secret}\n").document()


def test_a_person_logs_in_once_and_every_new_directory_is_let_in(server: Program, guarded: Server) -> None:
    """The token stands in no file in the clear; without it nobody is let in."""
    secret = token()

    told = log_in(server, secret, "--url", guarded.url)
    done(server, "init")
    done(server, "create", "Oat milk")
    done(server, "sync")

    assert problems("login", told) == []
    assert (told["profile"], told["kept_in"], told["user"], told["organisation"]) == (
        "default", "vault", "ann", "default",
    )  # fmt: skip
    assert config(server) == {"mode": "libsql", "url": guarded.url, "profile": "default"}
    files = [path for path in server.directory.rglob("*") if path.is_file()]
    assert [path for path in files if secret.encode() in path.read_bytes()] == []
    done(server, "logout")
    refused = call(server, "sync", "--json")
    assert (refused.code, refused.error()["code"]) == (5, "not_allowed")
    assert refused.error()["hint"] == "td login --profile default"
    assert len(done(server, "list", "--json").document()) == 1


def test_a_second_login_takes_the_place_of_the_first(server: Program) -> None:
    """The old token is gone from the vault, also where the directory had one of its own."""
    done(server, "init", "--url", NOWHERE, "--token-stdin", stdin="first\n")
    assert kept(server) == ["first"]

    log_in(server, "second")
    assert kept(server) == ["second"]
    assert config(server) == {"mode": "libsql", "url": NOWHERE, "profile": "default"}
    log_in(server, "third")

    assert kept(server) == ["third"]


def test_logging_out_forgets_the_token(server: Program) -> None:
    """The profile stays, so that a login needs no URL again; a second logout has nothing to do."""
    log_in(server, "secret", "--url", NOWHERE, "--profile", "work")

    document = done(server, "logout", "--json").document()

    assert document == {"action": "logged_out", "profile": "work", "was": "token", "url": NOWHERE}
    assert problems("logout", document) == []
    assert kept(server) == []
    assert profiles(server)["profiles"] == {"work": {"auth": "token", "url": NOWHERE}}
    again = call(server, "logout", "--json")
    assert (again.code, again.error()["code"]) == (2, "invalid_input")
    log_in(server, "another")
    assert kept(server) == ["another"]


def test_a_directory_with_a_token_of_its_own_forgets_that(server: Program) -> None:
    """As td init --token-stdin keeps it."""
    done(server, "init", "--url", NOWHERE, "--token-stdin", stdin="secret\n")

    assert done(server, "logout").out == f"LOGGED OUT of {NOWHERE}\n"

    assert kept(server) == []
    assert config(server) == {"mode": "libsql", "url": NOWHERE}


def test_the_secret_of_a_profile_is_for_its_primary_alone(server: Program, guarded: Server) -> None:
    """A directory that came from elsewhere names a profile, or the environment a primary: nothing is shown there."""
    log_in(server, token(), "--url", guarded.url)
    done(server, "init")
    path = server.directory / ".todos/config.json"
    path.write_text(json.dumps(config(server) | {"url": ELSEWHERE}))

    answer = call(server, "sync", "--json")

    assert (answer.code, answer.error()["code"]) == (5, "not_allowed")
    assert f"profile default is for {guarded.url}" in answer.error()["message"]
    assert "not shown to http://127.0.0.1:2" in answer.error()["message"]
    # One that is only in use, and not remembered, is none of such a directory.
    path.write_text(json.dumps({"mode": "libsql", "url": ELSEWHERE}))
    assert done(server, "whoami", "--json").document()["token"] is None
    assert call(server, "sync", "--json").error()["code"] == "unreachable"


def test_a_login_for_another_primary_wants_a_profile_of_its_own(server: Program) -> None:
    """So that no token goes where it does not belong, and no profile changes its primary unasked."""
    log_in(server, "secret", "--url", NOWHERE)
    done(server, "init", "--url", ELSEWHERE)

    refused = [
        call(server, "login", "--token-stdin", *args, "--json", stdin="other\n") for args in ([], ["--url", ELSEWHERE])
    ]

    assert [(one.code, one.error()["code"]) for one in refused] == [(2, "invalid_input")] * 2
    assert all("--profile NAME" in one.error()["hint"] for one in refused)
    assert kept(server) == ["secret"]
    log_in(server, "other", "--profile", "else")
    assert kept(server) == ["other", "secret"]
    assert config(server) == {"mode": "libsql", "url": ELSEWHERE, "profile": "else"}
    assert profiles(server)["current"] == "default"


def test_a_profile_that_the_environment_names_is_not_written_into_the_directory(server: Program) -> None:
    """It counts for the call."""
    done(server, "init", "--url", NOWHERE)
    before = config(server)
    server.environ["TD_PROFILE"] = "work"

    log_in(server, "secret")

    assert config(server) == before
    assert kept(server) == ["secret"]
    assert done(server, "whoami", "--json").document()["token"] == "vault"
    assert done(server, "auth", "status", "--json").document()["profile"] == "work"


def test_the_profile_that_is_asked_for_comes_before_the_directory(server: Program, guarded: Server) -> None:
    """The option or the environment says which token is meant, for this call."""
    log_in(server, token(), "--url", guarded.url, "--profile", "work")
    done(server, "init", "--token-stdin", stdin=f"{token(now=1_700_000_000)}\n")
    assert call(server, "sync", "--json").error()["code"] == "not_allowed"

    done(server, "--profile", "work", "sync")
    done(server, "sync", "--profile", "work")
    server.environ["TD_PROFILE"] = "work"

    done(server, "sync")


@pytest.mark.parametrize(
    ("args", "stdin", "code"),
    [
        (["--token-stdin"], "", "invalid_input"),
        (["--token-stdin"], "two words\n", "invalid_input"),
        (["--token-stdin"], "ünicode\n", "invalid_input"),
        (["--token-stdin", "--workos"], "secret\n", "usage"),
        (["--workos"], "", "invalid_input"),
        ([], "", "usage"),
        (["--token-stdin", "--url", "http://db.example"], "secret\n", "not_allowed"),
        (["--token-stdin", "--url", "ftp://db.example"], "secret\n", "invalid_input"),
        (["--token-stdin", "--profile", "a/b"], "secret\n", "invalid_input"),
    ],
)
def test_a_login_that_is_none_changes_nothing(server: Program, args: list[str], stdin: str, code: str) -> None:
    """Nothing is kept, and no profile made."""
    url = [] if "--url" in args else ["--url", NOWHERE]

    answer = call(server, "login", *args, *url, "--json", stdin=stdin)

    assert (answer.out, answer.error()["code"]) == ("", code)
    assert kept(server) == []
    assert not (server.home / ".config").exists()


@pytest.mark.parametrize(
    "args",
    [
        ["login", token()],
        ["login", "--token-stdin", "opaque-s3cret"],
        ["turso", "login", "opaque-s3cret"],
        ["login", "--url", "td_live_0123456789abcdefghij"],
        ["config", "set", "mode", "td_live_0123456789abcdefghij"],
        ["show", token()],
    ],
)
def test_a_secret_that_is_typed_as_an_argument_is_not_repeated(server: Program, args: list[str]) -> None:
    """The line may be read by others, as in the log of a CI."""
    done(server, "init")

    for form in ([], ["--json"]):
        answer = call(server, *args, *form)

        assert answer.code in (1, 2)
        assert args[-1][:30] not in answer.out + answer.err


def test_a_login_needs_to_know_the_primary(server: Program) -> None:
    """By option, directory or profile."""
    answer = call(server, "login", "--token-stdin", "--json", stdin="secret\n")

    assert (answer.code, answer.error()["hint"]) == (2, "name it: td login --url URL")


def test_a_token_that_has_ended_is_not_kept(server: Program) -> None:
    """It says so itself."""
    ended = token(now=1_700_000_000)

    answer = call(server, "login", "--token-stdin", "--url", NOWHERE, "--json", stdin=f"{ended}\n")

    assert (answer.code, answer.error()["message"]) == (2, "this token ended at 2023-11-14T23:13:20.000000Z")
    assert kept(server) == []


def test_a_vault_that_cannot_be_opened_leaves_all_as_it_was(server: Program) -> None:
    """With the wrong key, a login and a logout do nothing, and status says why it knows nothing."""
    log_in(server, "secret", "--url", NOWHERE)
    server.environ["TD_VAULT_KEY"] = VaultKey(bytes(32)).text
    before = profiles(server)

    answers = [
        call(server, "login", "--token-stdin", "--json", stdin="other\n"),
        call(server, "logout", "--json"),
    ]
    status = done(server, "auth", "status", "--json").document()

    assert [one.error()["code"] for one in answers] == ["vault_key_wrong"] * 2
    assert (profiles(server), kept(server)) == (before, ["secret"])
    assert (status["kept_in"], "key" in status["problem"]) == ("vault", True)


def test_status_tells_how_it_stands_and_never_the_secret(server: Program) -> None:
    """Where it is kept, whose it is, and until when; with a profile, with the environment, and with nothing."""
    nothing = done(server, "auth", "status", "--json").document()
    secret = token()
    log_in(server, secret, "--url", NOWHERE)

    found = done(server, "auth", "status", "--json").document()
    text = done(server, "auth", "status").out
    server.environ["TD_DATABASE_TOKEN"] = "td_live_0123456789abcdefghij"  # an API key says nothing of itself
    given = done(server, "auth", "status", "--json").document()

    for document in (nothing, found, given):
        assert problems("auth status", document) == []
    assert (nothing["profile"], nothing["auth"], nothing["kept_in"]) == (None, "none", None)
    assert (found["profile"], found["auth"], found["kept_in"]) == ("default", "token", "vault")
    assert (found["user"], found["organisation"], found["expired"]) == ("ann", "default", False)
    assert found["expires_at"] is not None
    assert (given["kept_in"], given["user"], given["expires_at"]) == ("environment", None, None)
    assert "td_live" not in json.dumps(given)
    assert secret not in text + json.dumps(found)
    assert secret.split(".")[2] not in text


def test_status_says_why_what_is_kept_lets_nobody_in_here(server: Program) -> None:
    """It is for another primary, or its profile is gone: what a sync would say, without one."""
    log_in(server, token(), "--url", NOWHERE)
    done(server, "init")
    server.environ["TD_DATABASE_URL"] = ELSEWHERE

    shown = done(server, "auth", "status", "--json").document()
    origin = done(server, "config", "list", "--origin", "--json").document()["token"]
    checked = call(server, "doctor").out

    assert shown["problem"] in call(server, "sync", "--json").error()["message"]
    assert f"is for {NOWHERE}, and what it has is not shown to {ELSEWHERE}" in shown["problem"]
    assert origin == {"value": None, "origin": "default", "source": None}
    assert f"{ELSEWHERE}, no token" in checked
    del server.environ["TD_DATABASE_URL"]
    assert done(server, "auth", "status", "--json").document()["problem"] is None
    done(server, "config", "profiles", "delete", "default")
    gone = done(server, "auth", "status", "--json").document()["problem"]
    assert gone == "there is no profile default any more"
    server.environ["TD_DATABASE_TOKEN"] = token()
    assert done(server, "auth", "status", "--json").document()["problem"] is None


def test_a_token_with_nonsense_in_it_is_kept_and_told_without(server: Program) -> None:
    """What a token says of itself is anybody's."""
    claims = {"sub": ["x"], "id": 7, "exp": "soon"}
    odd = "e30." + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=") + ".c2ln"

    told = log_in(server, odd, "--url", NOWHERE)

    assert (told["user"], told["organisation"], told["expires_at"]) == (None, None, None)


def test_whoami_tells_as_whom_the_primary_knows_one(server: Program) -> None:
    """User, organisation, machine, session and until when; and what counts of the profile in use."""
    log_in(server, token(), "--url", NOWHERE, "--ca-file", certifi.where())
    done(server, "init")
    (server.directory / ".todos/config.json").write_text(json.dumps({"mode": "libsql", "url": NOWHERE}))

    found = done(server, "whoami", "--json").document()

    assert problems("whoami", found) == []
    assert found["ca_file"] == certifi.where()
    assert (found["user"], found["organisation"], found["token"], found["profile"]) == (
        "ann", "default", "vault", "default",
    )  # fmt: skip
    assert found["expires_at"] > "2026"
    assert found["machine"] in found["session"]


def test_a_person_pastes_a_token_that_is_not_shown(server: Program) -> None:
    """On the terminal, whatever stdin is."""
    code, shown = typed(server, ["login", "--url", NOWHERE], [(f"Token for {NOWHERE}: ", "s3cret")])

    assert code == 0
    assert "s3cret" not in shown
    assert kept(server) == ["s3cret"]


def test_deleting_or_moving_a_profile_forgets_its_secret(server: Program) -> None:
    """A secret is for one primary, and nobody would know of it any more."""
    log_in(server, "one", "--url", NOWHERE)
    log_in(server, "two", "--url", ELSEWHERE, "--profile", "other")
    assert kept(server) == ["one", "two"]

    done(server, "config", "profiles", "create", "other", "--change", "--url", "http://127.0.0.1:3")
    assert kept(server) == ["one"]
    done(server, "config", "profiles", "delete", "default")

    assert kept(server) == []
