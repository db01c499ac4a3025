"""The primary in a simulation: one real sqld that is stopped, killed, copied, restored, emptied, and asked.

Always true: what `dump` returns was read from the primary itself, past every replica and every proxy.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

from sqld import Server
from tests.hrana_client import HranaClient
from tests.simulation.records import COLUMNS

Json = Any  # a JSON document of our own making

_CHANGES: Final = (
    "seq, mutation, position, table_name, row_id, kind, seen, stamp, json(fields), made_at, schema_version, yields"
)
_CHUNK: Final = 2_000


class PrimaryControl:
    """Holds one sqld over its lives."""

    def __init__(self, server: Server, folder: Path) -> None:
        """`server` runs already; copies of its data go to `folder`."""
        self._server, self._backup = server, folder / "backup"

    def start(self) -> None:
        """Have it run."""
        self._server.start()

    def stop(self) -> None:
        """Stop it cleanly."""
        self._server.stop()

    def crash(self) -> None:
        """Kill it."""
        self._server.kill()

    def back_up(self) -> None:
        """Keep a copy of its data as they are now."""
        self._server.stop()
        shutil.rmtree(self._backup, ignore_errors=True)
        shutil.copytree(self._data, self._backup)
        self._server.start()

    def can_restore(self) -> bool:
        """Whether there is a copy."""
        return self._backup.exists()

    def restore(self, *, keeps_log_id: bool) -> None:
        """Put the copy in the place of the data."""
        self._server.stop()
        shutil.rmtree(self._data)
        shutil.copytree(self._backup, self._data)
        if not keeps_log_id:
            for log in self._data.glob("*/wallog"):
                log.unlink()
        self._server.start()

    def empty(self) -> None:
        """Delete its data."""
        self._server.stop()
        shutil.rmtree(self._data)
        self._server.start()

    @property
    def _data(self) -> Path:
        return self._server.data_dir / "dbs"

    def mutations(self) -> list[str]:
        """The ids of the mutations that it holds."""
        return sorted({row[1] for row in self.dump()["changes"]})

    def dump(self) -> Json:
        """All that it holds: the history in order, the tables, the migrations and their traces."""
        with HranaClient(self._server.port) as client:
            there = {str(row[0]) for row in client.run("SELECT name FROM sqlite_schema WHERE type = 'table'")}
            rows: dict[str, list[Json]] = {}
            for table in COLUMNS:
                if table in there:
                    names = [str(row[1]) for row in client.run(f"PRAGMA table_info({table})")]
                    found = _json_rows(client, table, ", ".join(names), "id")
                    rows[table] = [dict(zip(names, row, strict=True)) for row in found]
            conflicts: list[Json] = []
            if "_replica_conflicts" in there:
                names = [str(row[1]) for row in client.run("PRAGMA table_info(_replica_conflicts)")]
                found = _json_rows(client, "_replica_conflicts", ", ".join(names), "id")
                conflicts = [dict(zip(names, row, strict=True)) for row in found]
            changes = _json_rows(client, "_replica_changes", _CHANGES, "seq") if "_replica_changes" in there else []
            applied = (
                _json_rows(client, "_replica_migrations", "owner, version", "owner, version")
                if "_replica_migrations" in there
                else []
            )
            runs = _json_rows(client, "migration_runs", "version", "number") if "migration_runs" in there else []
        return {
            "changes": changes,
            "rows": rows,
            "_replica_conflicts": conflicts,
            "migrations": applied,
            "migration_runs": [row[0] for row in runs],
        }


def _json_rows(client: HranaClient, table: str, columns: str, order: str) -> list[Json]:
    rows: list[Json] = []
    while True:
        sql = f"SELECT json_array({columns}) FROM {table} ORDER BY {order} LIMIT {_CHUNK} OFFSET {len(rows)}"
        found = [json.loads(str(row[0])) for row in client.run(sql)]
        rows += found
        if len(found) < _CHUNK:
            return rows
