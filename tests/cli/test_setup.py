"""`td init` and `td config`: how a directory is set up."""

import json
import signal
import sys
from pathlib import Path

import pytest

from sqld import Server
from tests.cli.program import Program
from tests.faults import FaultProxy

UNPRIVILEGED = Path(__file__).with_name("unprivileged.py")
SMALL_FILES = Path(__file__).with_name("small_files.py")
NOWHERE = "http://127.0.0.1:1"


def config_of(program: Program) -> dict[str, str]:
    """What is written."""
    read: dict[str, str] = json.loads((program.directory / ".todos" / "config.json").read_text())
    return read


def test_init_fetches_what_the_primary_has(laptop: Program, fresh: Program, primary_server: Server) -> None:
    """So the first list is not empty."""
    laptop.create("Oat milk")
    laptop.done("sync")

    document = fresh.done("init", "--mode", "libsql", "--url", primary_server.url, "--json").document()

    assert (document["action"], document["mode"], document["error"]) == ("initialised", "libsql", None)
    assert document["directory"] == str(fresh.directory / ".todos")
    assert document["sync"]["pulled"] == 1
    assert [issue["title"] for issue in fresh.done("list", "--json").document()] == ["Oat milk"]


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("libsql", "td: the first sync did not work: "),
        ("remote", "td: the primary cannot be used yet, and nothing is kept here: "),
    ],
)
def test_init_without_the_primary_is_done_and_says_so(fresh: Program, mode: str, told: str) -> None:
    """Exit code 0: there will be a network later. Only where there is a copy here can one write till then."""
    answer = fresh.done("init", "--mode", mode, "--url", NOWHERE)

    assert answer.out == f"INITIALISED {fresh.directory / '.todos'} (mode {mode})\n"
    assert answer.err.startswith(told)
    assert ("write as you like" in answer.err) == (mode == "libsql")
    assert len(answer.err.splitlines()) == 1
    assert config_of(fresh) == {"mode": mode, "url": NOWHERE}


def test_ctrl_c_in_the_first_sync_leaves_a_whole_directory_and_says_so(
    fresh: Program, laptop: Program, network: FaultProxy
) -> None:
    """Exit code 130; the next sync fetches what there is."""
    laptop.create("Oat milk")
    laptop.done("sync")
    network.freeze()
    process = fresh.start("init", "--url", network.url)
    network.wait_for(lambda counts: counts.connections > 0)

    process.send_signal(signal.SIGINT)

    out, err = process.communicate(timeout=20)
    told = f"td: interrupted; {fresh.directory / '.todos'} is initialised; td sync fetches what the primary has\n"
    assert (process.returncode, out, err.decode()) == (130, b"", told)
    network.heal()
    assert fresh.done("sync", "--json").document()["pulled"] == 1


def test_an_init_that_fails_leaves_nothing_behind(fresh: Program) -> None:
    """Also not the directories that it made on the way."""
    process = fresh.start("init", "-w", "new/project", prefix=[sys.executable, SMALL_FILES, "4096"])
    out, err = process.communicate(timeout=20)

    assert (process.returncode, out, len(err.splitlines())) == (1, b"", 1), err
    assert [path.name for path in fresh.directory.iterdir()] == ["home"]


def test_an_init_that_fails_takes_nothing_away(td: Program) -> None:
    """What was there before is not its own."""
    issue_id = td.create("Oat milk")
    (td.directory / ".todos" / "config.json").unlink()

    process = td.start("init", prefix=[sys.executable, SMALL_FILES, "1"])
    process.communicate(timeout=20)

    assert process.returncode == 1
    td.done("init")
    assert [issue["id"] for issue in td.done("list", "--json").document()] == [issue_id]


