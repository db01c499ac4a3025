"""`td sqld init`, `tenant`, `token` and `key`: a primary that keeps teams apart."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from auth.vault_key import VaultKey
from cli.commands.sqld import _run_with_tenants
from cli.errors import ForeignError
from cli.invocation import Invocation
from cli.serving import serving
from sqld import Server, free_port
from tests.cli.in_process import call, done
from tests.cli.program import Program
from tests.cli.test_json import WITH_TENANTS, command_of, problems
from tests.sqld.tenant_server import ask

KEY = VaultKey.generate().text


@pytest.fixture
def admin(tmp_path: Path) -> Program:
    """A td of whoever runs a server: it is set up, and does not run."""
    program = Program(tmp_path / "admin", {"TD_VAULT_KEY": KEY, "TD_SQLD_STATE": str(tmp_path / "state")})
    done(program, "sqld", "init", "--port", str(free_port()), "--admin-port", str(free_port()))
    return program


@contextmanager
def running(program: Program, *args: str) -> Iterator[dict[str, Any]]:
    """`td sqld run` while the block runs, and what it says when it answers."""
    process = program.start("sqld", "run", *args, "--json")
    try:
        yield first_document(process)
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")
    assert json.loads(err)["error"]["code"] == "interrupted"


def first_document(process: "subprocess.Popen[bytes]") -> Any:  # any JSON document
    """The first one that it prints."""
    assert process.stdout is not None
    text = b""
    while not text.endswith(b"}\n"):
        line = process.stdout.readline()
        assert line, process.communicate()
        text += line
    return json.loads(text)


@pytest.fixture
def primary(admin: Program) -> Iterator[dict[str, Any]]:
    """The server of `admin`, with a tenant `acme`; what td said of it."""
    with running(admin) as told:
        done(admin, "sqld", "tenant", "create", "acme")
        yield told


def token_of(admin: Program, *args: str) -> Any:  # a JSON document
    """A token that was minted for ann, as JSON."""
    words = ["sqld", "token", "mint", "--tenant", "acme", "--role", "rw", "--for", "ann", *args, "--json"]
    return done(admin, *words).document()


WALK = """
sqld init
sqld tenant create globex --organisation org_1
sqld tenant list --deleted
sqld tenant show acme
sqld tenant rotate-key acme
sqld tenant rotate-key acme --overlap 0m
sqld tenant suspend acme
sqld tenant show acme
sqld tenant resume acme
sqld token mint --tenant acme --role rw --ttl 12h --for ann
sqld token list
sqld token list --tenant acme --all
sqld token revoke tok
sqld key create --tenant acme --role ro --for ci
sqld key list --tenant acme
sqld key revoke key
sqld tenant delete globex --yes
"""


def test_every_command_prints_one_document_that_is_valid_under_its_schema(
    admin: Program, primary: dict[str, Any]
) -> None:
    """As all commands of td do."""
    found, walked = problems("sqld run", primary), set()
    for line in WALK.strip().splitlines():
        words = line.split(" ")
        answer = call(admin, *words, "--json")
        assert (answer.code, answer.err) == (0, ""), (line, answer)
        found += problems(command_of(words), answer.document())
        walked.add(command_of(words))

    assert found == []
    assert walked == WITH_TENANTS


def test_a_person_is_told_what_was_done_in_a_few_words(admin: Program, primary: dict[str, Any]) -> None:
    """The result on stdout, what to do next on stderr."""
    told = {line: done(admin, *line.split(" ")) for line in WALK.strip().splitlines() if "revoke" not in line}

    assert told["sqld tenant create globex --organisation org_1"].out == "CREATED globex\n"
    assert "token mint --tenant globex" in told["sqld tenant create globex --organisation org_1"].err
    assert told["sqld tenant list --deleted"].out == "acme    active\nglobex  active  org_1\n"
    shown = [line.split() for line in told["sqld tenant show acme"].out.splitlines()]
    assert shown[:2] == [["acme"], ["state", "suspended"]]
    assert "hold until" in told["sqld tenant rotate-key acme"].err
    assert "refused now" in told["sqld tenant rotate-key acme --overlap 0m"].err
    minted = told["sqld token mint --tenant acme --role rw --ttl 12h --for ann"]
    assert minted.out.count(".") == 2
    assert minted.out.count("\n") == 1
    assert minted.out.strip() not in minted.err
    assert "take it back: td sqld token revoke tok-" in minted.err


def test_setting_up_says_how_to_go_on_and_no_secret(admin: Program, tmp_path: Path) -> None:
    """It may be called again: what is there stays."""
    answer = done(admin, "sqld", "init", "--public-url", "https://db.example")

    state = tmp_path / "state"
    assert answer.out.splitlines()[0] == f"SET UP {state}"
    assert "https://db.example" in answer.out
    assert f"td sqld run --state {state}" in answer.err
    assert done(admin, "sqld", "init", "--json").document()["public_url"] == "https://db.example"


def test_without_a_key_nothing_is_set_up(tmp_path: Path) -> None:
    """And it is said how to make one."""
    program = Program(tmp_path / "admin")

    answer = call(program, "sqld", "init", "--state", str(tmp_path / "state"), "--json")

    assert (answer.code, answer.out, answer.error()["code"]) == (1, "", "vault_key")
    assert "td auth new-vault-key" in answer.error()["hint"]
    assert not (tmp_path / "state" / "server.json").exists()


def test_a_team_works_with_its_token_and_sees_nothing_of_another(admin: Program, primary: dict[str, Any]) -> None:
    """What td handed out is what sqld takes."""
    done(admin, "sqld", "tenant", "create", "globex")
    token = token_of(admin)["token"]
    port = int(primary["url"].rpartition(":")[2])

    assert ask(port, "acme", token) == "ok"
    assert ask(port, "globex", token) == "401"
    assert ask(port, "default", token) == "401"


def test_what_is_revoked_or_over_is_listed_only_when_it_is_asked_for(admin: Program, primary: dict[str, Any]) -> None:
    """With what became of it; a token of a key that is gone is closed."""
    closed = token_of(admin)["id"]
    done(admin, "sqld", "tenant", "rotate-key", "acme", "--overlap", "0m")
    revoked, holding = token_of(admin)["id"], token_of(admin, "--ttl", "1m")["id"]
    done(admin, "sqld", "token", "revoke", revoked[4:10])

    shown = done(admin, "sqld", "token", "list", "--json").document()
    everything = done(admin, "sqld", "token", "list", "--all", "--json").document()

    assert [token["id"] for token in shown] == [holding]
    assert {token["id"]: token["state"] for token in everything} == {
        closed: "closed",
        revoked: "revoked",
        holding: "holds",
    }


def test_no_list_shows_what_opens_anything(admin: Program, primary: dict[str, Any]) -> None:
    """It is printed once, when it is made."""
    token = token_of(admin)["token"]
    made = done(admin, "sqld", "key", "create", "--tenant", "acme", "--role", "ro", "--for", "ci")

    told = "".join(
        done(admin, "sqld", *words, *flags).out
        for words in (["token", "list"], ["key", "list"], ["tenant", "show", "acme"])
        for flags in ([], ["--json"])
    )

    assert "tok-" in told
    assert "key-" in told
    assert token.rpartition(".")[2] not in told
    assert made.out.strip() not in told
    assert made.out.startswith("td_live_")


def test_deleting_needs_to_be_said_twice(admin: Program, primary: dict[str, Any]) -> None:
    """Nothing brings the database back."""
    asked = call(admin, "sqld", "tenant", "delete", "acme", "--json")
    still = done(admin, "sqld", "tenant", "show", "acme", "--json").document()

    done(admin, "sqld", "tenant", "delete", "acme", "--yes")

    assert (asked.code, asked.error()["code"]) == (2, "usage")
    assert "td sqld backup" in asked.error()["hint"]
    assert still["database"] is not None
    assert done(admin, "sqld", "tenant", "list", "--json").document() == []


def test_without_sqld_what_can_be_told_is_told(admin: Program) -> None:
    """And what cannot be done says how to go on; the same again then finishes it."""
    with running(admin):
        done(admin, "sqld", "tenant", "create", "acme")
    shown = done(admin, "sqld", "tenant", "show", "acme", "--json").document()
    refused = call(admin, "sqld", "tenant", "suspend", "acme", "--json")

    with running(admin):
        done(admin, "sqld", "tenant", "suspend", "acme")

    assert shown["database"] is None
    assert (refused.code, refused.error()["code"]) == (4, "sqld_unreachable")
    assert "td sqld run --state" in refused.error()["hint"]


def test_a_start_finishes_what_was_left(admin: Program) -> None:
    """A tenant that was suspended while sqld did not run is closed when it does."""
    with running(admin):
        done(admin, "sqld", "tenant", "create", "acme")
    call(admin, "sqld", "tenant", "suspend", "acme")

    with running(admin):
        shown = done(admin, "sqld", "tenant", "show", "acme", "--json").document()

    assert (shown["state"], shown["database"]["is_open"]) == ("suspended", False)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("tenant create Acme", "sqld_tenant_name"),
        ("tenant show acme", "sqld_no_tenant"),
        ("tenant delete acme", "sqld_no_tenant"),
        ("tenant rotate-key acme --overlap soon", "invalid_input"),
        ("tenant rotate-key acme --overlap 9999w", "invalid_input"),
        ("token mint --tenant acme --role rw --for ann", "sqld_no_tenant"),
        ("token mint --tenant acme --role admin --for ann", "usage"),
        ("token mint --tenant acme --role rw --for ann --ttl 30", "invalid_input"),
        ("token mint --tenant acme --role rw", "usage"),
        ("token list --tenant acme", "sqld_no_tenant"),
        ("token revoke nobody", "sqld_no_token"),
        ("key revoke nobody", "sqld_no_api_key"),
        ("run --data-dir here --state there", "usage"),
        ("run --state nowhere", "sqld_no_state"),
        ("tenant list --state nowhere", "sqld_no_state"),
        ("init --port 0", "usage"),
        ("init --public-url nowhere", "invalid_input"),
        ("tenant create acme --organisation \x1b", "invalid_input"),
        (f"tenant list --state {'x' * 300}", "sqld_no_state"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(admin: Program, words: str, code: str) -> None:
    """With what to type next; and nothing is made."""
    answer = call(admin, "sqld", *words.split(" "), "--json")

    assert (answer.out, answer.error()["code"]) == ("", code)
    assert answer.code != 0
    assert answer.error()["hint"]
    assert not (admin.directory / "nowhere").exists()


def test_the_key_of_the_vault_is_with_nobody_who_does_not_need_it(admin: Program, primary: dict[str, Any]) -> None:
    """Not with sqld, and no secret is in the arguments of a process."""
    token = token_of(admin)["token"]

    listed = subprocess.run(["ps", "-eo", "args="], capture_output=True, text=True, check=True).stdout

    assert KEY.encode() not in Path(f"/proc/{primary['pid']}/environ").read_bytes()
    assert KEY not in listed
    assert token not in listed


def test_what_was_lost_with_the_vault_can_be_made_anew(admin: Program, tmp_path: Path) -> None:
    """The databases are still there, and so are tokens for as long as the old keys hold."""
    with running(admin) as told:
        done(admin, "sqld", "tenant", "create", "acme")
        before = token_of(admin)["token"]
    (tmp_path / "state" / "secrets").unlink()
    refused = call(admin, "sqld", "run", "--json")

    done(admin, "sqld", "init")
    with running(admin) as told:
        lost = call(admin, *["sqld", "token", "mint", "--tenant", "acme", "--role", "rw", "--for", "ann", "--json"])
        done(admin, "sqld", "tenant", "rotate-key", "acme")
        port = int(told["url"].rpartition(":")[2])
        answers = [ask(port, "acme", token) for token in (before, token_of(admin)["token"])]

    assert (refused.error()["code"], lost.error()["code"]) == ("sqld_key_missing", "sqld_key_lost")
    assert answers == ["ok", "ok"]


def test_a_server_that_runs_closes_keys_whose_time_is_over(
    admin: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks for them every minute."""
    with running(admin):
        done(admin, "sqld", "tenant", "create", "acme")
        done(admin, "sqld", "tenant", "rotate-key", "acme")
    monkeypatch.setenv("TD_VAULT_KEY", KEY)
    waits: list[float | None] = []

    def wait(_: Server, timeout_s: float | None = None) -> int | None:
        waits.append(timeout_s)
        here.registry._storage.write("UPDATE keys SET not_after = 1 WHERE state = 'previous'")
        return None if len(waits) == 1 else 7

    monkeypatch.setattr(Server, "wait", wait)
    with serving(tmp_path / "state") as here:
        with pytest.raises(ForeignError, match="exit code 7"):
            _run_with_tenants(Invocation(as_json=True), here, None)
        states = [key.state for key in here.registry.keys.of("acme")]

    assert waits == [60, 60]
    assert states == ["current", "retired"]


def test_where_a_server_was_set_up_it_is_what_runs_and_is_backed_up(tmp_path: Path) -> None:
    """Without naming it; what an sqld without tenants kept in the same place is named, and still served on demand."""
    program = Program(tmp_path / "admin", {"TD_VAULT_KEY": KEY, "XDG_DATA_HOME": str(tmp_path / "share")})
    before = tmp_path / "share" / "replica-toolkit" / "sqld"
    with running(program, "--port", "0") as without:
        pass
    done(program, "sqld", "init", "--port", str(free_port()), "--admin-port", str(free_port()))

    process = program.start("sqld", "run")
    assert process.stdout is not None
    process.stdout.readline()
    done(program, "sqld", "tenant", "create", "acme")
    backed_up = done(program, "sqld", "backup", str(tmp_path / "backups"), "--json").document()
    process.send_signal(signal.SIGINT)
    err = process.communicate(timeout=30)[1].decode()

    assert (without["data_dir"], without["state"]) == (str(before), None)
    assert f"what sqld kept before in {before} is not served" in err
    assert "acme" in [namespace["name"] for namespace in backed_up["namespaces"]]
    with running(program, "--port", "0", "--data-dir", str(before)) as again:
        assert again["state"] is None
