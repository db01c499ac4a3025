"""The encrypted file: what it does when it is damaged, opened with a wrong key, written by two, or killed."""

import hashlib
import pickle
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from auth.errors import VaultError
from auth.file_vault import FileVault
from auth.vault_errors import (
    BadVaultKeyError,
    NewerVaultError,
    NoVaultError,
    TamperedVaultError,
    VaultUnusableError,
    WrongVaultKeyError,
)
from auth.vault_format import Cost, lock_of, make_lock, seal, unseal
from auth.vault_key import Opener, Passphrase, VaultKey

CHEAP: Final = Cost(10)
KEY: Final = VaultKey(bytes(range(32)))
PASSPHRASE: Final = Passphrase("correct horse")
OPENERS: Final = (KEY, PASSPHRASE)
SECRET: Final = "s3cret-that-nobody-sees"


def vault_at(path: Path, opener: Opener = KEY) -> FileVault:
    """The vault in a directory, with a passphrase that costs little."""
    return FileVault(path / "vault", opener, cost=CHEAP)


def with_digest(body: bytes) -> bytes:
    """What somebody writes who knows the format and not the key."""
    return body + hashlib.sha256(body).digest()


@pytest.mark.parametrize("opener", OPENERS, ids=["key", "passphrase"])
def test_the_file_is_the_owners_and_holds_nothing_in_the_clear(tmp_path: Path, opener: Opener) -> None:
    """Neither secrets nor their names; nothing else is left beside it but the lock."""
    place = tmp_path / "new" / "place"
    vault_at(place, opener).store("tenant-of-acme", SECRET)

    data = (place / "vault").read_bytes()

    assert stat.S_IMODE((place / "vault").stat().st_mode) == 0o600
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert b"s3cret" not in data
    assert b"acme" not in data
    assert {path.name for path in place.iterdir()} <= {"vault", "vault.lock"}


@pytest.mark.parametrize("opener", OPENERS, ids=["key", "passphrase"])
def test_every_changed_byte_is_noticed(tmp_path: Path, opener: Opener) -> None:
    """Wherever in the file, and told as damage, not as a wrong key; the file stays as it is."""
    vault_at(tmp_path, opener).store("one", SECRET)
    whole = (tmp_path / "vault").read_bytes()
    damaged = whole

    for index in range(len(whole)):
        damaged = whole[:index] + bytes([whole[index] ^ 1]) + whole[index + 1 :]
        (tmp_path / "vault").write_bytes(damaged)
        with pytest.raises(TamperedVaultError) as raised:
            vault_at(tmp_path, opener).read("one")
        assert SECRET not in str(raised.value)
    with pytest.raises(TamperedVaultError):
        vault_at(tmp_path, opener).store("two", "other")
    assert (tmp_path / "vault").read_bytes() == damaged


def test_a_file_that_is_cut_short_is_not_taken_for_none(tmp_path: Path) -> None:
    """An empty one neither: that would be to begin anew over what was kept."""
    vault_at(tmp_path).store("one", SECRET)
    whole = (tmp_path / "vault").read_bytes()

    for length in (0, 7, 8, 60, len(whole) - 1):
        (tmp_path / "vault").write_bytes(whole[:length])
        with pytest.raises(TamperedVaultError):
            vault_at(tmp_path).store("two", "other")
        assert (tmp_path / "vault").stat().st_size == length


def test_one_who_knows_the_format_cannot_change_what_is_sealed(tmp_path: Path) -> None:
    """With the digest made anew: the secrets, the nonce and the cost; salt and check make it another vault."""
    vault_at(tmp_path, PASSPHRASE).store("one", SECRET)
    body = (tmp_path / "vault").read_bytes()[:-32]

    told: dict[int, type[VaultError]] = {}
    for index in range(len(body)):
        forged = body[:index] + bytes([body[index] ^ 1]) + body[index + 1 :]
        (tmp_path / "vault").write_bytes(with_digest(forged))
        with pytest.raises((TamperedVaultError, WrongVaultKeyError, NewerVaultError)) as raised:
            vault_at(tmp_path, PASSPHRASE).read("one")
        told[index] = raised.type

    assert {told[index] for index in (*range(8), 8, *range(11, 13))} == {TamperedVaultError}
    assert {told[index] for index in range(45, len(body))} == {TamperedVaultError}
    assert {told[index] for index in range(13, 45)} == {WrongVaultKeyError}


@pytest.mark.parametrize("log2_n", [0, 9, 21, 63, 255])
def test_a_forged_cost_does_not_take_the_memory_of_the_machine(tmp_path: Path, log2_n: int) -> None:
    """It is read before anything is authenticated."""
    vault_at(tmp_path, PASSPHRASE).store("one", SECRET)
    body = bytearray((tmp_path / "vault").read_bytes()[:-32])
    body[10] = log2_n
    (tmp_path / "vault").write_bytes(with_digest(bytes(body)))

    with pytest.raises(TamperedVaultError):
        vault_at(tmp_path, PASSPHRASE).read("one")


