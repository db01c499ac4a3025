"""Every error that `replica` raises on purpose.

    ReplicaError
    ├── InputError              a value, name or URL that cannot be used
    ├── NotFoundError           no such row, mutation or conflict
    ├── AmbiguousIdError        a prefix that fits several ids
    ├── ConflictError           the row moved on since it was read
    ├── UnreachableError        the primary did not answer
    │   ├── NotSentError        …because it was not asked
    │   │   └── UntrustedError  …as what answers there does not prove that it is the primary
    │   ├── PrimaryBusyError    …but for saying that it has too much to do, and did nothing
    │   ├── OfflineError        …and the write was to be online, so nothing was queued
    │   └── UnknownOutcomeError …after it was asked to write, so nobody here can tell whether it did
    ├── OtherPrimaryError       the primary at this address is not the one that the replica belongs to
    ├── NotAllowedError         the primary, or our own rules, refuse the token
    │   └── TokenRefusedError   …as it does not hold there (any more): another one may
    ├── BusyError               another process holds the sync lock or the lease
    ├── SchemaMismatchError     a record and its table, or a migration and its record, differ
    ├── SchemaTooNewError       the database was migrated by a newer program
    ├── DamagedError            a file of ours that is not readable as what it should be
    │   ├── DamagedBaseError    …the base, which a sync fetches anew
    │   └── ForeignFileError    …because another program made it, or a newer one of ours
    ├── MovedError              a database that was moved to another place, and takes no more writes
    ├── MoveMismatchError       what arrived at the end of a move is not what was there
    ├── StorageError            disk full, read-only, no permission
    ├── QueryError              SQL that does not run
    │   └── WriteRefusedError   SQL that would write, on a connection that cannot
    ├── PullUnavailableError    no libsql client for this machine
    └── PrimaryError            the primary answered with an error we have no name for
        └── AnswerTooLargeError  …or will not send so much at once

Always true: `str(error)` is one line that says what happened, `error.hint` what to do next, `error.code` is
stable and meant for programs, and no text of an error holds a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class ReplicaError(Exception):
    """Something the caller may want to tell a person."""

    code: ClassVar[str] = "error"
    hint: str = ""


def _line(text: str) -> str:
    """What was typed, or answered by others, without its line breaks."""
    return " ".join(text.splitlines())


class _MessageError(ReplicaError):
    """An error that is told by a sentence of its own, and perhaps a hint of its own."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.message = _line(message)
        if hint is not None:
            self.hint = hint

    def __str__(self) -> str:
        return self.message


class InputError(_MessageError):
    """A value, name or URL that cannot be used; nothing was written."""

    code = "invalid_input"


class NotFoundError(ReplicaError):
    """No row, mutation or conflict has this id."""

    code = "not_found"
    hint = "check the id; the first few characters are enough if they fit only one"

    def __init__(self, kind: str, typed: str) -> None:
        super().__init__(kind, typed)
        self.kind, self.typed = kind, typed

    def __str__(self) -> str:
        return _line(f"no {self.kind} has the id {self.typed}")


class AmbiguousIdError(ReplicaError):
    """A prefix fits several ids."""

    code = "ambiguous_id"
    hint = "type more characters of the id"

    def __init__(self, kind: str, typed: str, candidates: Sequence[str]) -> None:
        self.kind, self.typed, self.candidates = kind, typed, tuple(candidates)
        super().__init__(kind, typed, self.candidates)

    def __str__(self) -> str:
        shown = ", ".join(self.candidates[:10])
        more = len(self.candidates) - 10
        tail = f" and {more} more" if more > 0 else ""
        return _line(f"{self.typed} fits several ids of {self.kind}: {shown}{tail}")


class ConflictError(ReplicaError):
    """The row moved on since it was read: read it again and decide.

    `current` is the row as it is now (a record), or None if it is gone. `seen` and `found` are stamps; "" means
    no row.
    """

    code = "conflict"
    hint = "nothing was written; read it again and decide"

    def __init__(self, table: str, row_id: str, *, seen: str, found: str, current: object = None) -> None:
        super().__init__(table, row_id)
        self.table, self.row_id, self.seen, self.found, self.current = table, row_id, seen, found, current

    def __reduce__(self) -> tuple[object, ...]:
        return _conflict_error, (self.table, self.row_id, self.seen, self.found, self.current)

    def __str__(self) -> str:
        row = f"{self.table} {_line(self.row_id)}"
        if not self.found:
            return f"{row} was deleted after you read it at {self.seen}"
        if not self.seen:
            return f"{row} exists already, written at {self.found}"
        return f"{row} was changed at {self.found}, after you read it at {self.seen}"


def _conflict_error(table: str, row_id: str, seen: str, found: str, current: object) -> ConflictError:
    return ConflictError(table, row_id, seen=seen, found=found, current=current)


class UnreachableError(_MessageError):
    """The primary did not answer; what was asked of it may or may not have been done."""

    code = "unreachable"
    hint = "your changes are safe here and go out with the next sync; check the network and the primary's address"


class NotSentError(UnreachableError):
    """The primary was not asked, because there was no time left for it, or as the subclass says."""


