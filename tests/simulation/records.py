"""What the simulated programs keep: the old program knows schema 1, the new one schema 3.

Owns the tables, their merge rules and the rows that everybody fights over.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from replica import Record, Replica, Rule, open_replica
from replica.records import rules_of

_MIGRATIONS: Final = Path(__file__).with_name("migrations")


class Project(Record, table="projects"):
    """A row with a unique code."""

    name: str
    code: str | None = None


class OldTask(Record, table="tasks"):
    """A field for each merge rule, and a reference."""

    title: str
    owner: Annotated[str, Rule.LAST] = ""
    labels: Annotated[frozenset[str], Rule.UNION] = frozenset()
    notes: Annotated[str, Rule.TEXT] = ""
    best: Annotated[int | None, Rule.MAX] = None
    least: Annotated[int | None, Rule.MIN] = None
    spent: Annotated[int, Rule.SUM] = 0
    project: str | None = None


class Task(OldTask, table="tasks"):
    """A task of the new program."""

    priority: int = 0


class Scrap(Record, table="scraps"):
    """A table that the new program does without."""

    text: str


@dataclass(frozen=True, slots=True)
class Program:
    """One version of the program: the schema version it brings, and its records."""

    version: int
    records: tuple[type[Record], ...]

    def record_of(self, table: str) -> type[Record]:
        """The record class of one of its tables."""
        return next(record for record in self.records if record.replica_table == table)

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns of one of its tables, without `id` and `updated_at`."""
        return tuple(column.name for column in self.record_of(table).replica_columns)


OLD: Final = Program(1, (Project, OldTask, Scrap))
NEW: Final = Program(3, (Project, Task))
PROGRAMS: Final = {program.version: program for program in (OLD, NEW)}

HOT: Final = {
    "projects": ("project-hot-0", "project-hot-1"),
    "tasks": ("task-hot-0", "task-hot-1", "task-hot-2", "task-hot-3"),
    "scraps": ("scrap-hot-0",),
}
"""The rows that everybody changes."""

COLUMNS: Final = {"projects": NEW.columns("projects"), "tasks": NEW.columns("tasks"), "scraps": OLD.columns("scraps")}
"""All columns that a table ever has."""

RULES: Final = {
    "projects": rules_of(Project),
    "tasks": rules_of(Task),
    "scraps": rules_of(Scrap),
}
DEFAULTS: Final[dict[str, dict[str, int]]] = {"projects": {}, "tasks": {"priority": 0}, "scraps": {}}
"""What a column added by a migration shows in rows that were written before it."""


def write_migrations(folder: Path) -> None:
    """Put the migrations of each program into a folder of its own, as its author would ship it."""
    for version in PROGRAMS:
        target = folder / str(version)
        target.mkdir(parents=True, exist_ok=True)
        for source in sorted(_MIGRATIONS.glob("*.sql"))[:version]:
            shutil.copy(source, target)


def open_program(
    program: Program, directory: Path, url: str, *, migrations: Path, name: str, clock: Callable[[], float]
) -> Replica:
    """Open the replica in a directory as one process of one program; its machine is the directory's name."""
    machine = f"{directory.name:0<8}"
    return open_replica(
        directory,
        records=program.records,
        migrations=migrations / str(program.version),
        mode="libsql",
        url=url,
        machine=machine,
        session=f"ses_{machine}_{name:0<6}",
        clock=clock,
    )
