"""No secret is anywhere but where it belongs: encrypted in a vault, and in what td was asked to print.

Secrets that can be told from every other text are given to td, and made by it; then all that came out is searched.
"""

import base64
import sqlite3
from pathlib import Path

import pytest

from auth.api_keys import new_api_key
from auth.tokens import SigningKey
from tests.secrets.evidence import Evidence
from tests.secrets.left_behind import left_behind
from tests.secrets.search import leaks, leaks_of_files
from tests.secrets.working import gather


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """All that came out."""
    return gather(tmp_path_factory.mktemp("planted"))


def test_nothing_that_td_prints_holds_a_secret(evidence: Evidence) -> None:
    """Neither as lines nor as JSON, neither as a result nor as an error, nor in the traceback of a defect of ours."""
    found = {call: leaks(text, evidence.secrets) for call, text in evidence.printed.items()}

    assert {call: names for call, names in found.items() if names} == {}
    assert len(found) > 50


def test_no_file_holds_a_secret(evidence: Evidence) -> None:
    """Databases, logs, settings, backups, and what processes that were killed left lying: all that was written."""
    assert leaks_of_files(evidence.root, evidence.secrets) == {}


def test_no_command_line_holds_a_secret(evidence: Evidence) -> None:
    """Anybody on the machine may read the list of processes; only what a person puts there themselves is there."""
    found = [leaks(line, evidence.secrets) - {"misplaced secret"} for line in evidence.command_lines]

    assert [names for names in found if names] == []
    assert any(b"--admin-listen-addr" in line for line in evidence.command_lines)


def test_no_program_that_td_starts_gets_a_secret(evidence: Evidence) -> None:
    """Neither by its environment nor as an argument; sqld alone gets the key that it is to ask for."""
    assert evidence.spies.started() == {"git", "cat", "sqld"}
    for path in evidence.spies.heard.iterdir():
        text = path.read_bytes()
        own = {"admin-key"} if b"LIBSQL_ADMIN_AUTH_KEY=" in text else set()

        assert leaks(text, evidence.secrets) == own, path.name


def test_the_search_finds_a_secret_in_every_form(tmp_path: Path) -> None:
    """Or the other tests would say nothing."""
    secret = "planted-" + "0123456789abcdef" * 3
    with sqlite3.connect(tmp_path / "pages.db") as connection:
        connection.execute("PRAGMA page_size = 512")
        connection.execute("CREATE TABLE t (text TEXT)")
        connection.execute("INSERT INTO t VALUES (?)", ("x" * 540 + secret + "y" * 900,))
    connection.close()
    forms = {
        "plain": secret.encode(),
        "inside": f'{{"authorization": "Bearer {secret}"}}'.encode(),
        "hex": secret.encode().hex().encode(),
        "wide": secret.encode("utf-16-le"),
        "pages": (tmp_path / "pages.db").read_bytes(),
        **{f"base64 {offset}": base64.b64encode(b"z" * offset + secret.encode()) for offset in range(3)},
    }

    assert secret.encode() not in forms["pages"]
    assert {form: leaks(data, {"it": secret}) for form, data in forms.items()} == {form: {"it"} for form in forms}
    assert leaks(b"nothing of the kind", {"it": secret}) == set()
    assert leaks(b"eyJhbGciOiJFZERTQSJ9.eyJpZCI6ImFjbWUifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg", {}) == {"a signed token"}


@pytest.mark.parametrize(
    "text",
    [
        "Bearer eyJhbGciOiJFZERTQSJ9.eyJpZCI6ImFjbWUifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg",
        new_api_key(),
        SigningKey.generate().private_pem,
        "a s3cret",
    ],
    ids=["token", "API key", "private key", "planted"],
)
def test_what_the_suite_leaves_behind_is_searched(tmp_path: Path, text: str) -> None:
    """When all is done, for what looks like a secret; that no file does is seen to in `tests/conftest.py`."""
    folder = tmp_path / "a test"
    folder.mkdir()
    (folder / "log").write_text(f"before\n{text}\nafter")
    (folder / "fine").write_text("nothing of the kind")

    found = left_behind(tmp_path)
    (folder / "log").unlink()

    assert found == ["a test/log"]
