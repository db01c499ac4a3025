"""Salvage: what can still be read of a damaged `local.db`, in a file of its own that can be taken back.

Always true:
- the damaged file is kept as it is, under another name;
- a mutation is taken out only whole: where a part of it cannot be read, all of it is listed as a fragment;
- taken back, a mutation keeps its id: if the primary has it already, it is not applied again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from replica.drivers.embedded import LOCAL_FILE
from replica.errors import ForeignFileError, InputError, NotFoundError, StorageError
from replica.local_format import FORMAT
from replica.mutation import Change, Kind, Mutation, decode_changes, decode_fields, encode_changes
from replica.outbox import State
from replica.pages import Record, header, records
from replica.report import Pending, Salvaged
from replica.sqlite_file import APPLICATION_ID
from replica.storable import check_storable
from replica.sync_lock import sync_lock

_FORMAT: Final = "replica pending 2"
# The same, without changes that yield.
_FORMATS: Final = ("replica pending 1", _FORMAT)
_COMPANIONS: Final = ("", "-wal", "-shm")
_ID_LENGTH: Final = 36


@dataclass(slots=True)
class _Found:
    headers: dict[int, Mutation] = field(default_factory=dict)
    changes: dict[int, dict[int, Change]] = field(default_factory=dict)
    expected: set[tuple[str, int, int]] = field(default_factory=set)
    originals: dict[int, tuple[Change, ...]] = field(default_factory=dict)
    lost: dict[int, Mutation] = field(default_factory=dict)
    primary: str = ""


def salvage_file(directory: Path, *, at: str) -> Salvaged:
    """Read what can be read of `directory/local.db`, keep it in a file, and put the damaged one out of the way.

    at: a stamp, for the names of both files. Raises NotFoundError without a `local.db`, ForeignFileError for one that
    is not ours, BusyError while a sync runs, StorageError.
    """
    source = directory / LOCAL_FILE
    if not source.exists():
        raise NotFoundError("file", str(source))
    name = at.replace(":", "").replace("-", "").split(".")[0]
    # Before a lock is made beside it.
    _refuse_foreign(source, header(*_bytes_of(source)))
    with sync_lock(directory, wait_s=0.0, sleep=time.sleep):
        try:
            pending = read_pending(*_bytes_of(source))
            file, kept = directory / f"salvaged-{name}.json", directory / f"local-damaged-{name}.db"
            write_pending(file, pending)
            for companion in _COMPANIONS:
                with suppress(FileNotFoundError):
                    Path(f"{source}{companion}").rename(f"{kept}{companion}")
        except OSError as error:
            raise StorageError(f"cannot put {source} out of the way: {error.strerror}") from error
    return Salvaged(file, kept, pending)


def _bytes_of(path: Path) -> tuple[bytes, bytes]:
    """A database file and its log, if it has one."""
    log = Path(f"{path}-wal")
    try:
        return path.read_bytes(), log.read_bytes() if log.exists() else b""
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error


def _refuse_foreign(path: Path, head: bytes) -> None:
    application, made = int.from_bytes(head[68:72], "big"), int.from_bytes(head[60:64], "big")
    if head[:16] == b"SQLite format 3\0" and (application != APPLICATION_ID or made > FORMAT):
        raise ForeignFileError(f"{path} is of another program, or of a newer one of ours", "nothing was touched")


def read_pending(database: bytes, log: bytes = b"") -> Pending:
    """What the bytes of a `local.db` and of its log hold of the outbox. Pure."""
    found = _Found()
    for record in records(database, log):
        with suppress(ValueError, TypeError, KeyError, IndexError):
            _sort_in(record, found)
    # Rows of a table can look like the index that tells how many changes there were; those do not name a table.
    tables = {change.table for changes in found.changes.values() for change in changes.values()}
    expected: dict[int, set[int]] = {}
    for table, seq, position in found.expected:
        if table in tables:
            expected.setdefault(seq, set()).add(position)
    pending = Pending([], [found.lost[seq] for seq in sorted(found.lost)], [], [], found.primary)
    for seq in sorted(found.headers.keys() | found.changes.keys()):
        head, changes = found.headers.get(seq), found.changes.get(seq, {})
        is_whole = bool(changes) and set(changes) == set(range(len(changes))) >= expected.get(seq, set())
        if head is not None and seq in found.originals:
            # As its author made it, before it was merged: the push will find out again what to do.
            pending.mutations.append(replace(head, changes=found.originals[seq]))
        elif head is not None and is_whole:
            pending.mutations.append(replace(head, changes=tuple(changes[at] for at in range(len(changes)))))
        else:
            pending.incomplete.extend([head.id] if head is not None else [])
            pending.fragments.extend(changes[at] for at in sorted(changes))
    return pending


def _sort_in(record: Record, found: _Found) -> None:
    """Take a record for what its shape says it is; pages do not tell of which table they are."""
    match record.rowid, record.values:
        case int(seq), (None, str(id_), str(session), str(machine), str(at), int(version), str(last)):
            if len(id_) != _ID_LENGTH:
                return
            if last in set(State):
                found.headers[seq] = Mutation(id_, session, machine, at, version, ())
            else:
                found.lost[seq] = Mutation(id_, session, machine, at, version, decode_changes(last))
        case int(seq), (None, str(text)):
            found.originals[seq] = decode_changes(text)
        case None, (
            int(seq), int(position), str(table), str(row_id), str(kind), str(seen), str(stamp), str(text), _, *yields
        ):  # fmt: skip
            # A row from before there were changes that yield does not have the last value.
            change = Change(table, row_id, Kind(kind), seen, stamp, decode_fields(text), yields=any(yields))
            found.changes.setdefault(seq, {})[position] = change
        case None, (str(table), str(), int(seq), int(position)):
            found.expected.add((table, seq, position))
        case None, ("primary", str(primary)):
            found.primary = primary


def write_pending(path: Path, pending: Pending) -> None:
    """Write what was salvaged. Raises OSError."""
    document = {
        "format": _FORMAT,
        "primary": pending.primary,
        "mutations": [_document(mutation) for mutation in pending.mutations],
        "lost": [_document(mutation) for mutation in pending.lost],
        "incomplete": pending.incomplete,
        "fragments": json.loads(encode_changes(pending.fragments)),
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def load_pending(path: Path) -> Pending:
    """What `write_pending` wrote. Raises InputError for any other file."""
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))  # checked as it is taken apart
        if document["format"] not in _FORMATS:
            raise InputError(f"{path} is of another format", f"this program reads {_FORMAT!r}")
        pending = Pending(
            [_mutation(item) for item in document["mutations"]],
            [_mutation(item) for item in document["lost"]],
            [str(item) for item in document["incomplete"]],
            list(decode_changes(json.dumps(document["fragments"]))),
            str(document["primary"]),
        )
        _check_storable(pending)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", "check the path") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is no file of salvaged changes", "give the one that the salvage named") from error
    return pending


def _check_storable(pending: Pending) -> None:
    """Raise InputError or ValueError for what no transaction of ours could have written."""
    for text in (pending.primary, *pending.incomplete):
        check_storable("text", text)
    for mutation in (*pending.mutations, *pending.lost):
        if not mutation.changes:
            raise ValueError("no changes")
        for value in (mutation.id, mutation.session, mutation.machine, mutation.made_at, mutation.schema_version):
            check_storable("mutation", value)
        for change in mutation.changes:
            for text in (change.table, change.row_id, change.seen, change.stamp, *change.fields):
                if not isinstance(text, str):
                    raise TypeError("no text")
                check_storable("change", text)
            for one in (one for pair in change.fields.values() for one in pair):
                check_storable("field", one)


def _document(mutation: Mutation) -> Mapping[str, object]:
    return {
        "id": mutation.id,
        "session": mutation.session,
        "machine": mutation.machine,
        "made_at": mutation.made_at,
        "schema_version": mutation.schema_version,
        "changes": json.loads(encode_changes(mutation.changes)),
    }


def _mutation(item: Any) -> Mutation:  # one item of a JSON document
    return Mutation(
        str(item["id"]),
        str(item["session"]),
        str(item["machine"]),
        str(item["made_at"]),
        int(item["schema_version"]),
        decode_changes(json.dumps(item["changes"])),
    )
