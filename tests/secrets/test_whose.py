"""A secret that is kept for one primary is shown to no other, whoever names that."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from auth.vault_key import VaultKey
from tests.cli.in_process import call, done
from tests.cli.program import Program

HOME = "http://127.0.0.1:1"
SECRET = "kept-for-one-primary"


class Curious(ThreadingHTTPServer):
    """Notes what it is shown, and refuses it."""

    def __init__(self) -> None:
        self.shown: list[str | None] = []
        super().__init__(("127.0.0.1", 0), _Note)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Note(BaseHTTPRequestHandler):
    server: Curious

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer 401."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.shown.append(self.headers["Authorization"])
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def curious() -> Iterator[Curious]:
    """It runs."""
    with Curious() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


@pytest.fixture
def ann(tmp_path: Path) -> Program:
    """A td with a token that is kept for `HOME`."""
    program = Program(tmp_path / "ann", {"TD_VAULT_KEY": VaultKey(bytes(32)).text})
    done(program, "init", "--url", HOME, "--token-stdin", stdin=SECRET)
    return program


def test_a_kept_token_is_not_shown_to_the_primary_that_the_environment_names(ann: Program, curious: Curious) -> None:
    """Who tries another primary for one call brings a token for it, or logs in there."""
    ann.environ["TD_DATABASE_URL"] = curious.url

    refused = call(ann, "sync", "--json")

    assert (refused.code, refused.error()["code"]) == (5, "not_allowed")
    assert set(curious.shown) == {None}
    curious.shown.clear()
    ann.environ["TD_DATABASE_TOKEN"] = "for-this-one"
    call(ann, "sync")
    assert set(curious.shown) == {"Bearer for-this-one"}


def test_the_same_primary_may_be_named_by_the_environment_too(ann: Program, curious: Curious) -> None:
    """Then it is the one that the token is kept for."""
    path = ann.directory / ".todos/config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"url": curious.url}))
    ann.environ["TD_DATABASE_URL"] = curious.url + "/"

    call(ann, "sync")

    assert set(curious.shown) == {f"Bearer {SECRET}"}


@pytest.mark.parametrize("name", ["turso/platform-token", "file/turso/platform-token", "", "f" * 17])
def test_a_directory_from_elsewhere_gets_at_no_other_secret(tmp_path: Path, curious: Curious, name: str) -> None:
    """Its settings could name a secret of another use, and a primary to show it to."""
    keyring = {
        "PYTHON_KEYRING_BACKEND": "tests.auth.file_keyring.FileKeyring",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "TEST_KEYRING": str(tmp_path / "keyring.json"),
    }
    ann = Program(tmp_path / "ann", keyring)
    ann.done("turso", "login", "--token-stdin", stdin=SECRET)
    place = ann.directory / ".todos"
    place.mkdir(mode=0o700)
    (place / "config.json").write_text(json.dumps({"mode": "libsql", "url": curious.url, "credential": name}))

    answer = ann("sync", "--json")

    assert curious.shown == []
    assert answer.error()["code"] == "damaged"