@pytest.mark.parametrize("args", [["init"], ["init", "--mode", "remote", "--url", NOWHERE], ["list"], ["sync"]])
def test_a_lost_config_does_not_put_what_waits_out_of_sight(fresh: Program, args: list[str]) -> None:
    """The primary's URL is what is missing, and td says so; with it, everything is there again."""
    fresh.done("init", "--url", NOWHERE)
    issue_id = fresh.create("Oat milk")
    (fresh.directory / ".todos" / "config.json").unlink()
    before = sorted(path.name for path in (fresh.directory / ".todos").iterdir())

    answer = fresh(*args, "--json")

    assert (answer.code, answer.error()["code"]) == (1, "not_initialised")
    assert "local.db" in answer.error()["message"]
    assert "td init --url" in answer.error()["hint"]
    assert sorted(path.name for path in (fresh.directory / ".todos").iterdir()) == before
    fresh.done("init", "--url", NOWHERE)
    assert [issue["id"] for issue in fresh.done("list", "--json").document()] == [issue_id]


def test_a_lost_config_does_not_lead_to_the_project_above(td: Program) -> None:
    """The nearest one is meant, though it is broken; and a URL does not hide what is kept without one."""
    below = Program(td.directory / "below")
    below.done("init")
    (below.directory / ".todos" / "config.json").unlink()

    for args in (["list"], ["init", "--url", NOWHERE]):
        answer = below(*args, "--json")
        assert (answer.code, answer.error()["code"]) == (1, "not_initialised")
        assert answer.error()["hint"] == "write it anew: td init, without a URL"


def test_a_project_below_another_is_told(td: Program) -> None:
    """From there on td uses the new one."""
    below = Program(td.directory / "below")

    answer = below.done("init")

    assert str(td.directory / ".todos") in answer.err
    assert len(answer.err.splitlines()) == 1
    assert below.done("init", "-w", str(td.home), "--json").err == ""


def test_a_directory_that_may_not_be_looked_into_is_told(td: Program) -> None:
    """It is there; it is not as if nothing was."""
    place = td.directory / ".todos"
    place.chmod(0)

    for args in (["list"], ["init"]):
        process = td.start(*args, "--json", prefix=[sys.executable, UNPRIVILEGED])
        out, err = process.communicate(timeout=20)
        error = json.loads(err)["error"]
        assert (process.returncode, out, error["code"]) == (1, b"", "storage")
        assert error["message"] == f"cannot use {place}: Permission denied"
    place.chmod(0o700)


def test_init_without_the_primary_can_be_worked_with(fresh: Program) -> None:
    """At once."""
    document = fresh.done("init", "--url", NOWHERE, "--json").document()
    assert (document["mode"], document["error"]["code"]) == ("libsql", "unreachable")

    assert fresh.done("create", "Oat milk").out.endswith(" (pending)\n")

    assert "Oat milk" in fresh.done("list").out


def test_the_mode_follows_from_the_url(fresh: Program) -> None:
    """Turso Cloud is known by its name. Nothing answers there: the name is reserved."""
    assert fresh.done("init", "--url", NOWHERE).out.endswith("(mode libsql)\n")
    fresh.done("config", "set", "url", "libsql://nobody.turso.io")
    fresh.done("config", "set", "mode", "turso")

    assert config_of(fresh) == {"mode": "turso", "url": "libsql://nobody.turso.io"}


def test_settings_are_read_and_changed(fresh: Program) -> None:
    """By name."""
    fresh.done("init", "--url", NOWHERE)

    assert fresh.done("config", "get", "mode").out == "libsql\n"
    assert fresh.done("config", "get", "url", "--json").document() == {"key": "url", "value": NOWHERE}
    assert fresh.done("config", "set", "url", "http://127.0.0.1:2").out == "url = http://127.0.0.1:2\n"
    assert fresh.done("config", "list").out == "mode = libsql\nurl = http://127.0.0.1:2\nreview.policy = trusted\n"
    assert fresh.done("config", "unset", "mode", "--json").document()["value"] == "local"
    assert fresh.done("config", "unset", "url").out == "url is not set\n"
    settings = {"mode": "local", "url": None, "ca_file": None, "profile": None, "review.policy": "trusted"}
    assert fresh.done("config", "list", "--json").document() == settings


