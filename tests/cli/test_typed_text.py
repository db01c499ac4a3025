"""Texts that come from stdin or from a file, wherever a command takes one."""

from pathlib import Path

import pytest

from tests.cli.in_process import InProcess

READERS = (
    ("log", "-"),
    ("comment", "ID", "-"),
    ("handoff", "ID", "-"),
    ("handoff", "ID", "--done", "-"),
    ("create", "Soy milk", "--description", "-"),
    ("create", "Soy milk", "--acceptance-file", "-"),
    ("update", "ID", "--append", "-"),
    ("update", "ID", "--comment", "-"),
)


@pytest.fixture
def issue_id(here: InProcess) -> str:
    """An issue in focus."""
    made: str = here.document("create", "Oat milk")["id"]
    here.done("focus", made)
    return made


@pytest.mark.parametrize("args", READERS)
def test_what_is_on_stdin_is_kept(here: InProcess, issue_id: str, args: tuple[str, ...]) -> None:
    """Whichever field it is for."""
    here.done(*(issue_id if arg == "ID" else arg for arg in args), stdin="bought two\r\n")

    with here.tracker() as tracker:
        found = tracker.replica.query(
            """SELECT description || acceptance FROM issues UNION ALL SELECT text FROM comments
            UNION ALL SELECT message FROM logs UNION ALL SELECT done FROM handoffs"""
        ).rows
    assert any("bought two" in str(text) for (text,) in found)


@pytest.mark.parametrize("args", READERS)
@pytest.mark.parametrize(("stdin", "told"), [(b"\xff", "UTF-8"), (b"a" * 400_001, "too much")])
def test_what_is_no_text_is_refused_in_one_line(
    here: InProcess, issue_id: str, args: tuple[str, ...], stdin: bytes, told: str
) -> None:
    """And no more of it is read than a text may have."""
    answer = here(*(issue_id if arg == "ID" else arg for arg in args), stdin=stdin)

    assert answer.code == 2
    assert answer.out == ""
    assert told in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize("args", READERS)
def test_a_program_without_stdin_gets_an_answer(here: InProcess, issue_id: str, args: tuple[str, ...]) -> None:
    """It reads as if nothing stood there."""
    answer = here(*(issue_id if arg == "ID" else arg for arg in args), stdin=None)

    assert answer.code in (0, 2)
    assert answer.err.count("\n") <= 1


def test_a_file_that_cannot_be_read_is_named(here: InProcess, issue_id: str, tmp_path: Path) -> None:
    """With what to look at."""
    answer = here("handoff", issue_id, "--done", f"@{tmp_path / 'nowhere'}")

    assert (answer.code, answer.out) == (1, "")
    assert f"{tmp_path / 'nowhere'}: No such file" in answer.err
    assert "see that it is there" in answer.err
