"""`td doctor`: every part is looked at, also where another is broken."""

import sqlite3
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version

import pytest

from cli.commands import doctor
from sqld import Server
from tests.cli.program import Program
from tests.replica.team import Truth
from tracker import Mode


def checks_of(program: Program) -> dict[str, dict[str, object]]:
    """What it found, by name; whatever it found, the document is whole."""
    return {check["name"]: check for check in program("doctor", "--json").document()["checks"]}


def spoil(program: Program, name: str) -> None:
    """Make a file of ours one that nobody can read."""
    for path in (program.directory / ".todos").glob(f"{name}-*"):
        path.unlink()
    (program.directory / ".todos" / name).write_bytes(b"this is no database\n" * 300)


def test_a_damaged_local_db_does_not_keep_the_rest_from_being_looked_at(laptop: Program) -> None:
    """And the hint goes further than to run td doctor again."""
    spoil(laptop, "local.db")
    before = sorted(path.name for path in (laptop.directory / ".todos").iterdir())

    found = checks_of(laptop)

    assert {name for name, check in found.items() if not check["ok"]} == {"local.db"}
    assert {"packages", "config", "replica.db", "sync.lock", "primary"} < set(found)
    assert "keep a copy" in str(found["local.db"]["hint"])
    assert "td doctor --repair" in str(found["local.db"]["hint"])
    assert sorted(path.name for path in (laptop.directory / ".todos").iterdir()) == before


def test_a_damaged_copy_of_the_primary_is_told_and_the_outbox_is_not_blamed(laptop: Program) -> None:
    """Status says how it stands instead of failing."""
    laptop.create("Oat milk")
    spoil(laptop, "replica.db")

    found, status = checks_of(laptop), laptop.done("status", "--json").document()

    assert {name for name, check in found.items() if not check["ok"]} == {"replica.db"}
    assert found["outbox"]["detail"] == "1 pending"
    assert (status["issues"], status["state"], status["pending"]) == (None, "damaged", 1)
    assert "replica.db" in status["waits_because"]


def test_all_that_is_wrong_is_told_at_once(laptop: Program, primary_server: Server) -> None:
    """A damaged file, a missing copy, a primary that does not answer."""
    spoil(laptop, "local.db")
    (laptop.directory / ".todos" / "replica.db").unlink()
    primary_server.stop()

    found = checks_of(laptop)

    assert {name for name, check in found.items() if not check["ok"]} == {"local.db", "replica.db", "primary"}
    assert all(check["hint"] for check in found.values() if not check["ok"])


def test_a_damaged_data_db_says_what_to_do(td: Program) -> None:
    """In mode local it is all there is."""
    spoil(td, "data.db")

    found = checks_of(td)

    assert {name for name, check in found.items() if not check["ok"]} == {"data.db"}
    assert "keep a copy" in str(found["data.db"]["hint"])


def test_a_config_that_cannot_be_read_is_told(td: Program) -> None:
    """By its own name."""
    (td.directory / ".todos" / "config.json").write_text("{")

    found = checks_of(td)

    assert {name for name, check in found.items() if not check["ok"]} == {"config"}


@pytest.mark.parametrize("mode", list(Mode))
def test_a_missing_package_is_told_where_it_is_needed(monkeypatch: pytest.MonkeyPatch, mode: Mode) -> None:
    """Without it nothing is fetched in the modes that have a copy here."""

    def without_the_client(name: str) -> str:
        if name == "libsql-experimental":
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(doctor, "version", without_the_client)

    check = doctor.packages(mode)

    assert check.ok == (mode in (Mode.LOCAL, Mode.REMOTE))
    assert check.ok or "install libsql-experimental" in check.hint
    assert "no libsql-experimental" in check.detail


def test_a_hint_names_what_a_person_types(laptop: Program) -> None:
    """And not what a program calls."""
    (laptop.directory / ".todos" / "replica.db").unlink()

    assert str(checks_of(laptop)["replica.db"]["hint"]).startswith("run td sync once")


FROM_THE_FUTURE = (
    "INSERT INTO _replica_migrations SELECT owner, 99, 'from_the_future', checksum, session, at "
    "FROM _replica_migrations WHERE owner = 'application' AND version = 1"
)


def test_a_schema_newer_than_the_program_is_not_well(laptop: Program, td: Program, primary_server: Server) -> None:
    """Reading goes on and writing does not: somebody has to know."""
    Truth(primary_server.port).run(FROM_THE_FUTURE)
    with closing(sqlite3.connect(td.directory / ".todos" / "data.db")) as connection, connection:
        connection.execute(FROM_THE_FUTURE)

    for program in (laptop, td):
        found = checks_of(program)
        assert {name for name, check in found.items() if not check["ok"]} == {"schema"}
        assert "upgrade" in str(found["schema"]["hint"])
