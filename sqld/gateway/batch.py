"""`POST /sync/batch`: rows of programs that keep no replica.

Owns the form of the request and of the answer; what a table and a field are, the writer knows, which is given.
Always true:
- a request id stands for one request of one tenant: sent again it is answered as before, and changes nothing;
- each row is a mutation of its own, compared by the `updated_at` that its sender saw, and gets an outcome of its own;
- nothing is written of a request that does not have the form.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from sqld.gateway.refusals import RefusedError
from sqld.registry import Registry
from sqld.registry.requests import Request as KeptRequest

TABLES_MAX: Final = 16
ROWS_MAX: Final = 100
"""Of one table."""

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{8,100}")


class Op(StrEnum):
    """What is to be done to a row."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


_SEEN: Final = frozenset({"op", "id", "updated_at"})
# What a row needs to have, and what it may have.
_NAMES: Final = {
    Op.INSERT: (frozenset({"op", "fields"}), frozenset({"op", "id", "fields"})),
    Op.UPDATE: (_SEEN | {"fields"}, _SEEN | {"fields"}),
    Op.DELETE: (_SEEN, _SEEN),
}


class Result(StrEnum):
    """applied: it is written. conflict: the row is not as its sender saw it. refused: it cannot be written so."""

    APPLIED = "applied"
    CONFLICT = "conflict"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RowToWrite:
    """seen: the `updated_at` of the row as its sender read it; "" for an insert. id: may be "" for an insert."""

    table: str
    op: Op
    id: str
    seen: str
    fields: Mapping[str, Any]  # any JSON; the writer checks it


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one row. updated_at: after it was written. current: the row as it is, where that is in the way."""

    result: Result
    id: str
    updated_at: str = ""
    current: Mapping[str, Any] | None = None  # a row as JSON
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows to write into the database of a namespace, under the name of who sends them.

    token: opens the database. sender: a name for the history, of letters, digits, `_` and `-`.
    """

    namespace: str
    token: Callable[[], str]
    sender: str
    request_id: str
    rows: Sequence[RowToWrite]


class WriteRows(Protocol):
    """Writes the rows of a batch to a primary."""

    def __call__(self, batch: Batch) -> list[Outcome]:
        """One outcome for each row, in order.

        Rows of a batch that was written before, as far as it came, are told as applied and not written again.
        Raises RefusedError where the primary cannot be asked; rows before may have been written then.
        """


def read_batch(body: bytes) -> tuple[str, list[RowToWrite]]:
    """The request id and the rows of a body. Raises RefusedError, and tells where it is wrong."""
    try:
        # NaN and Infinity are not JSON, though Python reads them.
        document = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RefusedError("bad_request", detail="the body is not JSON") from error
    if not isinstance(document, dict) or document.keys() != {"request_id", "rows"}:
        raise _bad("the body is an object of request_id and rows")
    request_id, tables = document["request_id"], document["rows"]
    if not isinstance(request_id, str) or not _REQUEST_ID.fullmatch(request_id):
        raise _bad("request_id is 8 to 100 letters, digits and . _ : -")
    if not isinstance(tables, dict) or not all(isinstance(rows, list) and rows for rows in tables.values()):
        raise _bad("rows is an object: a list of rows, not empty, for each table")
    if not 1 <= len(tables) <= TABLES_MAX or any(len(rows) > ROWS_MAX for rows in tables.values()):
        raise _bad(f"a batch holds rows of 1 to {TABLES_MAX} tables, and up to {ROWS_MAX} of each")
    return request_id, [_row(table, place, row) for table, rows in tables.items() for place, row in enumerate(rows)]


def _row(table: str, place: int, row: object) -> RowToWrite:
    where = f"row {place} of {table[:60]!a}"
    if not isinstance(row, dict):
        raise _bad(f"{where} is an object")
    try:
        op = Op(str(row.get("op")))
    except ValueError as error:
        raise _bad(f"{where}: op is one of {', '.join(Op)}") from error
    needed, allowed = _NAMES[op]
    if not needed <= row.keys() <= allowed:
        raise _bad(f"{where}: {op} takes {', '.join(sorted(allowed))}, and needs {', '.join(sorted(needed))}")
    row_id, seen, fields = row.get("id", ""), row.get("updated_at", ""), row.get("fields", {})
    if not isinstance(row_id, str) or not isinstance(seen, str) or not isinstance(fields, dict):
        raise _bad(f"{where}: id and updated_at are texts, fields is an object")
    if op is not Op.INSERT and not (row_id and seen):
        raise _bad(f"{where}: {op} needs the id and the updated_at of the row as you read it")
    return RowToWrite(table, op, row_id, seen, fields)


def _bad(detail: str) -> RefusedError:
    return RefusedError("bad_request", detail=detail)


def _no_number(name: str) -> float:
    raise ValueError(name)


def answer_of(request_id: str, rows: Sequence[RowToWrite], outcomes: Sequence[Outcome]) -> str:
    """What is answered to a batch, as JSON: the outcomes by table, in the order of the request."""
    by_table: dict[str, list[dict[str, object]]] = {}
    for row, outcome in zip(rows, outcomes, strict=True):
        told: dict[str, object] = {"id": outcome.id, "outcome": outcome.result.value}
        if outcome.updated_at:
            told["updated_at"] = outcome.updated_at
        if outcome.result is Result.CONFLICT:
            told["current"] = outcome.current
        if outcome.result is Result.REFUSED:
            told["error"] = {"code": outcome.code, "message": outcome.message}
        by_table.setdefault(row.table, []).append(told)
    return json.dumps({"request_id": request_id, "rows": by_table})


def kept_answer(registry: Registry, tenant: str, request_id: str, body: bytes) -> str | None:
    """What was answered to this request before. Raises RefusedError if the id was used for another."""
    kept = registry.requests.find(tenant, request_id)
    if kept is None:
        return None
    if kept.sha256 != hashlib.sha256(body).hexdigest():
        raise RefusedError("request_reused")
    return kept.answer


def keep_answer(registry: Registry, tenant: str, request_id: str, body: bytes, answer: str, *, now: float) -> str:
    """Keep an answer; returns what is kept, which is another where the same request was answered meanwhile."""
    made = KeptRequest(tenant, request_id, hashlib.sha256(body).hexdigest(), answer, int(now))
    return registry.requests.add(made).answer
