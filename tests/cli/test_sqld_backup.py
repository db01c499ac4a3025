"""`td sqld backup` and `td sqld restore`, as the person who hosts a primary and those who use it meet them."""

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sqld import Server
from tests.cli.conftest import shared
from tests.cli.program import TD, Program
from tests.hrana_client import HranaClient


@pytest.fixture
def primary(sqld_binary: Path, tmp_path: Path) -> Iterator[Server]:
    """A running sqld whose data is in a directory of the test."""
    with Server(sqld_binary, data_dir=tmp_path / "place" / "data") as server:
        yield server


def back_up(program: Program, primary: Server) -> dict[str, Any]:  # any JSON document
    """Back the primary up, and return what td said."""
    document: dict[str, Any] = program.done(
        "sqld", "backup", "backups", "--data-dir", str(primary.data_dir), "--json"
    ).document()
    return document


def issues_of(program: Program) -> dict[str, dict[str, Any]]:  # any JSON documents
    """All issues by title."""
    return {issue["title"]: issue for issue in program.done("list", "--all", "--deleted", "--json").document()}


def titles_lost(program: Program) -> list[str]:
    """What td lists as lost by the primary."""
    mutations = program.done("sync", "lost", "--json").document()
    return [change["fields"]["title"]["new"] for mutation in mutations for change in mutation["changes"]]


def issues_on(primary: Server) -> list[list[str | None]]:
    """The ids and titles that the primary itself has."""
    with HranaClient(primary.port) as client:
        return client.run("SELECT id, title FROM issues ORDER BY id")


def test_two_people_with_work_waiting_live_through_a_restore(fresh: Program, primary: Server, tmp_path: Path) -> None:
    """What waits arrives, what the primary lost is listed and can be sent again, and nothing else is lost."""
    laptop, desktop = shared(tmp_path / "laptop", primary.url), shared(tmp_path / "desktop", primary.url)
    for program in (laptop, desktop):
        with program.tracker() as tracker:
            tracker.create(f"before, by {program.directory.name}")
            assert tracker.replica.sync().error is None
    with laptop.tracker() as tracker:
        tracker.create("waits on laptop during the backup")
    made = back_up(fresh, primary)
    with laptop.tracker() as tracker:
        assert tracker.replica.sync().error is None
    with desktop.tracker() as tracker:
        tracker.create("after the backup, by desktop")
        assert tracker.replica.sync().error is None
    primary.stop()
    for program in (laptop, desktop):
        with program.tracker() as tracker:
            tracker.create(f"waits on {program.directory.name}")

    fresh.done("sqld", "restore", made["folder"], "--data-dir", str(primary.data_dir), "--replace")
    primary.start()

    told = [program.done("sync").err for program in (laptop, desktop, laptop)]
    assert ["restored from an older copy" in err for err in told] == [True, True, False]
    left = issues_of(laptop)
    assert left == issues_of(desktop)
    assert set(left) == {"before, by laptop", "before, by desktop", "waits on laptop", "waits on desktop"}
    lost = {title for program in (laptop, desktop) for title in titles_lost(program)}
    assert lost == {"waits on laptop during the backup", "after the backup, by desktop"}
    for program in (laptop, desktop, laptop):
        program.done("sync", "--resend-lost")
    everything = issues_of(laptop)
    assert everything == issues_of(desktop)
    assert set(everything) == set(left) | lost
    assert issues_on(primary) == sorted([issue["id"], title] for title, issue in everything.items())
    assert titles_lost(laptop) == titles_lost(desktop) == []


def test_what_was_backed_up_and_restored_is_told(fresh: Program, primary: Server, tmp_path: Path) -> None:
    """To a person in a few lines, with what to expect next."""
    shared(tmp_path / "laptop", primary.url)
    data_dir = str(primary.data_dir)
    told = fresh.done("sqld", "backup", "backups", "--data-dir", data_dir).out.splitlines()
    folder = told[0].removeprefix("BACKED UP to ")
    primary.stop()

    answer = fresh.done("sqld", "restore", folder, "--data-dir", data_dir, "--replace")

    assert folder.startswith("backups")
    assert told[1].split()[0] == "default"
    restored, namespace, kept = answer.out.splitlines()
    assert restored.startswith(f"RESTORED {data_dir} as it was at 20")
    assert namespace == told[1]
    assert kept.startswith(f"what was there is kept in {data_dir}.replaced-20")
    assert answer.err.startswith("start it as before")


def test_programs_get_one_document(fresh: Program, primary: Server, tmp_path: Path) -> None:
    """That of the manifest, and where things are."""
    shared(tmp_path / "laptop", primary.url)
    made = back_up(fresh, primary)
    primary.stop()

    answer = fresh.done("sqld", "restore", made["folder"], "--data-dir", str(primary.data_dir), "--replace", "--json")

    manifest = json.loads((fresh.directory / made["folder"] / "manifest.json").read_text())
    restored = answer.document()
    assert {name: made[name] for name in manifest} == {name: restored[name] for name in manifest} == manifest
    assert restored["data_dir"] == str(primary.data_dir)
    assert Path(restored["set_aside"]).is_dir()
    assert answer.err == ""
    assert manifest["namespaces"][0]["primary_id"]


def test_what_is_refused_is_told_in_one_line(fresh: Program, primary: Server, tmp_path: Path) -> None:
    """With what is safe, and what to type."""
    made = back_up(fresh, primary)
    data_dir = str(primary.data_dir)

    running = fresh("sqld", "restore", made["folder"], "--data-dir", data_dir, "--replace", "--json")
    primary.stop()
    occupied = fresh("sqld", "restore", made["folder"], "--data-dir", data_dir)
    no_backup = fresh("sqld", "restore", "backups", "--data-dir", "new", "--json")
    no_data = fresh("sqld", "backup", "backups", "--data-dir", "none", "--json")

    assert (running.code, running.out, running.error()["code"]) == (1, "", "sqld_data_in_use")
    assert (occupied.code, len(occupied.err.splitlines())) == (1, 1)
    assert "nothing was changed" in occupied.err
    assert "--replace" in occupied.err
    assert no_backup.error()["code"] == "sqld_no_backup"
    assert no_data.error()["code"] == "sqld_no_data"


def test_long_work_shows_how_far_it_is_on_a_terminal_only(fresh: Program, primary: Server, tmp_path: Path) -> None:
    """And leaves no trace of it there."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    try:
        done = subprocess.run(
            [TD, "sqld", "backup", "backups", "--data-dir", primary.data_dir],
            cwd=fresh.directory,
            env=fresh.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=slave,
            check=True,
        )
        shown = os.read(master, 100_000).decode()
    finally:
        os.close(master)
        os.close(slave)

    assert "copying default ... 100 %" in shown
    assert "trying default ... 100 %" in shown
    assert shown.endswith("\r\x1b[K")
    assert done.stdout.startswith(b"BACKED UP")


def test_ctrl_c_leaves_nothing_behind(fresh: Program, primary: Server, tmp_path: Path) -> None:
    """Neither a half backup, nor an sqld."""
    slow = tmp_path / "slow"
    started = tmp_path / "started"
    os.mkfifo(started)
    # The trial's sqld says that it was started, and never answers.
    slow.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "sqld sqld 0" && exit\necho > {started}\nexec sleep 60\n')
    slow.chmod(0o755)
    fresh.environ["TD_SQLD"] = str(slow)
    process = fresh.start("sqld", "backup", "backups", "--data-dir", str(primary.data_dir))
    started.read_text()

    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert err.decode() == "td: interrupted; nothing was changed, and what was begun is removed\n"
    assert list((fresh.directory / "backups").iterdir()) == []
