"""From one machine to a team, and back: one command each."""

import json
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cli.config import Config, load_config, save_config
from cli.errors import ForeignError
from cli.place import Place
from sqld import Server
from tests.cli.conftest import shared
from tests.cli.program import Program
from tests.cli.test_terminal import on_terminal
from tests.faults import FaultProxy
from tracker import Comment, IssueFilter, Mode


@pytest.fixture
def backlog(td: Program) -> Program:
    """A td in mode local with two issues and a comment."""
    with td.tracker() as tracker:
        issue = tracker.create("Oat milk", labels=frozenset({"shop"}))
        tracker.comment(issue.id, "At the corner.")
        tracker.create("Bread")
    return td


def titles(program: Program) -> list[str]:
    """What is in a directory, in order."""
    with program.tracker() as tracker:
        found = tracker.find(IssueFilter(with_closed=True, with_deleted=True))
    return sorted(issue.title for issue in found)


def mode_of(program: Program) -> Mode:
    """What is written in its config."""
    return load_config(program.directory / ".todos").mode


def kept(program: Program, pattern: str) -> list[Path]:
    """What a move has kept."""
    return list((program.directory / ".todos").glob(pattern))


def test_a_url_moves_everything_to_the_primary(backlog: Program, primary_server: Server, tmp_path: Path) -> None:
    """One command; a teammate has all of it, and the old file is kept."""
    answer = backlog.done("config", "set", "database.url", primary_server.url)

    assert answer.out == (
        "MOVED: 2 issues, and all of theirs; the same in number and content on both sides\n"
        f"mode = libsql\nurl = {primary_server.url}\n"
    )
    (old,) = kept(backlog, "data-moved-*.db")
    assert answer.err == f"what was moved is kept as {old}\n"
    assert titles(backlog) == ["Bread", "Oat milk"]
    desktop = shared(tmp_path / "desktop", primary_server.url)
    assert titles(desktop) == ["Bread", "Oat milk"]
    with desktop.tracker() as tracker:
        assert [comment.text for comment in tracker.replica.select(Comment)] == ["At the corner."]


def test_mode_local_moves_everything_back(laptop: Program, primary_server: Server) -> None:
    """With what was pending; the replica is kept."""
    with laptop.tracker() as tracker:
        tracker.create("Oat milk")

    document = laptop.done("config", "set", "database.mode", "local", "--json").document()

    assert (document["action"], document["key"], document["value"]) == ("configured", "mode", "local")
    moved = document["moved"]
    assert set(moved) == {"tables", "merged", "parked", "kept", "without_primary"}
    by_table = {each["table"]: each for each in moved["tables"]}
    assert set(by_table["issues"]) == {"table", "rows", "sha256", "others"}
    assert (by_table["issues"]["rows"], len(by_table["issues"]["sha256"])) == (1, 64)
    assert moved["without_primary"] is None
    assert [Path(moved["kept"])] == kept(laptop, "replica-moved-*")
    assert (mode_of(laptop), titles(laptop)) == (Mode.LOCAL, ["Oat milk"])
    assert titles(shared(laptop.directory / "other", primary_server.url)) == ["Oat milk"]


def test_back_without_the_primary_says_what_may_be_missing(laptop: Program, primary_server: Server) -> None:
    """All that is here comes along, and that is said."""
    with laptop.tracker() as tracker:
        tracker.create("Oat milk")
    primary_server.stop()

    answer = laptop.done("config", "unset", "mode")

    assert answer.out.startswith("MOVED: 1 issue, and all that belongs to it;")
    assert "the primary was not asked for what others did since the last sync" in answer.err
    assert titles(laptop) == ["Oat milk"]


def test_a_primary_that_is_not_there_changes_nothing(backlog: Program) -> None:
    """Exit code 4, and what is here goes on."""
    answer = backlog("config", "set", "url", "http://127.0.0.1:1", "--json")

    assert (answer.code, answer.out, answer.error()["code"]) == (4, "", "unreachable")
    assert answer.error()["hint"].startswith("nothing was switched")
    assert mode_of(backlog) is Mode.LOCAL
    backlog.create("still here")


