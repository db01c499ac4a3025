"""Where td keeps a token: the keyring of a desktop, or an encrypted file; and `td auth`, which keeps its key."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

from auth.vault_key import VaultKey
from cli.config import load_config
from cli.credentials import read_kept
from tests.auth import secret_service
from tests.auth.secret_service import Desktop
from tests.cli.in_process import call, done
from tests.cli.program import TD, Program
from tests.cli.test_json import problems
from tracker import NotAllowedError

NOWHERE: Final = "http://127.0.0.1:1"
KEY: Final = VaultKey(bytes(range(32))).text
SECRET: Final = "s3cret-that-nobody-sees"
# So the terminal is `/dev/tty` to the session.
_WITH_TERMINAL: Final = """
import fcntl, os, sys, termios
fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0)
os.dup2(int(sys.argv[1]), 2)
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.fixture
def server(tmp_path: Path) -> Program:
    """A td on a machine without a keyring, where TD_VAULT_KEY is set."""
    program = Program(tmp_path / "server", {"TD_VAULT_KEY": KEY})
    done(program, "init", "--url", NOWHERE, "--token-stdin", stdin=f"{SECRET}\n")
    return program


def vault_of(program: Program) -> Path:
    """The encrypted file of the user."""
    (found,) = [path for path in program.home.rglob("vault") if path.is_file()]
    return found


def token_of(program: Program, environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> str | None:
    """What td would show the primary."""
    monkeypatch.setenv("HOME", str(program.home))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    credential = load_config(program.directory / ".todos").credential
    assert credential is not None
    return read_kept(environ, credential)()


def files_of(program: Program) -> list[Path]:
    """Every file that td has written."""
    return [path for path in program.directory.rglob("*") if path.is_file()]


def test_without_a_keyring_a_token_is_kept_in_the_vault(server: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands in no file in the clear, td says where it is from, and typing it again keeps a new one."""
    assert done(server, "whoami", "--json").document()["token"] == "vault"
    assert token_of(server, {"TD_VAULT_KEY": KEY}, monkeypatch) == SECRET

    renewed = done(server, "init", "--token-stdin", stdin="n3w-that-nobody-sees\n")

    assert renewed.out == f"KEPT the token for {NOWHERE} in the vault\n"
    assert token_of(server, {"TD_VAULT_KEY": KEY}, monkeypatch) == "n3w-that-nobody-sees"
    assert vault_of(server) in files_of(server)
    assert [path for path in files_of(server) if b"that-nobody-sees" in path.read_bytes()] == []


def test_a_token_stays_where_it_is_kept(server: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a keyring comes later, or TD_VAULT speaks of it; a new one goes where it is told to."""
    keyring = {
        "PYTHON_KEYRING_BACKEND": "tests.auth.file_keyring.FileKeyring",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "TEST_KEYRING": str(server.home / "keyring.json"),
    }
    environ = {"TD_VAULT_KEY": KEY, "TD_VAULT": "keyring"}
    assert token_of(server, environ, monkeypatch) == SECRET

    again = server.done("init", "--token-stdin", stdin="second\n", environ=keyring)
    moved = server.done("init", "--token-stdin", stdin="third\n", environ=keyring | {"TD_VAULT": "keyring"})

    assert again.out.endswith("in the vault\n")
    assert moved.out.endswith("in the keyring\n")
    assert server.done("whoami", "--json").document()["token"] == "keyring"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"TD_VAULT_KEY": ""}, "the vault needs its key"),
        ({"TD_VAULT_KEY": VaultKey(bytes(32)).text}, "made with another key"),
        ({"TD_VAULT_KEY": "", "TD_VAULT_PASSPHRASE": "correct horse"}, "made with a key, and a passphrase is given"),
        ({"TD_VAULT_KEY": KEY[:-1]}, "TD_VAULT_KEY cannot open a vault"),
    ],
)
def test_a_vault_that_does_not_open_stops_the_sync_only(server: Program, given: dict[str, str], told: str) -> None:
    """Reads and writes go on, and the sync says in one line what to set."""
    server.environ |= given
    done(server, "create", "Oat milk")

    answer = call(server, "sync", "--json")

    assert (answer.code, answer.error()["code"]) == (5, "not_allowed")
    assert told in answer.error()["message"]
    assert KEY[:-1] not in answer.out + answer.err
    assert [issue["title"] for issue in done(server, "list", "--json").document()] == ["Oat milk"]


