"""The replica: what a program opens, reads, writes and syncs.

    with open_replica(Path("notes"), records=[Note], migrations=Path("migrations")) as notes:
        with notes.transaction() as tx:
            tx.insert(Note(title="Milk"))
        print(notes.select(Note, "ORDER BY title"))

Always true: reading and queued writing never wait for the network, and an error tells what happened and what to do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, TypeVar

from replica import outbox
from replica.conflict_row import OPEN, ConflictRow
from replica.drivers.embedded import Embedded
from replica.drivers.protocol import Driver, Rows, Work
from replica.errors import ConflictError, InputError, NotFoundError
from replica.history import CONFLICTS, HISTORY, SELECT_CHANGE, HistoryEntry, deleted_row, entry_from, mutations_from
from replica.identity import IdSource, new_short_id, prefix_range, resolve_prefix
from replica.mutation import Change, Kind, Mutation, Row, StoredValue, encode_row
from replica.records import Record
from replica.schema import Schema, Table, default_row_sql, quote, writable
from replica.settings import Mode, Settings
from replica.snapshot import Snapshot
from replica.sqlite_file import refuse_nesting
from replica.stamps import Stamp, stamp_at
from replica.storable import check_query
from replica.transaction import Transaction

if TYPE_CHECKING:
    from replica.conflicts import Author, Conflict
    from replica.decide import Means
    from replica.moving.moves import Moving
    from replica.outcome import Choice
    from replica.recovery import Recovery
    from replica.report import Check, Status, SyncReport
    from replica.sql_writing import SqlWriting
    from replica.sync import Sync

R = TypeVar("R", bound=Record)
Params = Sequence[StoredValue] | Mapping[str, StoredValue]
_CANDIDATES_MAX = 100


class Replica:
    """One database, held in one of the four modes; usable from several threads. Made by `open_replica`."""

    def __init__(self, settings: Settings, driver: Driver, schema: Schema, tables: dict[str, Table],
                 sync: Callable[[], Sync] | None = None, close: Callable[[], None] | None = None) -> None:  # fmt: skip
        """`sync` makes the syncer when one is first needed; `close` releases it."""
        self._settings, self._opened, self._schema, self._tables, self._sync, self._close = (
            settings,
            driver,
            schema,
            tables,
            sync,
            close,
        )
        self._ids = IdSource(settings.clock)
        self._is_closed = False

    @property
    def _driver(self) -> Driver:
        if self._is_closed:
            raise InputError("this replica was closed", "open it again")
        return self._opened

    @property
    def session(self) -> str:
        """Under which session changes are made."""
        return self._settings.session

    @property
    def machine(self) -> str:
        """On which machine changes are made."""
        return self._settings.machine

    @property
    def directory(self) -> Path | None:
        """Where its files are; None in mode `remote`, which has none."""
        return None if self._settings.mode is Mode.REMOTE else self._settings.directory

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release files and connections. What is pending stays pending."""
        self._is_closed = True
        self._opened.close()
        if self._close is not None:
            self._close()

    # -- writing

    @contextmanager
    def transaction(self, writes: Literal["queued", "online"] = "queued") -> Iterator[Transaction]:
        """One mutation: everything done in the block is kept together when it ends, or not at all if it raises.

        writes: `queued` keeps it here, durably, for the next sync; `online` brings it to the primary before the block
        ends. Raises ConflictError, SchemaTooNewError, StorageError; online also OfflineError, with nothing queued.
        """
        work = self._driver.begin(online=writes == "online")
        tx = self._transaction_on(work)
        try:
            yield tx
            self._finished(tx)
        except BaseException:
            work.rollback()
            raise

    @property
    def sql(self) -> SqlWriting:
        """SQL that writes: INSERT, UPDATE and DELETE as mutations."""
        from replica.sql_writing import SqlWriting  # noqa: PLC0415 - only SQL that writes pays for it

        return SqlWriting(
            self._driver, self._schema, new_id=self._new_id, begun=self._transaction_on, finished=self._finished
        )

    def _transaction_on(self, work: Work) -> Transaction:
        return Transaction(work, mutation_id=self._ids.new_uuid7(), now=self._now, new_id=self._new_id)

    def _finished(self, tx: Transaction) -> Mutation | None:
        return tx.finish(session=self.session, machine=self.machine, schema_version=self._schema.version)

    def _now(self) -> Stamp:
        return stamp_at(self._settings.clock())

    def _new_id(self, record: type[Record]) -> str:
        return new_short_id(record.replica_id_prefix) if record.replica_id_prefix else self._ids.new_uuid7()

    # -- reading

    def get(self, record: type[R], typed_id: str) -> R:
        """The row with this id, or the only one whose id starts so. Raises NotFoundError, AmbiguousIdError."""
        typed = _checked_id(record, typed_id)
        row = self._row(record, typed) or self._row(record, self.full_id(record, typed))
        if row is None:
            raise NotFoundError(_kind_of(record), typed_id)
        return record.from_row(tuple(row), tuple(row.values()))

    def full_id(self, record: type[Record], typed_id: str) -> str:
        """The whole id of the only row whose id starts so; the class's prefix need not be typed."""
        table = quote(record.replica_table)
        prefix = record.replica_id_prefix
        typed = _checked_id(record, typed_id)
        for start in (typed, prefix + typed.lower()) if prefix and not typed.startswith(prefix) else (typed,):
            low, high = prefix_range(start)
            rows = self._driver.read(
                f"SELECT id FROM {table} WHERE id >= ? AND id < ? ORDER BY id LIMIT {_CANDIDATES_MAX}", (low, high)
            ).rows
            if rows:
                return resolve_prefix(start, [str(row[0]) for row in rows], _kind_of(record))
        raise NotFoundError(_kind_of(record), typed_id)

    def _row(self, record: type[Record], row_id: str) -> Row | None:
        columns = self._tables[record.replica_table].columns
        listing = ", ".join(map(quote, columns))
        found = self._driver.read(f"SELECT {listing} FROM {quote(record.replica_table)} WHERE id = ?", (row_id,)).rows
        return dict(zip(columns, found[0], strict=True)) if found else None

    def select(self, record: type[R], fragment: str = "", params: Sequence[StoredValue] = ()) -> list[R]:
        """The rows that an SQL fragment leaves: `select(Note, "WHERE title LIKE ? ORDER BY title", ("%milk%",))`."""
        check_query(fragment, params)
        columns = self._tables[record.replica_table].columns
        listing = ", ".join(map(quote, columns))
        rows = self._driver.read(f"SELECT {listing} FROM {quote(record.replica_table)} {fragment}", params).rows
        return record.from_rows(columns, rows)

    def read(self, sql: str, params: Sequence[StoredValue] = ()) -> Rows:
        """SQL of the program's own that reads: on the connection that `select` has, where `query` opens another."""
        check_query(sql, params)
        return self._driver.read(sql, params)

    def query(self, sql: str, params: Params = ()) -> Rows:
        """Any SQL that reads, on a connection that cannot write. Raises QueryError, WriteRefusedError.

        params: a value for each `?`, or one by its name for each `:name`.
        """
        if isinstance(params, Mapping):
            from replica.sql_text import in_order  # noqa: PLC0415 - only who names them pays for it

            sql, params = in_order(sql, params)
        check_query(sql, params)
        return self._driver.query(sql, params)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Look at what is there at one moment: what this thread reads in the block is of that moment, but for `query`.

        For what must fit together, as an index and the rows it is of. The thread writes nothing in the block.
        """
        driver = self._driver
        with driver.snapshot():
            yield Snapshot(driver, self._tables)

    @property
    def tables(self) -> dict[str, Table]:
        """The tables of the application, by name."""
        return writable(self._tables)

    # -- syncing

    def sync(self, *, deadline_s: float = 60.0, adopt_primary: bool = False) -> SyncReport:
        """Trade changes with the primary. Trouble with network, token, lock or schema is in the report, not raised.

        deadline_s: seconds after which it gives up. adopt_primary: move to the primary at the address, if it is
        another than the one this replica belongs to; without it, that is OtherPrimaryError, and nothing is sent.
        """
        driver = self._driver
        if isinstance(driver, Embedded):
            refuse_nesting(driver.attached().connection)
        if self._sync is None:
            from replica.report import Stage, SyncReport  # noqa: PLC0415 - only a sync pays for it

            return SyncReport(0, 0, 0, 0, 0, Stage.DONE)
        return self._sync().run(deadline_s=deadline_s, adopt_primary=adopt_primary)

    def pending(self) -> list[Mutation]:
        """The mutations that the primary does not have yet, as far as is known here, in the order they were made."""
        return self._in_outbox(only_queued=True)

    def _in_outbox(self, *, only_queued: bool = False) -> list[Mutation]:
        if not isinstance(self._driver, Embedded):
            return []
        with self._driver.looking() as connection:
            return outbox.load(connection, only_queued=only_queued)

    def pending_rows(self, table: str) -> set[str]:
        """The ids of the rows of a table that have changes which the primary does not have yet."""
        if not isinstance(self._driver, Embedded):
            return set()
        with self._driver.looking() as connection:
            return outbox.rows_with_changes(connection, table)

    def status(self) -> Status:
        """How the replica stands, from what is on disk alone."""
        from replica.standing import standing  # noqa: PLC0415 - only this pays for it

        return standing(self._settings, self._driver, self._schema)

    @property
    def recovery(self) -> Recovery:
        """The ways back after the primary went back in time, or a file was damaged."""
        from replica.recovery import Recovery  # noqa: PLC0415 - only disasters pay for it

        return Recovery(self._driver, self._sync, self._now)

    @property
    def moving(self) -> Moving:
        """What brings all of a local file to the primary, or writes all of this replica to one."""
        from replica.moving.moves import Moving  # noqa: PLC0415 - only moves pay for it

        return Moving(self._settings, self._driver, self._sync, self._schema, self._tables)

    def checks(self) -> list[Check]:
        """Look at every part of the replica, and say what to do where something is not well."""
        from replica.checks import run_checks  # noqa: PLC0415 - only this pays for it

        return run_checks(self._settings, self._driver, self._schema)

    # -- conflicts

    def conflicts(self) -> list[Conflict]:
        """The open conflicts, oldest first; those of teammates too, once synced."""
        from replica.conflicts import conflict_from  # noqa: PLC0415 - most programs meet no conflict

        return [conflict_from(row) for row in self.select(ConflictRow, "WHERE state = ? ORDER BY id", (OPEN,))]

    def conflict(self, typed_id: str) -> Conflict:
        """One conflict by its id, or the first characters of it, open or settled."""
        from replica.conflicts import conflict_from  # noqa: PLC0415 - most programs meet no conflict

        return conflict_from(self.get(ConflictRow, typed_id))

    def resolve(self, typed_id: str, choice: Choice, *, then: Callable[[Transaction], None] | None = None) -> Mutation:
        """Settle a conflict: "mine", "theirs", or a value for each clashing field; by an ordinary mutation.

        then: does what the application's own rules want besides, in the same mutation. Raises InputError for a choice
        that does not fit, ConflictError if the values have changed since they were shown.
        """
        from replica.conflicts import conflict_from  # noqa: PLC0415 - most programs meet no conflict
        from replica.decide import settle  # noqa: PLC0415 - only a decision pays for it

        row = self.get(ConflictRow, typed_id)
        if row.state != OPEN:
            raise InputError(f"the conflict {row.id} was settled by {row.resolved_by} at {row.resolved_at}")
        conflict = conflict_from(row)
        self._refuse_moved(row, conflict, choice)
        with self.transaction() as tx:
            settle(tx, conflict, choice, self._means, session=self.session, at=self._now())
            if then is not None:
                then(tx)
            mutation_id = tx.mutation_id
        return self.mutation(mutation_id)

    @property
    def _means(self) -> Means:
        from replica.decide import Means  # noqa: PLC0415 - only a decision pays for it

        return Means(self._record_of, self._blank, self._deleted_row, self._settled_by)

    def _blank(self, table: str) -> Row:
        rows = self._driver.read(default_row_sql(self._tables[table]))
        return dict(zip(rows.columns, rows.rows[0], strict=True))

    def _deleted_row(self, table: str, row_id: str) -> Row | None:
        return deleted_row(self._entries(table, row_id))

    def _settled_by(self, conflict_id: str) -> Mutation:
        """The last mutation that decided about a conflict."""
        key = (CONFLICTS, conflict_id)
        for mutation in reversed(self._in_outbox()):
            if any((c.table, c.row_id) == key and "state" in c.fields for c in mutation.changes):
                return mutation
        last = f"""(SELECT mutation FROM {HISTORY}
            WHERE table_name = ? AND row_id = ? AND fields -> '$.state' IS NOT NULL ORDER BY seq DESC LIMIT 1)"""
        rows = self._driver.read(f"{SELECT_CHANGE} WHERE mutation = {last} ORDER BY position", key).rows
        if not rows:
            message = f"who settled the conflict {conflict_id} is no longer known, so that cannot be taken back"
            raise InputError(message, "take --theirs to leave it as it was settled")
        return mutations_from(rows)[0]

    def _refuse_moved(self, row: ConflictRow, conflict: Conflict, choice: Choice) -> None:
        """Raise ConflictError if the values to decide about have changed, and show the new ones from now on."""
        from replica.conflicts import Author, encode_authors  # noqa: PLC0415 - most programs meet no conflict
        from replica.decide import moved_since  # noqa: PLC0415 - only a decision pays for it

        now = moved_since(
            conflict,
            choice,
            lambda table, row_id: self._row(self._record_of(table), row_id) if table in self._tables else None,
        )
        if now is None or conflict.table not in self._tables:  # of its values nobody can be shown any
            return
        authors = {shown: self._last_author(each.table, each.row_id, each.name) for shown, each in now.items()}
        last = max((author for author in authors.values() if author is not None), key=lambda one: one.at, default=None)
        last = last or conflict.theirs_by or Author("", "", "")
        theirs = {
            "theirs": encode_row({shown: each.value for shown, each in now.items()}),
            "theirs_by": encode_authors(authors),
            "theirs_session": last.session, "theirs_machine": last.machine, "theirs_at": last.at,
        }  # fmt: skip
        try:
            self._show(row, theirs)
        except InputError:
            # Two whole values can be too many for one change. What shows none is never taken for having shown this one.
            self._show(self._show(row, {"theirs": encode_row(dict.fromkeys(now))}), theirs)
        current = self._row(self._schema.record_of(conflict.table), conflict.row_id)
        found = "" if current is None else str(current["updated_at"])
        error = ConflictError(conflict.table, conflict.row_id, seen=row.updated_at, found=found, current=current)
        error.hint = "the conflict shows the new values now; look at it again and decide"
        raise error

    def _show(self, row: ConflictRow, theirs: Mapping[str, str]) -> ConflictRow:
        with self.transaction() as tx:
            return tx.update(row, **theirs)

    def _last_author(self, table: str, row_id: str, name: str) -> Author | None:
        """Who gave a field the value that it has now, as far as history tells."""
        from replica.conflicts import Author  # noqa: PLC0415 - most programs meet no conflict

        for entry in reversed(self._entries(table, row_id)):
            if name in entry.fields or entry.kind is not Kind.UPDATE:
                return Author(entry.session, entry.machine, entry.at)
        return None

    def _record_of(self, table: str) -> type[Record]:
        """The record class of a table that a change of long ago may name. Raises InputError if it is gone."""
        if table not in self._tables:
            raise InputError(f"this program knows no table {table}", "take --theirs to let the change go")
        return self._schema.record_of(table)

    # -- history and undo

    def history(self, record: type[Record], typed_id: str) -> list[HistoryEntry]:
        """What happened to one row, oldest first, with what is pending marked."""
        try:
            row_id = self.full_id(record, typed_id)
        except NotFoundError:
            _checked_id(record, typed_id)
            row_id = typed_id  # a deleted row has a history too
        entries = self._entries(record.replica_table, row_id)
        if not entries:
            raise NotFoundError(_kind_of(record), typed_id)
        return entries

    def _entries(self, table: str, row_id: str) -> list[HistoryEntry]:
        pending: list[HistoryEntry] = []
        if isinstance(self._driver, Embedded):
            with self._driver.looking(with_base=True) as connection:
                pending = outbox.entries(connection, table, row_id)
        waiting = {entry.mutation_id for entry in pending}
        found = self._driver.read(
            f"{SELECT_CHANGE} WHERE table_name = ? AND row_id = ? ORDER BY seq", (table, row_id)
        ).rows
        settled = (entry_from(row, pending=False) for row in found)
        return [*(entry for entry in settled if entry.mutation_id not in waiting), *pending]

    def undo(
        self,
        mutation_id: str | None = None,
        *,
        keep: Callable[[Change], bool] | None = None,
        then: Callable[[Transaction], None] | None = None,
    ) -> Mutation:
        """Take a mutation back by a new one; None: the last of this session.

        keep: tells the changes that stay, as of what the program wrote down beside what the person did; where all of
        them would, none does. then: does what the application's own rules want besides, in the same mutation. Raises
        ConflictError where the fields have moved on since, NotFoundError.
        """
        from replica.conflicts import is_parked  # noqa: PLC0415 - most programs meet no conflict
        from replica.decide import take_back  # noqa: PLC0415 - only a decision pays for it

        mutation = self.mutation(mutation_id)
        if is_parked(mutation):
            # To take back the insert of a conflict would be to drop what was parked.
            conflict_id = mutation.changes[0].row_id
            raise InputError(
                f"the mutation {mutation.id} is parked as the conflict {conflict_id}", "resolve the conflict"
            )
        left = tuple(change for change in mutation.changes if keep is None or not keep(change))
        with self.transaction() as tx:
            take_back(tx, replace(mutation, changes=left or mutation.changes), self._means)
            if then is not None:
                then(tx)
            made = tx.mutation_id if tx.changes() else None
        if made is None:
            raise ConflictError(
                mutation.changes[0].table, mutation.changes[0].row_id, seen=mutation.changes[0].stamp, found=""
            )
        return self.mutation(made)

    def mutation(self, typed_id: str | None = None, *, besides: Collection[str] = ()) -> Mutation:
        """One mutation by its id, or the first characters of it, pending or not; None: the last of this session.

        besides: whole ids of those that do not count as the last. Raises NotFoundError, AmbiguousIdError.
        """
        if typed_id is None:
            return self._last_of_session(besides)
        low, high = prefix_range(typed_id)
        pending = {mutation.id: mutation for mutation in self._in_outbox() if mutation.id.startswith(typed_id)}
        sql = f"SELECT DISTINCT mutation FROM {HISTORY} WHERE mutation >= ? AND mutation < ? LIMIT {_CANDIDATES_MAX}"
        stored = [str(row[0]) for row in self._driver.read(sql, (low, high)).rows]
        found = resolve_prefix(typed_id, sorted({*stored, *pending}), "mutation")
        if found in pending:
            return pending[found]
        rows = self._driver.read(f"{SELECT_CHANGE} WHERE mutation = ? ORDER BY position", (found,)).rows
        return mutations_from(rows)[0]

    def _last_of_session(self, besides: Collection[str]) -> Mutation:
        own = [one for one in self._in_outbox() if one.session == self.session and one.id not in besides]
        if own:
            return own[-1]
        others = "mutation NOT IN (SELECT value FROM json_each(?))"
        last = f"(SELECT mutation FROM _replica_changes WHERE session = ? AND {others} ORDER BY seq DESC LIMIT 1)"
        params = (self.session, json.dumps(list(besides)))
        rows = self._driver.read(f"{SELECT_CHANGE} WHERE mutation = {last} ORDER BY position", params).rows
        if not rows:
            raise NotFoundError("mutation", f"of the session {self.session}")
        return mutations_from(rows)[0]


def _checked_id(record: type[Record], typed_id: str) -> str:
    """An id as typed, if it can be the start of any. Raises NotFoundError."""
    typed = typed_id.strip()
    # Nothing typed would fit every id, and what is no text cannot be bound as a parameter.
    if not typed or prefix_range(typed) == ("", ""):
        raise NotFoundError(_kind_of(record), repr(typed_id))
    return typed


def _kind_of(record: type[Record]) -> str:
    return "conflict" if record is ConflictRow else record.__name__.lower()