def test_ctrl_c_says_what_stands_and_the_same_command_goes_on(backlog: Program, network: FaultProxy) -> None:
    """Exit code 130."""
    network.freeze()
    process = backlog.start("config", "set", "url", network.url)
    network.wait_for(lambda counts: counts.connections > 0)

    process.send_signal(signal.SIGINT)

    out, err = process.communicate(timeout=20)
    told = "td: interrupted; nothing here has changed; type the same again, and it goes on from what has arrived\n"
    assert (process.returncode, out, err.decode()) == (130, b"", told)
    assert mode_of(backlog) is Mode.LOCAL
    network.heal()
    backlog.done("config", "set", "url", network.url)
    assert titles(backlog) == ["Bread", "Oat milk"]


def test_what_a_killed_move_left_is_done_by_the_same_command(backlog: Program, primary_server: Server) -> None:
    """Killed after the file refuses writes and before the config was written; or after that and before the rename."""
    place, url = backlog.directory / ".todos", primary_server.url
    backlog.done("config", "set", "url", url)
    (old,) = kept(backlog, "data-moved-*.db")
    old.rename(place / "data.db")
    save_config(place, Config(Mode.LOCAL))

    answer = backlog("create", "too late", "--json")
    assert (answer.code, answer.error()["code"]) == (1, "moved")
    assert "the td config set that began it goes on" in answer.error()["hint"]
    backlog.done("config", "set", "url", url)
    (old,) = kept(backlog, "data-moved-*.db")
    old.rename(place / "data.db")
    backlog.done("config", "set", "url", url)

    assert len(kept(backlog, "data-moved-*.db")) == 1
    assert not (place / "data.db").exists()
    assert titles(backlog) == ["Bread", "Oat milk"]


def test_a_move_can_be_called_off(backlog: Program, primary_server: Server) -> None:
    """By naming the mode that is set."""
    place = backlog.directory / ".todos"
    backlog.done("config", "set", "url", primary_server.url)
    (old,) = kept(backlog, "data-moved-*.db")
    old.rename(place / "data.db")
    save_config(place, Config(Mode.LOCAL))

    backlog.done("config", "set", "mode", "local")

    backlog.create("written")
    assert titles(backlog) == ["Bread", "Oat milk", "written"]


def test_who_read_the_config_a_moment_too_early_writes_nothing(backlog: Program, primary_server: Server) -> None:
    """A call that began before a move and opens its files after it."""
    directory = backlog.directory / ".todos"
    early = Place(directory, load_config(directory), load_config(directory))
    backlog.done("config", "set", "url", primary_server.url)

    with pytest.raises(ForeignError, match="moved at this moment"):
        early.open()

    assert mode_of(backlog) is Mode.LIBSQL


def test_mode_remote_is_reached_by_way_of_a_replica(backlog: Program, primary_server: Server) -> None:
    """There and back: each step says the next."""
    answer = backlog("init", "--mode", "remote", "--url", primary_server.url, "--migrate-from", "x", "-w", "other")
    assert (answer.code, "mode remote has no replica" in answer.err) == (2, True)
    backlog.done("config", "set", "url", primary_server.url)
    backlog.done("config", "set", "mode", "remote")

    answer = backlog("config", "set", "mode", "local", "--json")

    assert answer.code == 2
    assert "td config set mode libsql" in answer.error()["hint"]
    backlog.done("config", "set", "mode", "libsql")
    backlog.done("config", "set", "mode", "local")
    assert titles(backlog) == ["Bread", "Oat milk"]


@pytest.mark.parametrize("named", ["file", "todos", "project"])
def test_init_brings_along_what_is_elsewhere(
    backlog: Program, primary_server: Server, tmp_path: Path, named: str
) -> None:
    """A file, or the directory of one; it stays as it is."""
    other = Program(tmp_path / "other")
    todos = backlog.directory / ".todos"
    source = {"file": todos / "data.db", "todos": todos, "project": backlog.directory}[named]
    before = (todos / "data.db").read_bytes()

    document = other.done(
        "init", "--mode", "libsql", "--url", primary_server.url, "--migrate-from", str(source), "--json"
    ).document()

    assert (document["action"], document["mode"], document["moved"]["kept"]) == ("initialised", "libsql", None)
    assert {each["table"]: each["rows"] for each in document["moved"]["tables"]}["issues"] == 2
    assert titles(other) == ["Bread", "Oat milk"]
    assert (todos / "data.db").read_bytes() == before


