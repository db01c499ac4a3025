"""A small application on the toolkit, for tests: notes, and shelves whose ids a person would type."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Final

from replica import Record, Replica, Rule, open_replica

MIGRATIONS: Final = Path(__file__).with_name("migrations")


class Note(Record, table="notes"):
    """A row with a field for most of the merge rules."""

    title: str
    body: Annotated[str, Rule.TEXT] = ""
    tags: Annotated[frozenset[str], Rule.UNION] = frozenset()
    stars: Annotated[int, Rule.SUM] = 0
    weight: float | None = None


class Shelf(Record, table="shelves", id_prefix="sh-"):
    """A row with a short id."""

    label: str


def open_notes(
    directory: Path,
    mode: str = "local",
    url: str | None = None,
    *,
    records: Sequence[type[Record]] = (Note, Shelf),
    migrations: Path = MIGRATIONS,
    token: Callable[[], str | None] | None = None,
    session: str | None = None,
    machine: str = "laptop00",
    clock: Callable[[], float] = time.time,
    namespace: str | None = None,
) -> Replica:
    """Open the notebook in a directory."""
    return open_replica(
        directory,
        records=records,
        migrations=migrations,
        mode=mode,
        url=None if mode == "local" else url,
        token=token,
        session=session,
        machine=machine,
        clock=clock,
        namespace=namespace,
    )


def settle(notes: Replica) -> None:
    """Sync until nothing is pending; in the modes without a replica there is nothing to do."""
    report = notes.sync()
    assert report.error is None, report
    assert report.pending == 0, report


def add(notes: Replica, title: str, **fields: object) -> Note:
    """One note, in a transaction of its own."""
    with notes.transaction() as tx:
        return tx.insert(Note.model_validate({"title": title, **fields}))


def titles(notes: Replica) -> list[str]:
    """What is in the notebook, in order."""
    return [note.title for note in notes.select(Note, "ORDER BY title")]


def migrations_with(folder: Path, *more: str) -> Path:
    """The migrations of the notebook and some more, in a folder of their own."""
    folder.mkdir()
    first = (MIGRATIONS / "0001_notes.sql").read_text()
    for number, text in enumerate((first, *more), 1):
        (folder / f"{number:04d}_{'notes' if number == 1 else f'step_{number}'}.sql").write_text(text)
    return folder


def until(reached: Callable[[], bool], *, timeout_s: float = 20.0) -> None:
    """Wait for something that another process does; fail loudly if it never happens."""
    deadline = time.monotonic() + timeout_s
    pause = threading.Event()
    while not reached():
        assert time.monotonic() < deadline, "it never happened"
        pause.wait(0.002)
