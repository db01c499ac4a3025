"""`td turso`: databases at Turso Cloud, against a double of its API that speaks it; and mode turso itself."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import jwt
import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sqld import Server
from tests.cli.program import Program
from tests.cli.test_json import problems
from tests.faults.tls_end import TlsEnd
from tests.sqld.turso_double import ORGANISATION, PLATFORM_TOKEN, Fault, TursoDouble

_URL: Final = "libsql://issues-team.turso.io"


@pytest.fixture
def double() -> Iterator[TursoDouble]:
    """Turso, empty but for one group."""
    with TursoDouble() as running:
        yield running


@pytest.fixture
def td(tmp_path: Path, double: TursoDouble) -> Program:
    """A td whose person has a platform token."""
    environ = {"TURSO_API_TOKEN": PLATFORM_TOKEN, "TURSO_ORG": ORGANISATION, "TURSO_API_BASEURL": double.url}
    return Program(tmp_path / "work", environ)


def test_a_database_is_made_listed_and_deleted(td: Program, double: TursoDouble) -> None:
    """Without a .todos: it is what one needs to begin. Each prints what its schema says."""
    made = td.done("turso", "create", "issues", "--json")
    listed = td.done("turso", "list", "--json")
    groups = td.done("turso", "groups", "--json")
    unsure = td("turso", "delete", "issues", "--json")
    assert (unsure.code, unsure.error()["code"]) == (2, "usage")
    assert "--force" in unsure.error()["hint"]
    assert list(double.state.databases) == ["issues"]
    deleted = td.done("turso", "delete", "issues", "--force", "--json")

    expected = {"name": "issues", "url": _URL, "group": "default", "protected": False}
    assert made.document() == {"action": "created", **expected, "region": None}
    assert listed.document() == [{**expected, "region": "aws-us-east-1"}]
    assert groups.document() == [{"name": "default", "region": "aws-us-east-1"}]
    assert deleted.document() == {"action": "deleted", **expected, "region": "aws-us-east-1"}
    assert double.state.databases == {}
    for name, answer in {"create": made, "list": listed, "groups": groups, "delete": deleted}.items():
        assert problems(f"turso {name}", answer.document()) == []


def test_a_token_is_printed_alone_so_that_it_can_be_piped(td: Program, double: TursoDouble) -> None:
    """For td init --token-stdin; it ends after 30 days, or when one says."""
    told = td.done("turso", "create", "issues")
    token = td.done("turso", "token", "issues")
    document = td.done("turso", "token", "issues", "--ttl", "8h", "--read-only", "--json").document()

    assert told.out == f"CREATED issues at {_URL}\n"
    assert told.err == f"use it: td turso token issues | td init --mode turso --url {_URL} --token-stdin\n"
    assert (token.out, token.err) == ("token-1-of-issues\n", "")
    assert problems("turso token", document) == []
    assert (document["role"], document["ttl_s"], document["token"]) == ("ro", 28_800, "token-2-of-issues")
    assert double.state.tokens == [("issues", "30d", "full-access"), ("issues", "8h", "read-only")]
    assert td("turso", "token", "issues", "--ttl", "never").code == 2


def test_all_tokens_are_ended_only_by_force(td: Program, double: TursoDouble) -> None:
    """Everybody would have to get a new one."""
    td.done("turso", "create", "issues")

    assert td("turso", "invalidate", "issues").code == 2
    assert double.state.invalidated == []
    document = td.done("turso", "invalidate", "issues", "--force", "--json").document()

    assert double.state.invalidated == ["issues"]
    assert problems("turso invalidate", document) == []


def test_the_platform_token_is_kept_where_td_keeps_tokens(td: Program, double: TursoDouble) -> None:
    """And forgotten again; the environment comes first."""
    del td.environ["TURSO_API_TOKEN"]
    td.environ |= {"TD_VAULT": "file", "TD_VAULT_KEY": td.done("auth", "new-vault-key").out.strip()}
    missing = td("turso", "list", "--json")
    bare = td("turso", "login", "--json")
    empty = td("turso", "login", "--token-stdin", "--json", stdin="")

    kept = td.done("turso", "login", "--token-stdin", "--json", stdin=f"{PLATFORM_TOKEN}\n").document()

    assert (missing.error()["code"], bare.code) == ("turso_token", 2)
    assert empty.error()["hint"] == "pipe it in: td turso login --token-stdin < token.txt"
    assert td.done("turso", "list").out == ""
    assert td("turso", "list", environ={"TURSO_API_TOKEN": "another"}).code == 1
    forgotten = td.done("turso", "logout", "--json").document()
    assert td("turso", "list", "--json").error()["code"] == "turso_token"
    assert problems("turso login", kept) == problems("turso logout", forgotten) == []
    assert kept == {"action": "kept", "where": "vault"}
    assert not any(PLATFORM_TOKEN.encode() in path.read_bytes() for path in td.home.rglob("*") if path.is_file())
    assert len(double.state.requests) == 2


def test_a_machine_without_keyring_and_key_is_told_of_the_token(td: Program) -> None:
    """That is what is missing first."""
    del td.environ["TURSO_API_TOKEN"]

    error = td("turso", "list", "--json").error()

    assert error["code"] == "turso_token"
    assert "TURSO_API_TOKEN" in error["hint"]


def test_what_turso_says_is_told_in_one_line(td: Program, double: TursoDouble) -> None:
    """With what to do; and never with the token."""
    td.done("turso", "create", "issues")
    double.fail(Fault(402), Fault(429, retry_after="3600"), Fault(is_done=True))

    answers = [
        td("turso", "list", "--json"),
        td("turso", "list", "--json"),
        td("turso", "create", "notes", "--json"),
        td("turso", "create", "issues", "--json"),
        td("turso", "list", "--json", environ={"TURSO_ORG": ""}),
        td("turso", "list", "--json", "--org", "a/b"),
        td("turso", "list", "--json", environ={"TURSO_API_BASEURL": "http://192.0.2.1"}),
        td("turso", "list", "--json", environ={"TURSO_API_TOKEN": "another-s3cret"}),
    ]

    assert [answer.error()["code"] for answer in answers] == [
        "turso_refused",
        "turso_unreachable",
        "turso_unknown_outcome",
        "turso_exists",
        "invalid_input",
        "turso_setup",
        "turso_setup",
        "turso_token",
    ]
    assert [answer.code for answer in answers] == [1, 4, 4, 1, 2, 1, 1, 1]
    assert all(answer.error()["hint"] for answer in answers)
    assert not re.search(f"{PLATFORM_TOKEN}|another-s3cret", repr(answers))


# -- mode turso


@pytest.fixture
def token(tmp_path: Path) -> str:
    """A database token as Turso makes them, for the key in `key.pem`."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(public)
    return jwt.encode({"a": "rw", "id": "default", "exp": int(time.time()) + 3600}, key, algorithm="EdDSA")


