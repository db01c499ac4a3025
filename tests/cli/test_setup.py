"""`td init` and `td config`: how a directory is set up."""

import json
from pathlib import Path

import pytest

from sqld import Server
from tests.cli.program import Program

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


@pytest.mark.parametrize("mode", ["libsql", "remote"])
def test_init_without_the_primary_is_done_and_says_so(fresh: Program, mode: str) -> None:
    """Exit code 0: there will be a network later."""
    answer = fresh.done("init", "--mode", mode, "--url", NOWHERE)

    assert answer.out == f"INITIALISED {fresh.directory / '.todos'} (mode {mode})\n"
    assert answer.err.startswith("td: the first sync did not work: ")
    assert len(answer.err.splitlines()) == 1
    assert config_of(fresh) == {"mode": mode, "url": NOWHERE}


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
    assert fresh.done("config", "list").out == "mode = libsql\nurl = http://127.0.0.1:2\n"
    assert fresh.done("config", "unset", "mode", "--json").document()["value"] == "local"
    assert fresh.done("config", "unset", "url").out == "url is not set\n"
    assert fresh.done("config", "list", "--json").document() == {"mode": "local", "url": None}


def test_a_setting_does_not_hide_issues(td: Program) -> None:
    """What is kept in one mode is not seen in the other."""
    td.done("config", "set", "url", NOWHERE)
    td.create("Oat milk")

    answer = td("config", "set", "mode", "libsql", "--json")

    assert (answer.code, answer.out) == (2, "")
    assert "would not be seen" in answer.error()["message"]
    assert config_of(td)["mode"] == "local"


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
    files = [path for path in (fresh.directory / ".todos").iterdir() if path.is_file()]
    assert "s3cret" not in answer.out + answer.err
    assert not [path.name for path in files if b"s3cret" in path.read_bytes()]


def test_a_half_made_directory_is_initialised_anew(td: Program) -> None:
    """The config is written last, so what has none was never whole."""
    (td.directory / ".todos" / "config.json").unlink()

    td.done("init")

    assert td.done("list", "--json").document() == []
