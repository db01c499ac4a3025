"""What a statement of a user's would change, as rows that a person can be shown and a transaction can make so.

Always true:
- each row passed its record class, so that nothing is written that the program itself could not have written;
- a row is changed only as long as it is as the statement read it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from replica.columns import Column, Form
from replica.errors import InputError
from replica.mutation import Fields, Kind, Row, StoredValue
from replica.records import Record
from replica.transaction import Transaction, same_value

if TYPE_CHECKING:
    from replica.capture import Noted

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class RowChange:
    """What becomes of one row. before: as the statement read it; None for a new row. after: None for one that goes."""

    before: Record | None
    after: Record | None

    @property
    def kind(self) -> Kind:
        """What is done to the row."""
        if self.before is None:
            return Kind.INSERT
        return Kind.DELETE if self.after is None else Kind.UPDATE

    @property
    def record(self) -> type[Record]:
        """The class of the row."""
        return type(self._either)

    @property
    def row_id(self) -> str:
        """The id of the row."""
        return self._either.id

    @property
    def _either(self) -> Record:
        either = self.before if self.after is None else self.after
        assert either is not None, "a change is of a row"
        return either

    def fields(self) -> Fields:
        """What differs: name → (value before, new value), as stored."""
        old = {} if self.before is None else self.before.to_row()
        new = {} if self.after is None else self.after.to_row()
        pairs = {name: (old.get(name), new.get(name)) for name in old | new}
        whole = self.kind is not Kind.UPDATE
        return {name: pair for name, pair in pairs.items() if whole or not same_value(*pair)}

    def write(self, tx: Transaction) -> None:
        """Make it so. Raises ConflictError if the row is not as it was, or the id of a new one is taken."""
        if self.before is None:
            assert self.after is not None, "a change is of a row"
            tx.insert(self.after)
        elif self.after is None:
            tx.delete(self.before)
        else:
            tx.update(self.before, **{name: getattr(self.after, name) for name in self.fields()})


def _nothing(record: type[Record]) -> Mapping[str, StoredValue]:  # noqa: ARG001 - the same for every table
    return {}


def _as_it_is(change: RowChange) -> RowChange:
    return change


def _no_more(tx: Transaction, changes: Sequence[RowChange]) -> None:
    pass


@dataclass(frozen=True, slots=True)
class SqlRules:
    """What a program has to say about rows that SQL writes.

    fill: what a new row of a class holds where the statement gives no value; it goes before the table's defaults.
    check: looks at each change and returns what is to be done instead, None for nothing; raises to refuse all of them.
    then: does what follows from the changes, once they are made, in the same mutation.
    """

    fill: Callable[[type[Record]], Mapping[str, StoredValue]] = _nothing
    check: Callable[[RowChange], RowChange | None] = _as_it_is
    then: Callable[[Transaction, Sequence[RowChange]], None] = _no_more


@dataclass(frozen=True, slots=True)
class Capture:
    """What a statement would change. kind: of the statement; each row has what its rules made of it.

    is_of_all: whether it means every row of the table, or does not say which rows it means.
    """

    table: str
    kind: Kind
    changes: tuple[RowChange, ...]
    is_of_all: bool
    rules: SqlRules = field(default_factory=SqlRules, repr=False)

    def write(self, tx: Transaction) -> None:
        """Make all of it so, or raise: ConflictError if a row is not as the statement read it."""
        for change in self.changes:
            change.write(tx)
        if self.changes:
            self.rules.then(tx, self.changes)


def capture_of(noted: Noted, record: type[Record], new_id: Callable[[type[Record]], str], rules: SqlRules) -> Capture:
    """The records of what was noted, under the rules of the program.

    Raises InputError, naming row and field, for what the record class does not take; what the rules raise.
    """
    changes = []
    for number, (old, new) in enumerate(noted.rows, 1):
        before = None if old is None else record.from_row(tuple(old), tuple(old.values()))
        after = None
        if new is not None:
            after = _new_record(noted, record, new, number, rules) if before is None else _record(record, new)
            if before is None and not after.id:
                after = after.model_copy(update={"id": new_id(record)})
        change = rules.check(RowChange(before, after))
        if change is not None and (change.kind is not Kind.UPDATE or change.fields()):
            changes.append(change)
    is_of_all = noted.kind is Kind.UPDATE and (not noted.has_where or (noted.is_whole_table and len(noted.rows) > 1))
    return Capture(noted.table, noted.kind, tuple(changes), is_of_all, rules)


def _new_record(noted: Noted, record: type[R], new: Row, number: int, rules: SqlRules) -> R:
    where = f"new row {number}" if new["id"] is None else str(new["id"])
    if "updated_at" in noted.given and new["updated_at"] is not None:
        raise InputError(
            f"{noted.table} {where}: updated_at cannot be given", "leave it out, or NULL; it is made with each change"
        )
    row = {name: new[name] for name in noted.given if name not in ("id", "updated_at")}
    for name, value in {**_told(noted.defaults), **rules.fill(record)}.items():
        row.setdefault(name, value)
    return _record(record, {"id": new["id"] or "", **row}, where)


def _told(defaults: Row) -> Row:
    return {name: value for name, value in defaults.items() if value is not None}


def _record(record: type[R], row: Row, where: str = "") -> R:
    """A record of what a statement gave, checked as if the program itself had given it."""
    # Only SQL that writes pays for it.
    from pydantic import ValidationError  # noqa: PLC0415 - see above

    told = f"{record.replica_table} {where or str(row['id'])}"
    columns = {column.name: column for column in record.replica_columns}
    values: dict[str, object] = {
        name: _read_json(told, columns[name], value) if name in columns else value for name, value in row.items()
    }
    try:
        made = record.model_validate(values)
        made.to_row()
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "record"
        raise _placed(told, f"{field}: {first['msg']}") from error
    except InputError as error:
        raise _placed(told, str(error), error.hint) from error
    return made


def _read_json(told: str, column: Column, value: StoredValue) -> object:
    if column.form not in (Form.SET, Form.JSON) or value is None:
        return value
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError as error:
        raise _placed(told, f"{column.name}: it is not JSON", """for example '["one","two"]'""") from error


def _placed(where: str, message: str, hint: str = "") -> InputError:
    return InputError(f"{where}: {message}", hint or "nothing was written; correct the value")
