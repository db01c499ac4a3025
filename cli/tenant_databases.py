"""What the gateway has done to the databases of tenants, by td: their schema, and rows of programs without a replica.

Always true: a database is reached past nginx, by its namespace and with a token of its own tenant's, never another's.
"""

import base64
import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cli.documents import record_document
from sqld.gateway import Batch, Migrate, Op, Outcome, RefusedError, Result, TenantNotReadyError, WriteRows
from tracker import (
    Desk,
    Kind,
    ReplicaError,
    Tracker,
    batches,
    machine_id,
    open_tracker,
)

_LOG: Final = logging.getLogger(__name__)
_KINDS: Final = {Op.INSERT: Kind.INSERT, Op.UPDATE: Kind.UPDATE, Op.DELETE: Kind.DELETE}


def migrating(primary_url: str, directory: Path) -> Migrate:
    """Brings a tenant's database to the schema of td. directory: where td may keep what is of one machine."""

    def migrate(namespace: str, token: Callable[[], str]) -> None:
        try:
            _opened(primary_url, directory, namespace, token, "migration").replica.close()
        except ReplicaError as error:
            raise TenantNotReadyError(f"{error.code}: {error}") from error

    return migrate


def writing(primary_url: str, directory: Path) -> WriteRows:
    """Writes the rows of batches. directory: as of `migrating`."""

    def write(batch: Batch) -> list[Outcome]:
        wishes = [batches.RowWish(row.table, _KINDS[row.op], row.id, row.seen, row.fields) for row in batch.rows]
        try:
            with _opened(primary_url, directory, batch.namespace, batch.token, batch.sender) as tracker:
                return [_outcome(done) for done in batches.write_rows(tracker, wishes, request=batch.request_id)]
        except ReplicaError as error:
            _LOG.warning("batch not written", extra={"namespace": batch.namespace, "reason": error.code})
            raise RefusedError("unavailable", retry_after_s=1) from error

    return write


def _opened(primary_url: str, directory: Path, namespace: str, token: Callable[[], str], sender: str) -> Tracker:
    machine = machine_id()
    # The same sender is the same session in the history, however often it comes.
    digest = hashlib.sha256(sender.encode()).digest()
    session = f"ses_{machine}_{base64.b32encode(digest[:5]).decode().lower()[:6]}"
    return open_tracker(
        directory,
        mode="remote",
        url=primary_url,
        token=token,
        machine=machine,
        namespace=namespace,
        desk=Desk(session, f"gateway {sender}"),
    )


def _outcome(done: batches.RowDone) -> Outcome:
    if done.conflict:
        return Outcome(
            Result.CONFLICT, done.id, current=None if done.current is None else record_document(done.current)
        )
    if done.error is not None:
        return Outcome(Result.REFUSED, done.id, code=done.error.code, message=str(done.error))
    return Outcome(Result.APPLIED, done.id, updated_at=done.updated_at)