@pytest.mark.parametrize(
    ("made", "given_", "told"),
    [
        (KEY, VaultKey.generate(), "made with another key"),
        (PASSPHRASE, Passphrase("correct horsf"), "made with another passphrase"),
        (KEY, PASSPHRASE, "made with a key, and a passphrase is given"),
        (PASSPHRASE, KEY, "made with a passphrase, and a key is given"),
    ],
)
def test_a_wrong_key_is_told_as_that(tmp_path: Path, made: Opener, given_: Opener, told: str) -> None:
    """Neither as damage nor as absence; and it changes nothing."""
    vault_at(tmp_path, made).store("one", SECRET)
    before = (tmp_path / "vault").read_bytes()

    calls: list[Callable[[FileVault], object]] = [
        lambda vault: vault.read("one"),
        lambda vault: vault.store("one", "other"),
        lambda vault: vault.delete("one"),
        lambda vault: vault.rotate(KEY),
    ]
    for call in calls:
        with pytest.raises(WrongVaultKeyError) as raised:
            call(vault_at(tmp_path, given_))
        assert told in str(raised.value)
    assert (tmp_path / "vault").read_bytes() == before


def test_a_vault_of_a_newer_program_is_told(tmp_path: Path) -> None:
    """And kept."""
    vault_at(tmp_path).store("one", SECRET)
    body = bytearray((tmp_path / "vault").read_bytes()[:-32])
    body[8] = 2
    (tmp_path / "vault").write_bytes(with_digest(bytes(body)))

    with pytest.raises(NewerVaultError) as raised:
        vault_at(tmp_path).store("two", "other")

    assert raised.value.version == 2


def test_after_a_rotation_only_the_new_key_opens(tmp_path: Path) -> None:
    """From a key to a passphrase and back; a vault that is open already goes on with the new one."""
    new = VaultKey.generate()
    vault = vault_at(tmp_path)
    vault.store("one", SECRET)
    vault.rotate(PASSPHRASE)
    with pytest.raises(WrongVaultKeyError):
        vault_at(tmp_path).read("one")
    assert vault_at(tmp_path, PASSPHRASE).read("one") == SECRET

    vault.rotate(new)
    vault.store("two", "other")

    assert [vault_at(tmp_path, new).read(name) for name in ("one", "two")] == [SECRET, "other"]
    with pytest.raises(WrongVaultKeyError):
        vault_at(tmp_path, PASSPHRASE).read("one")


def test_a_new_key_that_could_not_be_shown_is_not_used(tmp_path: Path) -> None:
    """Or everybody would be locked out."""
    vault_at(tmp_path).store("one", SECRET)

    def announce() -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        vault_at(tmp_path).rotate(VaultKey.generate(), announce=announce)

    assert vault_at(tmp_path).read("one") == SECRET
    assert not (tmp_path / "vault.new").exists()


def test_without_a_vault_there_is_nothing_to_rotate(tmp_path: Path) -> None:
    """It is said; a person may have named the wrong file."""
    with pytest.raises(NoVaultError):
        vault_at(tmp_path / "nowhere").rotate(VaultKey.generate())

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    """It may be readable with a key that was taken out of use."""
    (tmp_path / "vault.new").write_bytes(b"left")
    (tmp_path / "vault.new").chmod(0o644)

    vault_at(tmp_path).store("one", SECRET)

    assert not (tmp_path / "vault.new").exists()
    assert stat.S_IMODE((tmp_path / "vault").stat().st_mode) == 0o600


_KILLED: Final = """
import os, signal, sys
from pathlib import Path
from auth.file_vault import FileVault
from auth.vault_key import VaultKey

steps = int(sys.argv[2])
def count(event, args):
    global steps
    if event in ("open", "os.rename", "os.remove", "fcntl.flock", "os.mkdir") and "vault" in str(args):
        steps -= 1
        if steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)
vault = FileVault(Path(sys.argv[1]), VaultKey(bytes(range(32))))
sys.addaudithook(count)
vault.store("one", "new")
"""


def test_a_process_killed_at_any_step_leaves_the_old_file_or_the_new(tmp_path: Path) -> None:
    """And the next one is not kept waiting."""
    found = []
    for step in range(1, 20):
        vault_at(tmp_path).store("one", "old")
        done = subprocess.run([sys.executable, "-c", _KILLED, tmp_path / "vault", str(step)], check=False)
        found.append(vault_at(tmp_path).read("one"))
        if done.returncode == 0:
            break

    assert len(found) > 4
    assert found[-1] == "new"
    assert set(found[:-1]) == {"old"}


_WRITER: Final = """
import sys
from pathlib import Path
from auth.file_vault import FileVault
from auth.vault_key import VaultKey

vault = FileVault(Path(sys.argv[1]), VaultKey(bytes(range(32))))
sys.stdin.readline()
for number in range(25):
    vault.store(f"{sys.argv[2]}-{number}", "kept")
"""


def test_two_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    """Each adds to what the other wrote."""
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, tmp_path / "vault", name], stdin=subprocess.PIPE)
        for name in ("a", "b")
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)

    assert [writer.returncode for writer in writers] == [0, 0]
    vault = vault_at(tmp_path)
    assert {vault.read(f"{name}-{number}") for name in ("a", "b") for number in range(25)} == {"kept"}


