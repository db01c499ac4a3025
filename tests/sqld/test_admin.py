"""The admin API of an sqld."""

import http.server
import pickle
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sqld import free_port
from sqld.admin import Admin
from sqld.state_errors import AdminAnswerError, AdminKeyError, AdminUnreachableError
from tests.sqld.tenant_server import TenantServer


def test_a_database_has_its_settings_from_its_first_moment(primary: TenantServer) -> None:
    """There is no moment without a key; and what is there is not made again."""
    made = primary.admin.create("acme", {"durability_mode": "strong", "txn_timeout_s": 3})
    again = primary.admin.create("acme", {"durability_mode": "relaxed"})

    settings = primary.database("acme")
    assert (made, again) == (True, False)
    assert (settings["durability_mode"], settings["txn_timeout_s"]) == ("strong", 3)


def test_what_is_not_changed_stays(primary: TenantServer) -> None:
    """Though sqld replaces the whole."""
    primary.admin.create("acme", {"txn_timeout_s": 3, "jwt_key": primary.state.settings().closed_key})
    before = primary.database("acme")

    primary.admin.change("acme", {"max_db_size": "20.0 MB"})

    assert primary.database("acme") == {**before, "max_db_size": "20.0 MB"}


def test_what_is_not_there_is_none(primary: TenantServer) -> None:
    """To read it is no error, to change it is one."""
    assert primary.admin.settings("acme") is None
    assert primary.admin.stats("acme") is None
    assert not primary.admin.delete("acme")
    with pytest.raises(AdminAnswerError, match="acme"):
        primary.admin.change("acme", {})


def test_a_fork_has_what_the_other_has(primary: TenantServer) -> None:
    """Its key too, so that a token of the one replicates the other: whoever forks must give the copy its own."""
    primary.tenancy.create("acme")
    token = primary.token("acme")
    primary.ask("acme", token, "CREATE TABLE t (x)")

    primary.admin.fork("acme", "copy")

    assert primary.database("copy") == primary.database("acme")
    assert primary.ask("copy", None) == "401"


def test_what_sqld_counts_is_told(primary: TenantServer) -> None:
    """How far its log has come, and how much there is."""
    primary.tenancy.create("acme")
    primary.ask("acme", primary.token("acme"), "CREATE TABLE t (x)")

    stats = primary.admin.stats("acme")

    assert stats is not None
    assert stats["replication_index"] >= 1
    assert isinstance(stats["storage_bytes_used"], int)


def test_a_name_cannot_lead_elsewhere(primary: TenantServer) -> None:
    """It is one part of the path, whatever it holds."""
    assert primary.admin.settings("default/config?x=") is None
    assert primary.admin.settings("../../metrics") is None


def test_another_key_is_refused(primary: TenantServer) -> None:
    """And told without either."""
    with pytest.raises(AdminKeyError) as raised:
        Admin(primary.admin.port, "an0ther-key").see_that_it_answers()

    assert "an0ther" not in str(raised.value) + raised.value.hint


def test_nobody_listening_is_told() -> None:
    """With where."""
    port = free_port()

    with pytest.raises(AdminUnreachableError, match=f"127.0.0.1:{port}") as raised:
        Admin(port, "key").settings("default")

    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    """Longer than the timeout."""
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(AdminUnreachableError):
        Admin(silent.getsockname()[1], "key", timeout_s=0.2).settings("default")


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"<html>"), (200, b"[]"), (500, b'{"error": "out of order"}'), (302, b"")]
)
def test_a_strange_answer_is_told(status: int, body: bytes) -> None:
    """Whatever it is that listens there."""
    with answering(status, body) as port, pytest.raises(AdminAnswerError, match=str(status)):
        Admin(port, "key").settings("default")


@contextmanager
def answering(status: int, body: bytes) -> Iterator[int]:
    """Something that gives every request the same answer; its port."""

    class Same(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the class above has it
            """Nobody reads it."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Same) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_the_admin_key_is_in_no_argument_and_no_log(primary: TenantServer) -> None:
    """Everybody on a machine can see the arguments of a process."""
    key = primary.vault.read("admin-key")
    primary.tenancy.create("acme")

    assert key
    arguments = Path(f"/proc/{primary.server.pid}/cmdline").read_bytes()
    assert b"--enable-namespaces" in arguments
    assert key.encode() not in arguments
    assert key not in primary.server.log_path.read_text()
