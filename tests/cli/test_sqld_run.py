"""`td sqld run`: a primary of your own, in the foreground."""

import json
import signal

from sqld import free_port
from tests.cli.program import Program


def test_a_primary_runs_until_ctrl_c_and_keeps_its_data(fresh: Program) -> None:
    """It says where it answers, at once, so that a program can read it."""
    port = str(free_port())
    data_dir = str(fresh.home / "data")
    process = fresh.start("sqld", "run", "--port", port, "--data-dir", data_dir)
    assert process.stdout is not None
    told = process.stdout.readline().decode() + process.stdout.readline().decode()
    assert f"answers at http://127.0.0.1:{port}" in told
    assert data_dir in told
    fresh.done("init", "--url", f"http://127.0.0.1:{port}")
    fresh.create("Oat milk")
    assert fresh.done("sync", "--json").document()["pushed"] == 1

    process.send_signal(signal.SIGINT)

    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")
    assert "it asks nobody for a token" in err.decode()
    assert err.decode().splitlines()[-1] == (
        "td: interrupted; sqld is stopped, its data are kept; td sqld run starts it again"
    )
    assert fresh("sync").code == 4


def test_a_primary_tells_programs_where_it_is(fresh: Program) -> None:
    """One document, printed when it answers; port 0 is any free one."""
    process = fresh.start("sqld", "run", "--port", "0", "--data-dir", str(fresh.home / "data"), "--json")
    assert process.stdout is not None
    text = ""
    while not text.endswith("}\n"):
        text += process.stdout.readline().decode()

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    document = json.loads(text)
    assert set(document) == {"url", "pid", "version", "data_dir", "log", "state"}
    assert out == b""
    assert json.loads(err)["error"]["code"] == "interrupted"


def test_a_taken_port_is_told(fresh: Program) -> None:
    """With what to do."""
    process = fresh.start("sqld", "run", "--port", "0", "--data-dir", str(fresh.home / "one"), "--json")
    assert process.stdout is not None
    text = ""
    while not text.endswith("}\n"):
        text += process.stdout.readline().decode()
    port = json.loads(text)["url"].rpartition(":")[2]

    answer = fresh("sqld", "run", "--port", port, "--data-dir", str(fresh.home / "two"), "--json")

    assert (answer.code, answer.out, answer.error()["code"]) == (1, "", "sqld_port_taken")
    assert "--port" in answer.error()["hint"]
    assert not (fresh.home / "two").exists()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)


def test_an_sqld_that_does_not_start_is_told_in_one_line(fresh: Program) -> None:
    """With where its log is, and no line of it."""
    data_dir = fresh.home / "data"
    (data_dir / "dbs").mkdir(parents=True)
    (data_dir / "dbs" / "default").write_text("no directory")

    answer = fresh("sqld", "run", "--port", "0", "--data-dir", str(data_dir))

    assert (answer.code, answer.out, len(answer.err.splitlines())) == (1, "", 1)
    assert answer.err.endswith(f"; the end of {data_dir / 'sqld.log'} tells why\n")