def test_one_who_holds_the_lock_too_long_is_told(tmp_path: Path) -> None:
    """A reader does not wait for it."""
    vault_at(tmp_path).store("one", SECRET)
    vault = FileVault(tmp_path / "vault", KEY, lock_wait_s=0.05)

    with FileLock(tmp_path / "vault.lock"):
        assert vault.read("one") == SECRET
        with pytest.raises(VaultUnusableError) as raised:
            vault.store("two", "other")

    assert "another process" in str(raised.value)
    vault.store("two", "other")


def test_a_place_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """With its reason."""
    (tmp_path / "file").touch()

    with pytest.raises(VaultUnusableError):
        vault_at(tmp_path / "file" / "below").store("one", SECRET)
    (tmp_path / "vault").mkdir()
    with pytest.raises(VaultUnusableError) as raised:
        vault_at(tmp_path).read("one")

    assert "Is a directory" in str(raised.value)


def test_a_change_by_another_process_is_seen(tmp_path: Path) -> None:
    """A vault that is open reads the file anew, also after it was made with another salt."""
    mine, theirs = vault_at(tmp_path, PASSPHRASE), vault_at(tmp_path, PASSPHRASE)
    mine.store("one", "first")
    (tmp_path / "vault").unlink()
    theirs.store("one", "second")

    assert mine.read("one") == "second"


def test_one_passphrase_may_be_typed_in_two_ways(tmp_path: Path) -> None:
    """One keyboard types é as one character, another as two."""
    vault_at(tmp_path, Passphrase("caf\u00e9 au lait")).store("one", SECRET)

    assert vault_at(tmp_path, Passphrase("cafe\u0301 au lait")).read("one") == SECRET


def test_the_same_secrets_are_sealed_otherwise_each_time(tmp_path: Path) -> None:
    """A nonce that came twice would give them away."""
    lock = make_lock(KEY)

    assert len({seal({"one": SECRET}, lock)[45:57] for _ in range(1000)}) == 1000
    assert make_lock(KEY).cipher_key != lock.cipher_key


@given(st.dictionaries(st.text(), st.text()))
def test_what_is_sealed_is_unsealed_as_it_was(entries: dict[str, str]) -> None:
    """Whatever names and secrets there are."""
    lock = make_lock(KEY)

    assert unseal(seal(entries, lock), lock, path=Path("vault")) == entries


@given(st.binary(max_size=300), st.sampled_from([b"", b"RTKVAULT", b"RTKVAULT\x01\x00\x00\x00\x00"]), st.booleans())
def test_what_is_no_vault_is_told_whatever_it_is(data: bytes, beginning: bytes, is_digested: bool) -> None:  # noqa: FBT001 - drawn
    """With one of the errors that say what to do."""
    body = beginning + data

    with pytest.raises((TamperedVaultError, WrongVaultKeyError, NewerVaultError)):
        lock_of(with_digest(body) if is_digested else body, KEY, path=Path("vault"))


@given(st.binary(min_size=32, max_size=32))
def test_a_key_is_read_as_it_is_written(secret: bytes) -> None:
    """With padding or without."""
    key = VaultKey(secret)

    assert VaultKey.parse(key.text) == key == VaultKey.parse(f" {key.text}=\n")
    assert len(key.text) == 43


@pytest.mark.parametrize(
    "text", ["", "short", "é" * 43, "!" * 43, "A" * 42, "A" * 44, "+" * 43, "A" * 42 + "B", "A" * 86]
)
def test_what_is_no_key_is_refused_without_being_shown(text: str) -> None:
    """It may be a key with a slip in it."""
    with pytest.raises(BadVaultKeyError) as raised:
        VaultKey.parse(text)

    assert "TD_VAULT_KEY" in str(raised.value)
    assert not text or text not in str(raised.value) + raised.value.hint


def test_a_short_passphrase_is_refused() -> None:
    """Trying all of them would take no time."""
    with pytest.raises(BadVaultKeyError):
        Passphrase("7 chars")


def test_a_passphrase_costs_what_it_should(tmp_path: Path) -> None:
    """As OWASP has it, unless a test says otherwise."""
    FileVault(tmp_path / "vault", PASSPHRASE).store("one", SECRET)

    assert list((tmp_path / "vault").read_bytes()[9:13]) == [1, 17, 8, 1]


def leaves(kind: type[VaultError]) -> Iterator[type[VaultError]]:
    """Every error of vaults."""
    for below in kind.__subclasses__():
        yield from (below, *leaves(below))


@pytest.mark.parametrize("kind", list(leaves(VaultError)), ids=lambda kind: kind.__name__)
def test_every_error_says_what_to_do_and_pickles(kind: type[VaultError]) -> None:
    """They may cross a process."""
    count = kind.__init__.__code__.co_argcount - 1 if "__init__" in vars(kind) else 0
    error = kind(*("a", "b")[:count])

    again = pickle.loads(pickle.dumps(error))

    assert (type(again), str(again), again.hint) == (kind, str(error), error.hint)
    assert error.hint
    assert kind.code != VaultError.code
