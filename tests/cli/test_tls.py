"""`td` and a primary behind TLS: whose certificates are believed, and where a token does not go."""

import json
from collections.abc import Iterator
from typing import Final

import pytest
import trustme

from sqld import Server
from tests.cli.program import Program
from tests.faults.tls_end import TlsEnd

AFAR: Final = "http://192.0.2.1:8080"
TOKEN: Final = {"TD_DATABASE_TOKEN": "s3cret-token"}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who signs the certificate of the team's primary."""
    return trustme.CA()


@pytest.fixture
def end(primary_server: Server, authority: trustme.CA) -> Iterator[TlsEnd]:
    """A primary behind TLS."""
    with TlsEnd(primary_server.port, authority.issue_cert("127.0.0.1")) as listening:
        yield listening


@pytest.fixture
def fresh(fresh: Program, authority: trustme.CA) -> Program:
    """A td where nothing is initialised, beside the certificates of two authorities, of which one signed nothing."""
    authority.cert_pem.write_to_path(str(fresh.directory / "team.pem"))
    trustme.CA().cert_pem.write_to_path(str(fresh.directory / "other.pem"))
    return fresh


def config_of(program: Program) -> dict[str, str]:
    """What is written."""
    read: dict[str, str] = json.loads((program.directory / ".todos" / "config.json").read_text())
    return read


def test_init_takes_the_certificate_of_an_own_authority(fresh: Program, end: TlsEnd) -> None:
    """Its path is written, whole, so that td finds it from everywhere."""
    document = fresh.done("init", "--url", end.url(), "--ca-file", "team.pem", "--json").document()

    assert (document["error"], document["ca_file"]) == (None, str(fresh.directory / "team.pem"))
    assert config_of(fresh)["ca_file"] == str(fresh.directory / "team.pem")
    fresh.create("Oat milk")
    (fresh.directory / "below").mkdir()
    assert fresh.done("sync", "--json", cwd=fresh.directory / "below").document()["pushed"] == 1
    assert fresh.done("doctor").code == 0


def test_a_primary_that_is_not_believed_is_told_in_one_line_and_mended_by_a_setting(
    fresh: Program, end: TlsEnd
) -> None:
    """Exit code 4; what was written waits, and is no reason to refuse the setting."""
    init = fresh.done("init", "--url", end.url())
    issue_id = fresh.create("Oat milk")

    answer = fresh("sync")

    line = (
        f"the certificate of the primary at {end.url()} is not trusted: "
        "no authority that is trusted here has signed it; if your own authority did, "
        "name the file of that one's certificate with td config set ca_file FILE; if not, do not go on\n"
    )
    assert (answer.code, answer.err) == (4, f"td: {line}")
    assert init.err == f"td: the first sync did not work: {line}"
    assert fresh("sync", "--json").error()["code"] == "untrusted"
    assert fresh.done("config", "set", "ca_file", "team.pem").out == f"ca_file = {fresh.directory / 'team.pem'}\n"
    assert fresh.done("sync", "--json").document()["pushed"] == 1
    assert [issue["id"] for issue in fresh.done("list", "--json").document()] == [issue_id]
    assert fresh.done("config", "unset", "ca_file").out == "ca_file is not set\n"
    assert fresh("sync").code == 4


def test_the_environment_names_an_authority_for_one_call(fresh: Program, end: TlsEnd) -> None:
    """It counts more than the setting, and is not written."""
    environ = {"TD_DATABASE_CA_FILE": "team.pem"}
    fresh.done("init", "--url", end.url(), "--ca-file", "other.pem")

    assert fresh("sync").code == 4
    fresh.done("sync", environ=environ)

    assert config_of(fresh)["ca_file"] == str(fresh.directory / "other.pem")
    assert fresh.done("config", "get", "ca_file").out == f"{fresh.directory / 'other.pem'}\n"


@pytest.mark.parametrize("name", ["not-there.pem", "home", "README"])
def test_a_file_without_certificates_is_refused_when_it_is_typed(fresh: Program, end: TlsEnd, name: str) -> None:
    """Nothing is made, nothing is set."""
    (fresh.directory / "README").write_text("no certificate")

    answer = fresh("init", "--url", end.url(), "--ca-file", name, "--json")

    assert (answer.code, answer.error()["code"]) == (2, "invalid_input")
    assert str(fresh.directory / name) in answer.error()["message"]
    assert not (fresh.directory / ".todos").exists()
    fresh.done("init", "--url", end.url())
    assert fresh("config", "set", "ca_file", name).code == 2
    assert "ca_file" not in config_of(fresh)


def test_a_move_goes_only_to_a_primary_that_is_believed(fresh: Program, end: TlsEnd) -> None:
    """Nothing is switched until then; the authority is named first, and the same command goes on."""
    fresh.done("init")
    issue_id = fresh.create("Oat milk")

    answer = fresh("config", "set", "url", end.url(), "--json")

    assert (answer.code, answer.error()["code"]) == (4, "untrusted")
    assert "nothing was switched" in answer.error()["hint"]
    assert config_of(fresh) == {"mode": "local"}
    fresh.done("config", "set", "ca_file", "team.pem")
    assert fresh.done("config", "set", "url", end.url(), "--json").document()["moved"]["tables"][0]["rows"] == 1
    assert [issue["id"] for issue in fresh.done("list", "--json").document()] == [issue_id]


def test_a_local_file_needs_no_authority(fresh: Program) -> None:
    """There is nobody to believe."""
    answer = fresh("init", "--ca-file", "team.pem", "--json")

    assert (answer.code, answer.error()["code"]) == (2, "invalid_input")
    assert not (fresh.directory / ".todos").exists()


# -- no token in the open


def test_no_command_takes_a_token_over_plain_http(fresh: Program) -> None:
    """Init, sync, doctor and a move: one line, exit code 5, and everything stays as it was."""
    refused = [fresh("init", "--url", AFAR, "--json", environ=TOKEN)]
    refused += [fresh("init", "--url", AFAR, "--token-stdin", "--json", stdin="s3cret-token\n")]
    assert not (fresh.directory / ".todos").exists()
    fresh.done("init")
    fresh.create("Oat milk")
    refused += [fresh("config", "set", "url", AFAR, "--json", environ=TOKEN)]
    assert config_of(fresh) == {"mode": "local"}
    below = Program(fresh.directory / "below")
    refused += [below("init", "--url", AFAR, "--migrate-from", "..", "--json", environ=TOKEN)]
    assert not (below.directory / ".todos").exists()

    other = Program(fresh.directory / "other")
    other.done("init", "--url", "https://127.0.0.1:1")
    other.create("Bread")
    redirected = {**TOKEN, "TD_DATABASE_URL": AFAR}
    refused += [other("sync", "--json", environ=redirected)]
    doctor = other("doctor", "--json", environ=redirected)

    assert [(answer.code, answer.error()["code"]) for answer in refused] == [(5, "not_allowed")] * len(refused)
    assert all("use https" in answer.error()["hint"] for answer in refused)
    assert "a token is not sent over plain http to another machine" in doctor.out
    assert len(other.done("list", "--json").document()) == 1
    assert "s3cret" not in repr([*refused, doctor])