def test_a_setting_does_not_hide_issues(td: Program) -> None:
    """What is kept in one mode is not seen in the other, and mode remote has nothing to move them into."""
    td.create("Oat milk")

    answer = td("config", "set", "url", NOWHERE, "--json")

    assert (answer.code, answer.out) == (4, "")
    assert config_of(td) == {"mode": "local"}
    assert len(td.done("list", "--json").document()) == 1


def test_a_url_and_mode_local_do_not_go_together(td: Program) -> None:
    """As for `td init`: the mode follows from the URL, and goes with it; both are said."""
    assert td.done("config", "set", "url", NOWHERE).out == f"mode = libsql\nurl = {NOWHERE}\n"
    assert config_of(td) == {"mode": "libsql", "url": NOWHERE}

    assert td.done("config", "unset", "mode").out == "mode = local\nurl is not set\n"

    assert config_of(td) == {"mode": "local"}
    answer = td("config", "set", "mode", "libsql", "--json")
    assert "td config set url" in answer.error()["hint"]


def test_a_setting_does_not_send_what_waits_elsewhere(fresh: Program) -> None:
    """It was written for the primary that was set then."""
    fresh.done("init", "--url", NOWHERE)
    fresh.create("Oat milk")

    answer = fresh("config", "set", "url", "http://127.0.0.1:2", "--json")

    assert (answer.code, answer.error()["hint"]) == (2, "run td sync first")
    assert config_of(fresh)["url"] == NOWHERE


def test_a_token_is_refused_where_it_could_not_be_kept_encrypted(fresh: Program) -> None:
    """It says what to do instead, and nothing is written."""
    answer = fresh("init", "--url", NOWHERE, "--token-stdin", "--json", stdin="s3cret\n")

    assert (answer.code, answer.error()["code"]) == (1, "no_keyring")
    assert "TD_DATABASE_TOKEN" in answer.error()["hint"]
    assert not (fresh.directory / ".todos").exists()


def test_a_token_is_kept_in_the_keyring_and_found_again(fresh: Program) -> None:
    """And stands in no file of ours."""
    keyring = {
        "PYTHON_KEYRING_BACKEND": "tests.auth.file_keyring.FileKeyring",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "TEST_KEYRING": str(fresh.home / "keyring.json"),
    }
    program = Program(fresh.directory, keyring)

    answer = program.done("init", "--url", NOWHERE, "--token-stdin", stdin="s3cret\n")

    assert program.done("whoami", "--json").document()["token"] == "keyring"
    assert list(json.loads((fresh.home / "keyring.json").read_text()).values()) == ["s3cret"]
    renewed = program.done("init", "--token-stdin", stdin="n3w\n")
    assert renewed.out == f"KEPT the token for {NOWHERE} in the keyring\n"
    assert list(json.loads((fresh.home / "keyring.json").read_text()).values()) == ["n3w"]
    files = [path for path in (fresh.directory / ".todos").iterdir() if path.is_file()]
    assert "s3cret" not in answer.out + answer.err
    assert not [path.name for path in files if b"s3cret" in path.read_bytes()]


def test_a_half_made_directory_is_initialised_anew(td: Program) -> None:
    """The config is written last, so what has none was never whole."""
    (td.directory / ".todos" / "config.json").unlink()

    td.done("init")

    assert td.done("list", "--json").document() == []


def test_the_policy_of_reviews_is_a_setting_of_the_whole_team(td: Program) -> None:
    """It is kept with the issues, not in the config."""
    assert td.done("config", "get", "review.policy").out == "trusted\n"

    assert td.done("config", "set", "review.policy", "Strict").out == "review.policy = strict\n"

    assert td.done("config", "list", "--json").document()["review.policy"] == "strict"
    assert "strict" not in (td.directory / ".todos" / "config.json").read_text()
    assert td("config", "set", "review.policy", "lenient").code == 2
    assert td.done("config", "unset", "review.policy").out == "review.policy = trusted\n"
