"""Try a database in an sqld that nobody else knows of.

Only libSQL can read all that libSQL wrote: to plain SQLite the function of a vector index is unknown, so that even its
`integrity_check` fails.

Always true: the sqld of a trial listens on this machine only, takes no setting from the environment, and has ended when
the trial returns.
"""

import errno
import http.client
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqld.data_dir import LOCK_NAME, LOG_NAME, database_of
from sqld.errors import DamagedDatabaseError, StartError
from sqld.server import Server

# Of one answer: the check reads the whole database.
_DEADLINE_S: Final = 3600.0
# It rebuilds the replication log of what it is given before it answers.
_START_DEADLINE_S: Final = 600.0
_SPARE_BYTES: Final = 4 << 20
_TABLES: Final = (
    "SELECT name, substr(upper(sql), 1, 14) = 'CREATE VIRTUAL' FROM sqlite_schema"
    " WHERE type = 'table' AND name NOT GLOB 'sqlite_*' ORDER BY name"
)
_IDENTITY: Final = "_replica_primary"


@dataclass(frozen=True, slots=True)
class Contents:
    """What an sqld found in a database. tables: the rows of each. primary_id: see `_replica_primary` (DESIGN 9)."""

    tables: dict[str, int]
    primary_id: str | None


def contents_of(data_dir: Path, name: str, *, binary: Path) -> Contents:
    """Run an sqld on a data directory, have it check the database `default` there and count its rows.

    `name` is what an error calls the database. Raises DamagedDatabaseError, OSError where the disk is too full to tell,
    or SqldError if sqld cannot be run.
    """
    _require_space(data_dir)
    try:
        with _server(data_dir, binary) as server:
            contents = _contents(server.host, server.port)
    except StartError as error:
        raise DamagedDatabaseError(name, f"sqld does not start on it ({error.reason})") from error
    except (OSError, http.client.HTTPException) as error:
        raise DamagedDatabaseError(name, f"sqld stopped answering ({error})") from error
    except _RefusedError as error:
        raise DamagedDatabaseError(name, str(error)) from error
    _tidy(data_dir)
    return contents


def start_once(data_dir: Path, *, binary: Path) -> None:
    """Run an sqld on a whole data directory until it answers, and stop it. Raises SqldError."""
    with _server(data_dir, binary):
        pass
    _tidy(data_dir)


def _require_space(data_dir: Path) -> None:
    # The new log holds every page once more, and sqld does not tell a full disk from a damaged database.
    needed = (data_dir / database_of("default")).stat().st_size * 102 // 100 + _SPARE_BYTES
    if shutil.disk_usage(data_dir).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(data_dir))


class _RefusedError(Exception):
    """sqld answered with an error, or found one."""


def _server(data_dir: Path, binary: Path) -> Server:
    # A setting for the real one, bottomless replication above all, must not make this one act on the world.
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("SQLD_", "LIBSQL_"))}
    return Server(binary, data_dir=data_dir, environ=environ, start_deadline_s=_START_DEADLINE_S)


def _tidy(data_dir: Path) -> None:
    for name in (LOCK_NAME, LOG_NAME):
        (data_dir / name).unlink(missing_ok=True)


def _contents(host: str, port: int) -> Contents:
    connection = http.client.HTTPConnection(host, port, timeout=_DEADLINE_S)
    try:
        found, tables = _ask(connection, ["PRAGMA integrity_check(1)", _TABLES])
        if found != [["ok"]]:
            raise _RefusedError("; ".join(str(row[0]) for row in found))
        # What a virtual table shows is kept in plain ones beside it.
        names = [str(name) for name, is_virtual in tables if not int(is_virtual)]
        counts = _ask(connection, [f"SELECT count(*) FROM {_quoted(name)}" for name in names])  # noqa: S608 - quoted
        identity = _ask(connection, [f"SELECT id FROM {_IDENTITY}"])[0] if _IDENTITY in names else []  # noqa: S608
    finally:
        connection.close()
    rows = {name: int(counted[0][0]) for name, counted in zip(names, counts, strict=True)}
    return Contents(rows, str(identity[0][0]) if identity else None)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _ask(connection: http.client.HTTPConnection, statements: list[str]) -> list[list[list[Any]]]:  # cells as JSON
    """The rows of each statement, over Hrana 3."""
    requests = [{"type": "execute", "stmt": {"sql": sql}} for sql in statements]
    body = json.dumps({"baton": None, "requests": [*requests, {"type": "close"}]})
    connection.request("POST", "/v3/pipeline", body)
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace")
    if answer.status != 200:
        raise _RefusedError(f"sqld answers {answer.status}: {text[:200]}")
    results = json.loads(text)["results"][: len(statements)]
    refused = next((result["error"]["message"] for result in results if result["type"] != "ok"), None)
    if refused is not None:
        raise _RefusedError(refused)
    return [[[cell.get("value") for cell in row] for row in result["response"]["result"]["rows"]] for result in results]