def test_init_brings_along_a_replica_with_what_is_pending(
    laptop: Program, sqld_binary: Path, tmp_path: Path, primary_server: Server
) -> None:
    """To another primary; the one of before is not asked."""
    with laptop.tracker() as tracker:
        tracker.create("settled")
        tracker.replica.sync()
        tracker.create("pending")
    primary_server.stop()
    other = Program(tmp_path / "other")
    with Server(sqld_binary) as elsewhere:
        answer = other.done("init", "--url", elsewhere.url, "--migrate-from", str(laptop.directory))

        assert answer.out.splitlines()[1].startswith("MOVED: 2 issues, ")
        assert titles(other) == ["pending", "settled"]
        with other.tracker() as tracker:
            assert tracker.replica.pending() == []


def test_a_killed_init_is_not_taken_for_a_whole_one(backlog: Program, network: FaultProxy, tmp_path: Path) -> None:
    """What it was to bring is named by no config: a bare `td init` would go on without it in silence."""
    other = Program(tmp_path / "other")
    bring = ("init", "--url", network.url, "--migrate-from", str(backlog.directory))
    network.freeze()
    process = other.start(*bring)
    network.wait_for(lambda counts: counts.connections > 0)
    process.kill()
    process.communicate()
    network.heal()

    for call in (("list",), ("init", "--url", network.url)):
        error = other(*call, "--json").error()
        assert error["code"] == "not_initialised", error
        assert "moving.db" in error["message"], error
        assert "td init --migrate-from goes on" in error["hint"], error
    other.done(*bring)

    assert titles(other) == ["Bread", "Oat milk"]
    assert kept(other, "moving.db*") == []


def test_init_with_a_lost_config_takes_up_what_is_there(backlog: Program, primary_server: Server) -> None:
    """The file in the directory itself: it is put away, as by td config set."""
    place = backlog.directory / ".todos"
    (place / "config.json").unlink()

    backlog.done("init", "--url", primary_server.url, "--migrate-from", str(place / "data.db"))

    assert len(kept(backlog, "data-moved-*.db")) == 1
    assert titles(backlog) == ["Bread", "Oat milk"]


def test_a_file_beside_a_replica_is_not_passed_over(backlog: Program, primary_server: Server) -> None:
    """As a move that was killed leaves them; with the config lost, nothing says that the file is what counts."""
    place, url = backlog.directory / ".todos", primary_server.url
    backlog.done("config", "set", "url", url)
    (old,) = kept(backlog, "data-moved-*.db")
    old.rename(place / "data.db")
    (place / "config.json").unlink()

    error = backlog("init", "--url", url, "--json").error()
    assert (error["code"], "--migrate-from" in error["hint"]) == ("not_initialised", True), error
    backlog.done("init", "--url", url, "--migrate-from", str(place / "data.db"))

    assert titles(backlog) == ["Bread", "Oat milk"]
    assert len(kept(backlog, "data-moved-*.db")) == 1


@pytest.mark.parametrize("source", ["foreign", "missing", "there"])
def test_init_refuses_what_it_cannot_move_and_leaves_nothing(
    fresh: Program, primary_server: Server, source: str, initialised: Path
) -> None:
    """Another program's file is for td import; a project that is set up has td config set."""
    path = fresh.directory / "issues.db"
    if source == "foreign":
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE issues (id TEXT)")
    if source == "there":
        shutil.copytree(initialised, fresh.directory / ".todos")

    answer = fresh("init", "--url", primary_server.url, "--migrate-from", str(path), "--json")

    error = answer.error()
    expected = {"foreign": "damaged", "missing": "invalid_input", "there": "already_initialised"}[source]
    words = {"foreign": "td import", "missing": "name a data.db", "there": "td config set url"}[source]
    assert (error["code"], words in error["hint"]) == (expected, True), error
    assert (fresh.directory / ".todos").exists() is (source == "there")


def test_a_bar_on_a_terminal_leaves_no_trace(backlog: Program, primary_server: Server) -> None:
    """Nor is there one for a program."""
    shown = on_terminal(backlog, "config", "set", "url", primary_server.url)

    assert "━".encode() in shown
    assert shown.rindex(b"\x1b[2K") < shown.index(b"MOVED: 2 issues")


def test_a_token_is_not_set_as_a_setting(td: Program) -> None:
    """Under either name."""
    for key in ("token", "database.token"):
        answer = td("config", "set", key, "s3cret", "--json")
        assert (answer.code, "td login" in answer.error()["hint"]) == (2, True)
        assert "s3cret" not in json.dumps(answer.error())
