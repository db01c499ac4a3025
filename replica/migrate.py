"""Bring a database to the schema of this program.

The steps are the same on a file and on a primary; what differs is who guards them: a file by its write lock, a
primary by the lease (`lease.py`). Always true:
- a migration and the record of it commit in one transaction, so a crash leaves a whole version;
- a migration that is recorded never runs again, and one whose text has changed since is refused;
- ours come before the application's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from replica.errors import SchemaMismatchError, SchemaTooNewError
from replica.schema import Migration, Schema, load_migrations

OURS = "replica"
APPLICATION = "application"

BOOTSTRAP = (
    """CREATE TABLE IF NOT EXISTS _replica_migrations (
    owner TEXT NOT NULL, version INTEGER NOT NULL, name TEXT NOT NULL, checksum TEXT NOT NULL,
    session TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (owner, version))""",
    """CREATE TABLE IF NOT EXISTS _replica_lease (
    name TEXT PRIMARY KEY, holder TEXT NOT NULL, token INTEGER NOT NULL, expires REAL NOT NULL)""",
)
READ_APPLIED = "SELECT owner, version, checksum FROM _replica_migrations ORDER BY owner, version"
RECORD = "INSERT INTO _replica_migrations (owner, version, name, checksum, session, at) VALUES (?, ?, ?, ?, ?, ?)"

Applied = Mapping[tuple[str, int], str]


@dataclass(frozen=True, slots=True)
class Step:
    """One migration that has yet to run, and whose it is."""

    owner: str
    migration: Migration


@cache
def our_migrations() -> tuple[Migration, ...]:
    """The migrations of the toolkit's own tables."""
    return load_migrations(Path(__file__).with_name("migrations"))


def applied_from(rows: Sequence[Sequence[object]]) -> dict[tuple[str, int], str]:
    """What `READ_APPLIED` returned, by owner and version."""
    return {(str(owner), int(str(version))): str(checksum) for owner, version, checksum in rows}


def version_of(applied: Applied) -> int:
    """The application's schema version; 0 before its first migration."""
    return max((version for owner, version in applied if owner == APPLICATION), default=0)


def plan_migrations(schema: Schema, applied: Applied) -> list[Step]:
    """The migrations that have yet to run, in order.

    Raises SchemaTooNewError if the database knows more than this program, SchemaMismatchError if a migration was
    edited after it ran.
    """
    check_version(applied, schema)
    steps = []
    for owner, migrations in ((OURS, our_migrations()), (APPLICATION, schema.migrations)):
        for migration in migrations:
            recorded = applied.get((owner, migration.version))
            if recorded is None:
                steps.append(Step(owner, migration))
            elif recorded != migration.checksum:
                name = f"{migration.version:04d}_{migration.name}.sql"
                raise SchemaMismatchError(
                    f"migration {name} was changed after it ran",
                    "restore its text, and make the change in a new migration",
                )
    return steps


def migrate_file(connection: sqlite3.Connection, schema: Schema, *, session: str, at: str) -> None:
    """Bring a file to the program's schema; its write lock lets one process do it. Raises as `plan_migrations`."""
    applied = applied_in(connection)
    if applied is not None and not plan_migrations(schema, applied):
        return
    for statement in BOOTSTRAP:
        connection.execute(statement)
    while True:
        connection.execute("BEGIN IMMEDIATE")
        try:
            steps = plan_migrations(schema, applied_in(connection) or {})
            for step in steps[:1]:
                for statement in step.migration.statements:
                    connection.execute(statement)
                connection.execute(RECORD, record_of(step, session=session, at=at))
            connection.execute("COMMIT")
        except BaseException:
            # SQLite itself has rolled back where the disk was full.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        if not steps:
            return


def check_version(applied: Applied, schema: Schema) -> None:
    """Raise SchemaTooNewError where a newer program, or one with a newer toolkit, has migrated the database."""
    for owner, known in ((OURS, len(our_migrations())), (APPLICATION, schema.version)):
        newest = max((version for of, version in applied if of == owner), default=0)
        if newest > known:
            raise SchemaTooNewError(newest, known)


def record_of(step: Step, *, session: str, at: str) -> tuple[str, int, str, str, str, str]:
    """The values of `RECORD` for one step."""
    migration = step.migration
    return step.owner, migration.version, migration.name, migration.checksum, session, at


def applied_in(connection: sqlite3.Connection) -> Applied | None:
    """What is applied in a file; None before the first migration."""
    there = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = '_replica_migrations'").fetchone()
    return applied_from(connection.execute(READ_APPLIED).fetchall()) if there else None
