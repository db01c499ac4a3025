"""A damaged `local.db`: what can be read of it is taken back, whole or not at all, and the original is kept."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from replica import DamagedError, ForeignFileError, InputError, NotFoundError, Replica, salvage_outbox
from replica.salvage import read_pending
from sqld import Server
from tests.faults import FaultProxy
from tests.replica.epics import finish, titles, two_members
from tests.replica.team import Item, Team, Truth, add, all_synced, change, rows_of, synced

Spoil = Callable[[bytearray], None]


def _header(data: bytearray) -> None:
    data[:100] = b"\x55" * 100


def _first_page(data: bytearray) -> None:
    data[:4096] = b"\x55" * 4096


def _nothing(_data: bytearray) -> None:
    pass


def _write(laptop: Replica) -> list[str]:
    """Mutations of one and of several rows, long ones, and many. Returns their ids."""
    ids = [change(laptop, "milk", title="oat milk", body="of oats\n" * 2000)]
    for number in range(120):
        with laptop.transaction() as tx:
            tx.insert(Item(id=f"item {number}", title=f"number {number}", stars=number))
            tx.update(tx.get(Item, "bread"), stars=number + 1)
            ids.append(tx.mutation_id)
    return ids


@pytest.fixture
def laptop(team: Team) -> Replica:
    """Two items, on the primary as well."""
    member = team.join("laptop")
    for name in ("milk", "bread"):
        add(member, name, id=name)
    synced(member)
    return member


@pytest.mark.parametrize("spoil", [_nothing, _header, _first_page])
@pytest.mark.parametrize("is_in_log", [True, False])
def test_i1_what_was_acknowledged_is_taken_back_from_a_file_that_sqlite_refuses(
    team: Team, truth: Truth, laptop: Replica, spoil: Spoil, *, is_in_log: bool
) -> None:
    """Every mutation, under its id and in its order; the damaged file stays beside."""
    directory = team.directory_of("laptop")
    ids = _write(laptop)
    seen = rows_of(laptop)
    if is_in_log:
        # As a crash leaves it.
        database, log = (directory / "local.db").read_bytes(), (directory / "local.db-wal").read_bytes()
        laptop.close()
        (directory / "local.db-wal").write_bytes(log)
    else:
        laptop.close()
        database = (directory / "local.db").read_bytes()
    damaged = bytearray(database)
    spoil(damaged)
    (directory / "local.db").write_bytes(damaged)

    salvaged = salvage_outbox(directory)
    again = team.join("laptop")
    taken = again.recovery.import_pending(salvaged.file)

    assert [mutation.id for mutation in taken] == ids
    assert (salvaged.pending.incomplete, salvaged.pending.fragments) == ([], [])
    assert salvaged.kept.read_bytes() == bytes(damaged)
    assert rows_of(again) == seen
    assert synced(again).pushed == len(ids)
    assert truth.applied()[-len(ids) :] == ids
    assert rows_of(again) == truth.rows() == seen


def test_a_consequence_that_was_taken_back_still_gives_way(team: Team, truth: Truth) -> None:
    """The mutation was not sent before the file was damaged, and another was faster meanwhile."""
    laptop, desktop = two_members(team)
    finish(laptop)
    laptop.close()
    change(desktop, "epic", title="blocked")
    synced(desktop)

    salvaged = salvage_outbox(team.directory_of("laptop"))
    again = team.join("laptop")
    again.recovery.import_pending(salvaged.file)

    assert (synced(again).parked, titles(truth)) == (0, ("done", "blocked"))


def test_i2_what_the_primary_has_already_is_not_applied_again(
    team: Team, truth: Truth, network: FaultProxy, laptop: Replica
) -> None:
    """The reply was lost, and then the file was damaged."""
    change(laptop, "bread", stars=1)
    network.cut_reply_after(0, matching="COMMIT")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("replica.delivery._ATTEMPTS", 0)
        assert laptop.sync().error is not None
    laptop.close()

    salvaged = salvage_outbox(team.directory_of("laptop"))
    again = team.join("laptop")
    again.recovery.import_pending(salvaged.file)
    again.recovery.import_pending(salvaged.file)
    synced(again)

    assert truth.run("SELECT stars FROM items WHERE id = 'bread'") == [["1"]]
    assert rows_of(again) == truth.rows()


def test_i5_a_mutation_of_which_a_part_is_gone_is_not_taken_back_in_half(team: Team, laptop: Replica) -> None:
    """It is named, and what is left of it is in the file for a person to look at; the others are whole."""
    ids = _write(laptop)
    laptop.close()
    data = (team.directory_of("laptop") / "local.db").read_bytes()
    pages = range(4096, len(data), 4096)
    whole: set[str] = set()
    parts = 0
    for page in pages:
        pending = read_pending(data[:page] + b"\x55" * 4096 + data[page + 4096 :])
        for mutation in pending.mutations:
            if mutation.id in ids[1:]:
                assert [one.table for one in mutation.changes] == ["items", "items"], "half a mutation"
        assert {mutation.id for mutation in pending.mutations} <= set(ids)
        whole |= {mutation.id for mutation in pending.mutations}
        parts += bool(pending.incomplete or pending.fragments)

    assert whole == set(ids)
    assert parts > 0


def test_what_was_merged_is_taken_back_as_its_author_made_it(
    team: Team, truth: Truth, network: FaultProxy, laptop: Replica
) -> None:
    """And merged again with what is there by then."""
    desktop = team.join("desktop")
    all_synced(laptop, desktop)
    change(desktop, "bread", stars=10)
    synced(desktop)
    change(laptop, "bread", stars=1)
    network.lose_next_reply(matching="UPDATE")
    laptop.sync()
    laptop.close()

    salvaged = salvage_outbox(team.directory_of("laptop"))
    again = team.join("laptop")
    again.recovery.import_pending(salvaged.file)
    synced(again)

    assert truth.run("SELECT stars FROM items WHERE id = 'bread'") == [["11"]]


def test_what_was_settled_is_not_salvaged(team: Team, laptop: Replica) -> None:
    """Its pages may still be in the file, but they are free."""
    _write(laptop)
    synced(laptop)
    laptop.close()

    assert salvage_outbox(team.directory_of("laptop")).pending.mutations == []


def test_the_file_is_for_the_replica_that_it_came_from(
    team: Team, laptop: Replica, sqld_binary: Path, tmp_path: Path
) -> None:
    """To another primary, these would be changes of rows it never had."""
    change(laptop, "milk", title="oat milk")
    laptop.close()
    salvaged = salvage_outbox(team.directory_of("laptop"))
    with Server(sqld_binary) as other:
        stranger = team.join("stranger", url=other.url)
        synced(stranger)

        with pytest.raises(InputError, match="another primary"):
            stranger.recovery.import_pending(salvaged.file)


@pytest.mark.parametrize(
    "text",
    ["", "no json", "[]", "{}", '{"format": "other"}', '{"format": "replica pending 1", "primary": 1}'],
)
def test_a_file_that_is_none_of_ours_is_refused(laptop: Replica, tmp_path: Path, text: str) -> None:
    """With a line that says so, and nothing taken."""
    (tmp_path / "file.json").write_text(text)

    with pytest.raises(InputError):
        laptop.recovery.import_pending(tmp_path / "file.json")
    with pytest.raises(InputError):
        laptop.recovery.import_pending(tmp_path / "no such file")

    assert laptop.pending() == []


def test_without_a_file_there_is_nothing_to_salvage(tmp_path: Path) -> None:
    """And nothing is made."""
    with pytest.raises(NotFoundError):
        salvage_outbox(tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("pragma", ["application_id = 7", "application_id = 0", "user_version = 99"])
def test_a_file_of_another_program_or_of_a_newer_make_is_not_taken_apart(
    team: Team, laptop: Replica, pragma: str
) -> None:
    """It is not damaged, and stays where it is."""
    laptop.close()
    path = team.directory_of("laptop") / "local.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"PRAGMA {pragma}")
    before = path.read_bytes()

    with pytest.raises(ForeignFileError):
        salvage_outbox(path.parent)

    assert path.read_bytes() == before


def test_until_it_is_salvaged_a_damaged_file_is_refused_and_left_as_it_is(team: Team, laptop: Replica) -> None:
    """The error says what to do."""
    laptop.close()
    path = team.directory_of("laptop") / "local.db"
    data = bytearray(path.read_bytes())
    _header(data)
    path.write_bytes(data)

    with pytest.raises(DamagedError):
        team.join("laptop")

    assert path.read_bytes() == bytes(data)
