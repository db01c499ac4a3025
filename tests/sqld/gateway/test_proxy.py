"""The configuration of nginx, and nginx itself as a process."""

import os
import signal
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from sqld import free_port
from sqld.nginx import Nginx, find_nginx
from sqld.proxy import HRANA, REPLICATION, ProxySettings, render_nginx
from sqld.proxy_errors import NginxNotFoundError, NginxStartError, ProxySettingsError
from tests.sqld.processes import is_alive


def settings(directory: Path) -> ProxySettings:
    """An nginx before nothing."""
    nowhere = f"127.0.0.1:{free_port()}"
    return ProxySettings(directory, f"127.0.0.1:{free_port()}", gateway=nowhere, primary=nowhere)


@pytest.mark.parametrize(
    "value", ["", "a b", "127.0.0.1:1; }", "$host", "x'y", 'x"y', "a\nb", "{", "back\\slash", "127.0.0.1:1#"]
)
def test_a_value_cannot_say_more_than_a_value(tmp_path: Path, value: str) -> None:
    """Else an address could bring directives of its own."""
    with pytest.raises(ProxySettingsError):
        render_nginx(replace(settings(tmp_path), primary=value))


def test_a_certificate_comes_with_its_key(tmp_path: Path) -> None:
    """One without the other would be served without TLS, or not at all."""
    with pytest.raises(ProxySettingsError):
        render_nginx(replace(settings(tmp_path), certificate=tmp_path / "certificate.pem"))


def test_each_path_to_the_primary_is_named_and_asked_about(tmp_path: Path) -> None:
    """There is no location that passes on whatever comes, and none that does not ask."""
    blocks = render_nginx(settings(tmp_path)).split("location ")[1:]
    to_the_primary = [block for block in blocks if "proxy_pass http://primary" in block]

    assert len(to_the_primary) == len(HRANA) + len(REPLICATION) + 2
    for block in to_the_primary:
        path = block.split()[1]
        assert block.startswith(f"= {path} {{")
        assert "auth_request /_authorize;" in block
        assert f"proxy_pass http://primary{path};" in block
        assert "proxy_pass_request_headers off;" in block


def test_it_writes_in_its_own_directory_and_leaves_no_process(tmp_path: Path) -> None:
    """It needs no root, and ends when it is told to."""
    with Nginx(settings(tmp_path / "proxy")):
        pid = int((tmp_path / "proxy" / "nginx.pid").read_text())
        was_running = is_alive(pid)

    assert (was_running, is_alive(pid)) == (True, False)
    assert {path.name for path in tmp_path.iterdir()} == {"proxy"}


def test_a_killed_one_leaves_its_port_to_the_next(tmp_path: Path) -> None:
    """What its workers would else hold on to, until somebody finds them."""
    wanted = settings(tmp_path)
    killed = Nginx(wanted)
    killed.start()
    os.kill(int((tmp_path / "nginx.pid").read_text()), signal.SIGKILL)
    killed.wait(10.0)
    killed.stop()

    with Nginx(wanted) as after:
        assert after.wait(0) is None


def test_no_secret_of_the_environment_reaches_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may look at its process finds none."""
    monkeypatch.setenv("TD_VAULT_KEY", "planted-secret")
    monkeypatch.setenv("ANYTHING", "planted-secret")

    # nginx writes over its own environment, so somebody looks at it before.
    looking = tmp_path / "looking"
    looking.write_text(f'#!/bin/sh\nenv > "{tmp_path}/environ"\nexec "{find_nginx()}" "$@"\n')
    looking.chmod(0o700)

    with Nginx(settings(tmp_path), binary=looking):
        environ = (tmp_path / "environ").read_text()

    assert "PATH=" in environ
    assert "planted" not in environ


def test_what_a_killed_one_left_behind_is_not_taken_for_a_running_one(tmp_path: Path) -> None:
    """Its id is in a file there, and somebody else has the port."""
    wanted = settings(tmp_path)
    (tmp_path / "nginx.pid").write_text("1\n")
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(wanted.listen.split(":")[1])))
        other.listen()

        with pytest.raises(NginxStartError):
            Nginx(wanted).start()


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """As the error that it is."""
    (tmp_path / "file").write_text("")

    with pytest.raises(NginxStartError, match="directory"):
        Nginx(settings(tmp_path / "file" / "below")).start()


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    """With what nginx says of it."""
    wanted = settings(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(wanted.listen.split(":")[1])))
        other.listen()

        with pytest.raises(NginxStartError, match="in use"):
            Nginx(wanted).start()


def test_a_machine_without_nginx_is_told_how_to_get_it(tmp_path: Path) -> None:
    """In a typed error."""
    with pytest.raises(NginxNotFoundError) as caught:
        find_nginx(str(tmp_path))

    assert "apt install nginx" in caught.value.hint