class UntrustedError(NotSentError):
    """What answers at the address does not prove to be the primary: no token and nothing else was sent there."""

    code = "untrusted"
    hint = "your changes are safe here; have the primary's certificate mended, then sync again"


class PrimaryBusyError(UnreachableError):
    """The primary answered that it has too much to do, and did nothing of what was asked; worth asking again soon."""

    hint = "your changes are safe here and go out with the next sync; the primary has too much to do right now"


class OfflineError(UnreachableError):
    """An online write could not reach the primary; nothing was queued."""

    hint = "nothing was queued; write without `online` to queue it, or try again"


class UnknownOutcomeError(UnreachableError):
    """The primary was asked to write and its answer was lost: the write may be there or not. Nothing was queued."""

    code = "unknown_outcome"
    hint = "look whether it is there, once the primary can be reached, before you write it again"

    def __init__(self, mutation_id: str, message: str) -> None:
        super().__init__(message)
        self.args = (mutation_id, message)
        self.mutation_id = mutation_id

    def __str__(self) -> str:
        return f"it is not known whether {self.mutation_id} was written: {self.message}"


class OtherPrimaryError(ReplicaError):
    """The primary at this address is another than the one that the replica belongs to; nothing was sent or fetched."""

    code = "other_primary"
    hint = (
        "what is here is safe; check the address, and whose token it is, because one address may have many databases; "
        "or `sync` with adopt_primary=True to move all of it to this primary"
    )

    def __init__(self, url: str, is_new: bool) -> None:  # noqa: FBT001 - unpickled by position
        super().__init__(url, is_new)
        self.url, self.is_new = url, is_new

    def __str__(self) -> str:
        told = "is new and empty" if self.is_new else "is another one"
        return f"the primary at {self.url} {told}, not the one that this replica belongs to"


class NotAllowedError(_MessageError):
    """The primary, or our own rules, refuse the token that was given."""

    code = "not_allowed"
    hint = "reads and writes go on here; give a valid token, then sync again"


class TokenRefusedError(NotAllowedError):
    """The primary answers 401 to the token: it ended, was revoked, or is of another primary (RFC 9110 15.5.2)."""


class BusyError(_MessageError):
    """Another process is doing what only one may do at a time."""

    code = "busy"
    hint = "it will finish by itself; try again in a moment"


class SchemaMismatchError(_MessageError):
    """A record and its table, or a migration and what was recorded of it, are not the same."""

    code = "schema_mismatch"


class SchemaTooNewError(ReplicaError):
    """The database was migrated by a newer program than this one."""

    code = "schema_too_new"
    hint = "reads go on and nothing is lost; upgrade this program to write"

    def __init__(self, found: int, known: int) -> None:
        super().__init__(found, known)
        self.found, self.known = found, known

    def __str__(self) -> str:
        return f"the database has schema version {self.found}, this program knows versions up to {self.known}"


class DamagedError(_MessageError):
    """A file of ours cannot be read as what it should be."""

    code = "damaged"


class DamagedBaseError(DamagedError):
    """The base cannot be read; `local.db`, with all that is pending, can."""

    hint = "`sync` sets it aside and fetches it anew"

    def __init__(self, message: str = "", hint: str | None = None) -> None:
        told = message or "the local copy of the primary (replica.db) is damaged; pending changes are safe"
        super().__init__(told, hint)


class ForeignFileError(DamagedError):
    """A file in the place of ours is of another program, or of a newer one of ours. Nothing was touched."""


class MovedError(_MessageError):
    """The database was moved to another place while it was open here, or just before; nothing was written."""

    code = "moved"
    hint = "nothing was written; open it where it is now, or finish the move"


class MoveMismatchError(ReplicaError):
    """What arrived is not what was there; nothing was switched, and what was there is as it was."""

    code = "move_mismatch"
    hint = "nothing was switched, and what is here is as it was; move again, and report this if it happens again"

    def __init__(self, tables: Sequence[str]) -> None:
        self.tables = tuple(tables)
        super().__init__(self.tables)

    def __str__(self) -> str:
        return f"what arrived is not what was sent, in {', '.join(self.tables)}"


class StorageError(_MessageError):
    """The disk is full, or the file or directory cannot be written."""

    code = "storage"
    hint = "earlier changes stand; free some space or mend the permissions, then try again"


class QueryError(_MessageError):
    """SQL that does not run."""

    code = "query"


class WriteRefusedError(QueryError):
    """SQL that would write, on a connection that only reads."""

    code = "write_refused"
    hint = "only reading is possible here; change rows through the program's own commands"


class PullUnavailableError(_MessageError):
    """There is no libsql client for this machine, so changes can be sent but not fetched."""

    code = "pull_unavailable"
    hint = (
        "install libsql-experimental 0.0.55 (CPython 3.10 to 3.13 on Linux x86-64 or macOS arm64), or use mode `remote`"
    )


class PrimaryError(_MessageError):
    """The primary answered with an error we have no better name for."""

    code = "primary"


class AnswerTooLargeError(PrimaryError):
    """The answer would be larger than the primary sends at once (10 MB by default): ask for less."""

    code = "answer_too_large"
    hint = "ask for fewer rows or columns at once"