@pytest.fixture
def cloud(sqld_binary: Path, token: str, tmp_path: Path) -> Iterator[TlsEnd]:
    """What Turso has for a database: an sqld that wants a token, behind TLS."""
    assert token
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    flags = ["--auth-jwt-key-file", str(tmp_path / "key.pem")]
    with Server(sqld_binary, flags=flags) as server, TlsEnd(server.port, authority.issue_cert("127.0.0.1")) as end:
        yield end


@pytest.mark.parametrize("scheme", ["libsql", "https", "wss"])
def test_mode_turso_is_set_up_and_syncs_with_a_token(tmp_path: Path, cloud: TlsEnd, token: str, scheme: str) -> None:
    """By each form of URL that Turso gives."""
    url = cloud.url(scheme=scheme)
    laptop = Program(tmp_path / "laptop", {"TD_DATABASE_TOKEN": token})
    options = ("--mode", "turso", "--url", url, "--ca-file", str(tmp_path / "authority.pem"))

    document = laptop.done("init", *options, "--json").document()

    assert (document["mode"], document["url"], document["error"]) == ("turso", url, None)
    laptop.create("Oat milk")
    assert laptop.done("sync", "--json").document()["pushed"] == 1
    desktop = Program(tmp_path / "desktop", {"TD_DATABASE_TOKEN": token})
    assert desktop.done("init", *options, "--json").document()["sync"]["pulled"] == 1
    assert (
        laptop("sync", "--json", environ={"TD_DATABASE_TOKEN": token[:-6] + "AAAAAA"}).error()["code"] == "not_allowed"
    )
