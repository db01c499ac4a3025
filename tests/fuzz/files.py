"""Files of a replica as they may be found: damaged, foreign, older, newer, with a log of another moment."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

from replica import ForeignFileError, InputError, ReplicaError, salvage_outbox
from replica.local_format import FORMAT
from tests.fuzz.damage import Damage, damages
from tests.fuzz.documents import Edit, edited, edits, jsons
from tests.fuzz.kept import content, open_kept, stocked, use
from tests.fuzz.promise import answered, promised
from tests.fuzz.workbench import Workbench
from tests.replica.notebook import Note, add, open_notes
from tests.replica.team import Item, rows_of
from tests.replica.team import add as add_item

_ADDED_SINCE: Final = {1: ("originals", "sent", "lost"), 2: ("originals",)}


def _damaged(path: Path, damage: Damage) -> bytes:
    data = damage.of(path.read_bytes())
    path.write_bytes(data)
    return data


@promised(damages, examples=40)
def a_damaged_local_db_is_used_or_refused(bench: Workbench, damage: Damage) -> None:
    """Whatever is asked of it is done or refused in words; and what can be salvaged can be taken back."""
    directory = bench.copy(stocked(bench), "damaged")
    _damaged(directory / "local.db", damage)

    use(directory)

    salvaged = answered(lambda: salvage_outbox(directory))
    if isinstance(salvaged, ReplicaError):
        return
    opened = answered(lambda: open_kept(directory))
    assert not isinstance(opened, ReplicaError), opened
    with opened as member:
        taken = answered(lambda: member.recovery.import_pending(salvaged.file))
        answered(lambda: content(member))
        assert not isinstance(taken, ReplicaError) or content(member)[0] == []


@promised(damages, examples=12)
def a_damaged_base_costs_no_pending_change(bench: Workbench, damage: Damage) -> None:
    """What is asked of it is done or refused in words; what waits goes on waiting, also for another primary."""
    directory = bench.copy(stocked(bench), "base")
    with open_kept(directory) as member:
        ids = [mutation.id for mutation in member.pending()]
    _damaged(directory / "replica.db", damage)

    with open_kept(directory) as member:
        assert [mutation.id for mutation in member.pending()] == ids
        answered(lambda: rows_of(member))
        answered(lambda: member.history(Item, "milk"))
        written = answered(lambda: add_item(member, "after"))
        assert [mutation.id for mutation in member.pending()][: len(ids)] == ids
        assert len(member.pending()) == len(ids) + (not isinstance(written, ReplicaError))
    with open_kept(directory, bench.primary("healing").url) as member:
        report = answered(lambda: member.sync(deadline_s=5.0))
        assert not isinstance(report, ReplicaError)
        assert [mutation.id for mutation in member.pending()][: len(ids)] == ids
    use(directory)


@promised(st.tuples(st.integers(-(2**31), 2**31 - 1), st.integers(0, 9)), examples=30)
def a_foreign_or_newer_local_db_is_left_as_it_is(bench: Workbench, drawn: tuple[int, int]) -> None:
    """To the last byte, whatever its marks are."""
    mark, newer = drawn
    directory = bench.fresh("foreign")
    path = directory / "local.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        if newer:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE items (id TEXT, x)")
        connection.execute(f"PRAGMA application_id = {0x72706C63 if newer else mark}")
        connection.execute(f"PRAGMA user_version = {FORMAT + newer if newer else mark}")
    before = path.read_bytes()

    outcome = answered(lambda: open_kept(directory))
    salvaged = answered(lambda: salvage_outbox(directory))

    assert isinstance(outcome, ForeignFileError)
    assert isinstance(salvaged, ForeignFileError)
    assert path.read_bytes() == before
    assert sorted(file.name for file in directory.iterdir()) == ["local.db"]


@promised(st.tuples(st.sampled_from([1, 2]), st.booleans()), examples=4)
def a_local_db_of_an_older_make_is_taken_up_whole(bench: Workbench, drawn: tuple[int, bool]) -> None:
    """Tables that came later are made; what waits and what is shown stays."""
    made, is_older_file = drawn
    directory = bench.copy(stocked(bench), "older")
    with open_kept(directory) as member:
        before = content(member)
    with closing(sqlite3.connect(directory / "local.db")) as connection, connection:
        for table in _ADDED_SINCE[made]:
            connection.execute(f"DROP TABLE {table}")
        connection.execute(f"PRAGMA user_version = {0 if is_older_file else made}")

    with open_kept(directory) as member:
        assert content(member) == before
    assert not [name for name, came in use(directory).items() if isinstance(came, ReplicaError) and name != "sync"]


_LOGS: Final = ["random", "earlier", "other", "base"]


@promised(
    st.tuples(st.sampled_from(["local.db", "replica.db"]), st.sampled_from(["-wal", "-shm"]),
              st.sampled_from(_LOGS), st.binary(max_size=200), damages),
    examples=20,
)  # fmt: skip
def a_log_of_another_moment_is_used_or_refused(bench: Workbench, drawn: tuple[str, str, str, bytes, Damage]) -> None:
    """It lies beside the file after a crash, or a copy that was made of one file and not of the other."""
    name, companion, kind, data, damage = drawn
    directory = bench.copy(stocked(bench), "logged")
    logs = {"random": data, **_logs(bench)}
    (directory / f"{name}{companion}").write_bytes(damage.of(logs[kind]) if data[:1] > b"\x40" else logs[kind])

    use(directory)


def _logs(bench: Workbench) -> dict[str, bytes]:
    """Real logs: of the same file at an earlier moment, of another replica, and of a base."""
    directory, is_new = bench.template("logs")
    if is_new:
        copy = bench.copy(stocked(bench), "logging")
        with open_kept(copy) as member:
            content(member)
            member.undo()
            (directory / "earlier").write_bytes((copy / "local.db-wal").read_bytes())
            connection = sqlite3.connect(copy / "replica.db")
            with closing(connection):
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("DELETE FROM items")
                connection.commit()
                (directory / "base").write_bytes((copy / "replica.db-wal").read_bytes())
        other = bench.fresh("other")
        with open_notes(other) as notes:
            add(notes, "other")
            (directory / "other").write_bytes((other / "data.db-wal").read_bytes())
    return {name: (directory / name).read_bytes() for name in ("earlier", "other", "base")}


@promised(damages, examples=40)
def a_damaged_data_db_is_used_or_refused(bench: Workbench, damage: Damage) -> None:
    """In mode local there is only this file: each call ends in words, and a refused write changes nothing."""
    template, is_new = bench.template("data")
    if is_new:
        with open_notes(template) as notes:
            for number in range(60):
                add(notes, f"note {number}", body="long " * 200, tags={"x"}, stars=number)
    directory = bench.copy(template, "data")
    _damaged(directory / "data.db", damage)

    opened = answered(lambda: open_notes(directory))
    if isinstance(opened, ReplicaError):
        return
    with opened as notes:
        answered(lambda: notes.select(Note, "ORDER BY title"))
        answered(lambda: notes.query("SELECT count(*) FROM notes"))
        answered(notes.checks)
        answered(notes.status)
        answered(notes.undo)
        answered(lambda: add(notes, "after"))
        answered(lambda: [notes.history(Note, note.id) for note in notes.select(Note, "LIMIT 3")])


@promised(st.lists(edits, min_size=1, max_size=3) | st.binary(max_size=40) | jsons, examples=40)
def a_file_to_import_is_taken_whole_or_refused(bench: Workbench, drawn: object) -> None:
    """Refused, it changes nothing; taken, what was there before is still there, and all can be read."""
    directory = bench.copy(stocked(bench), "importing")
    file = directory / "pending.json"
    is_edited = isinstance(drawn, list) and bool(drawn) and all(isinstance(each, Edit) for each in drawn)
    if isinstance(drawn, bytes):
        file.write_bytes(drawn)
    else:
        file.write_text(json.dumps(edited(_salvaged(bench), drawn) if is_edited else drawn))  # type: ignore[arg-type] # checked
    with open_kept(directory) as member:
        before = content(member)

        taken = answered(lambda: member.recovery.import_pending(file))

        if isinstance(taken, ReplicaError):
            assert isinstance(taken, InputError), taken
            assert content(member) == before
            return
        assert set(before[0]) <= set(content(member)[0])
        came = use(directory)
        assert not [one for name, one in came.items() if isinstance(one, ReplicaError) and name in _READS], came


_READS: Final = ("open", "status", "pending", "select", "query", "conflicts", "lost", "pending after all")


def _salvaged(bench: Workbench) -> object:
    directory, is_new = bench.template("salvaged")
    file = directory / "file.json"
    if is_new:
        copy = bench.copy(stocked(bench), "salvaging")
        file.write_bytes(salvage_outbox(copy).file.read_bytes())
    document = json.loads(file.read_text())
    for number, mutation in enumerate(document["mutations"]):
        mutation["id"] = f"01900000-0000-7000-8000-{number:012d}"
    document["lost"] = document["mutations"][:1]
    return document