def test_a_damaged_vault_is_told_as_that(server: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a token is not kept over it."""
    damaged = vault_of(server).read_bytes()[:-1]
    vault_of(server).write_bytes(damaged)

    with pytest.raises(NotAllowedError, match="damaged or tampered with"):
        token_of(server, {"TD_VAULT_KEY": KEY}, monkeypatch)
    answer = call(server, "init", "--token-stdin", "--json", stdin="n3w\n")

    assert (answer.code, answer.error()["code"]) == (1, "vault_tampered")
    assert vault_of(server).read_bytes() == damaged


def test_a_new_key_is_printed_alone(fresh: Program) -> None:
    """So that a script can take it; no two are the same, and it opens a vault."""
    keys = [done(fresh, "auth", "new-vault-key").out for _ in range(2)]

    assert VaultKey.parse(keys[0]) != VaultKey.parse(keys[1])
    assert files_of(fresh) == []
    document = done(fresh, "auth", "new-vault-key", "--json").document()
    assert VaultKey.parse(document["key"]).text == document["key"]


def test_the_vault_gets_a_new_key_that_is_printed(server: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old one opens nothing from then on."""
    rotated = done(server, "auth", "rotate-vault-key")

    new = rotated.out.strip()
    assert f"set TD_VAULT_KEY to the new one wherever {vault_of(server)} is used" in rotated.err
    assert token_of(server, {"TD_VAULT_KEY": new}, monkeypatch) == SECRET
    with pytest.raises(NotAllowedError):
        token_of(server, {"TD_VAULT_KEY": KEY}, monkeypatch)


def test_a_new_key_or_passphrase_is_taken_from_stdin(server: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not printed, and the documents are as their schema has them."""
    new = done(server, "auth", "new-vault-key").out
    first = done(server, "auth", "rotate-vault-key", "--key-stdin", "--json", stdin=new)
    server.environ["TD_VAULT_KEY"] = new
    second = done(server, "auth", "rotate-vault-key", "--passphrase-stdin", stdin="correct horse\n")

    assert first.document() == {"action": "vault_key_rotated", "vault": str(vault_of(server)), "key": None}
    assert problems("auth rotate-vault-key", first.document()) == []
    assert second.out == f"ROTATED the key of {vault_of(server)}\n"
    assert "set TD_VAULT_PASSPHRASE" in second.err
    assert "horse" not in second.out + second.err
    assert token_of(server, {"TD_VAULT_PASSPHRASE": "correct horse"}, monkeypatch) == SECRET


def test_any_vault_can_get_a_new_key(server: Program, tmp_path: Path) -> None:
    """That of a server is not its user's."""
    other = tmp_path / "secrets"
    vault_of(server).rename(other)

    document = done(server, "auth", "rotate-vault-key", "--file", str(other), "--json").document()

    assert problems("auth rotate-vault-key", document) == []
    assert document["vault"] == str(other)
    answer = call(server, "auth", "rotate-vault-key", "--json")
    assert (answer.code, answer.error()["code"]) == (1, "no_vault")


@pytest.mark.parametrize(
    ("args", "stdin", "code"),
    [
        (["--key-stdin"], "no key\n", "vault_key_bad"),
        (["--key-stdin"], "", "vault_key_bad"),
        (["--passphrase-stdin"], "7 chars\n", "vault_key_bad"),
        (["--passphrase-stdin", "--key-stdin"], KEY, "usage"),
    ],
)
def test_a_key_that_is_none_changes_nothing(server: Program, args: list[str], stdin: str, code: str) -> None:
    """Nor does one and a half."""
    before = vault_of(server).read_bytes()

    answer = call(server, "auth", "rotate-vault-key", *args, "--json", stdin=stdin)

    assert (answer.out, answer.error()["code"]) == ("", code)
    assert vault_of(server).read_bytes() == before


def test_a_new_key_that_nobody_could_see_is_not_used(server: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a full disk, and where the reader is gone."""
    with Path("/dev/full").open("wb") as full:
        command = [str(TD), "auth", "rotate-vault-key"]
        full_disk = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=server.environ, check=False)
    reader, writer = os.pipe()
    os.close(reader)
    no_reader = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, env=server.environ, check=False)
    os.close(writer)

    told = b"td: the new key could not be shown; nothing was changed: the old key opens the vault\n"
    assert [(one.returncode, one.stderr) for one in (full_disk, no_reader)] == [(1, told)] * 2
    assert token_of(server, {"TD_VAULT_KEY": KEY}, monkeypatch) == SECRET


def typed(
    program: Program, args: Sequence[str], answers: Sequence[tuple[str, str]], stdin: str = ""
) -> tuple[int, str]:
    """Run td on a terminal of its own and type each answer when it is asked for; its exit code and what was shown."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", _WITH_TERMINAL, str(theirs), TD, *args],
        cwd=program.directory,
        env=program.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        pass_fds=(theirs,),
        start_new_session=True,
    ) as process:
        os.close(theirs)
        assert process.stdin is not None
        process.stdin.write(stdin.encode())
        process.stdin.close()
        shown, waiting = "", list(answers)
        try:
            while piece := os.read(ours, 65536):
                shown += piece.decode()
                if waiting and shown.endswith(waiting[0][0]):
                    os.write(ours, waiting.pop(0)[1].encode() + b"\n")
        except OSError:
            pass  # how Linux says that the other end of a terminal was closed
        os.close(ours)
    assert waiting == [], shown
    return process.returncode, shown


def test_a_person_types_the_passphrase_on_the_terminal(fresh: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice for a new vault, then once for each call, and it is not shown; stdin is the token's."""
    place = "vault {}: ".format(fresh.home / ".local/share/replica-toolkit/vault")
    init = ["init", "--url", NOWHERE, "--token-stdin"]

    code, shown = typed(
        fresh,
        init,
        [(f"Passphrase for the new {place}", "correct horse"), ("The same again: ", "correct horse")],
        stdin=f"{SECRET}\n",
    )

    assert code == 0
    assert "horse" not in shown
    assert token_of(fresh, {"TD_VAULT_PASSPHRASE": "correct horse"}, monkeypatch) == SECRET
    assert typed(fresh, ["sync"], [(f"Passphrase for the {place}", "correct horsf")])[0] == 5


def test_two_passphrases_that_differ_make_no_vault(fresh: Program) -> None:
    """A slip would lock everybody out."""
    code, shown = typed(
        fresh,
        ["init", "--url", NOWHERE, "--token-stdin"],
        [("vault: ", "correct horse"), ("The same again: ", "correct horsf")],
        stdin=f"{SECRET}\n",
    )

    assert code == 2
    assert shown.endswith("td: the two passphrases differ; nothing was kept; try again\r\n")
    assert not (fresh.directory / ".todos").exists()


if secret_service.IS_THERE:

    def test_a_token_is_kept_in_the_keyring_of_a_desktop(fresh: Program) -> None:
        """As td finds it by itself; it stands in no file in the clear, and is found again."""
        with Desktop() as desktop:
            del fresh.environ["PYTHON_KEYRING_BACKEND"]
            fresh.environ |= {name: value for name, value in desktop.environ.items() if name != "HOME"}

            fresh.done("init", "--url", NOWHERE, "--token-stdin", stdin=f"{SECRET}\n")
            renewed = fresh.done("init", "--token-stdin", stdin=f"{SECRET}-2\n")
            whoami = fresh.done("whoami", "--json").document()
            credential = json.loads((fresh.directory / ".todos/config.json").read_text())["credential"]
            read = "import os, sys; from cli.credentials import read_kept; print(read_kept(os.environ, sys.argv[1])())"
            found = subprocess.run(
                [sys.executable, "-c", read, credential], env=fresh.environ, capture_output=True, text=True, check=True
            )
            files = files_of(fresh) + desktop.files()

            assert renewed.out == f"KEPT the token for {NOWHERE} in the keyring\n"
            assert whoami["token"] == "keyring"
            assert found.stdout == f"{SECRET}-2\n"
            assert [path for path in files if SECRET.encode() in path.read_bytes()] == []
