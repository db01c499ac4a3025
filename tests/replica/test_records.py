"""Records: what is written is what is read, to the last bit, through every driver; what cannot be is refused."""

import math
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from replica import InputError, Record, Replica, Rule, SchemaMismatchError, open_replica
from replica.mutation import decode_fields, encode_fields
from tests.replica.samples import COLUMNS, INT64, PLAIN, Point, Sample, integers, many_samples, reals, samples, texts

# Many rows an example, few examples, and no search for a smaller one: each example syncs for real.
through_the_drivers = settings(
    max_examples=15,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

OpenSamples = Callable[..., Replica]


@pytest.fixture
def open_samples(mode: str, primary_url: str | None, tmp_path: Path) -> Iterator[OpenSamples]:
    """Open a replica of samples in a directory of that name; in mode local and remote all names are one database."""
    migrations = tmp_path / "migrations"
    migrations.mkdir()
    (migrations / "0001_samples.sql").write_text(
        f"CREATE TABLE samples (id TEXT PRIMARY KEY, updated_at TEXT NOT NULL, {COLUMNS});"
    )
    with ExitStack() as opened:

        def open_it(name: str) -> Replica:
            directory = tmp_path / (name if mode == "libsql" else "only")
            return opened.enter_context(
                open_replica(
                    directory,
                    records=[Sample],
                    migrations=migrations,
                    mode=mode,
                    url=primary_url,
                    machine="laptop00",
                )
            )

        yield open_it


def bits(value: object) -> object:
    """A value that equals another only if it is the same to the last bit and of the same type."""
    if isinstance(value, float):
        return "float", struct.pack("<d", value)
    if isinstance(value, datetime):
        return "datetime", value.astimezone(UTC).isoformat()
    if isinstance(value, BaseModel):
        return type(value), bits({name: getattr(value, name) for name in type(value).model_fields})
    if isinstance(value, dict):
        return {name: bits(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value), [bits(item) for item in value]
    return type(value), value


def all_bits(rows: Sequence[Sample]) -> dict[str, object]:
    """Rows by id, to compare."""
    return {row.id: bits(row) for row in rows}


# -- round trips


@through_the_drivers
@given(batch=many_samples)
def test_what_is_written_is_what_is_read_everywhere(open_samples: OpenSamples, batch: list[Sample]) -> None:
    """By its writer at once and after a sync, and by another replica, bit for bit."""
    with open_samples("one") as writer, open_samples("two") as reader:
        with writer.transaction() as tx:
            written = [tx.insert(sample) for sample in batch]
        ids = tuple(row.id for row in written)
        marks = ", ".join("?" * len(ids))

        def seen_by(replica: Replica) -> dict[str, object]:
            return all_bits(replica.select(Sample, f"WHERE id IN ({marks})", ids))

        at_once = seen_by(writer)
        assert writer.sync().error is None
        assert reader.sync().error is None

        assert at_once == all_bits(written)
        assert {key: bits_without_id(row) for key, row in zip(ids, written, strict=True)} == {
            key: bits_without_id(row) for key, row in zip(ids, batch, strict=True)
        }
        assert seen_by(writer) == at_once
        assert seen_by(reader) == at_once


def bits_without_id(row: Sample) -> object:
    """What the author gave."""
    return bits(row.model_copy(update={"id": "", "updated_at": ""}))


@through_the_drivers
@given(batch=st.lists(st.tuples(samples, samples), min_size=1, max_size=3))
def test_what_is_changed_is_what_is_read_everywhere(
    open_samples: OpenSamples, batch: list[tuple[Sample, Sample]]
) -> None:
    """An update carries every type as an insert does, and history has the values before and after, bit for bit."""
    with open_samples("one") as writer, open_samples("two") as reader:
        with writer.transaction() as tx:
            first = [tx.insert(before) for before, _ in batch]
        assert writer.sync().error is None
        changes = [
            {column.name: getattr(after, column.name) for column in Sample.replica_columns} for _, after in batch
        ]
        with writer.transaction() as tx:
            updated = [tx.update(row, **change) for row, change in zip(first, changes, strict=True)]
        assert writer.sync().error is None
        assert reader.sync().error is None

        for row, before, (_, after) in zip(updated, first, batch, strict=True):
            assert bits_without_id(row) == bits_without_id(after)
            assert bits(reader.get(Sample, row.id)) == bits(row)
            if row == before:
                continue
            fields = reader.history(Sample, row.id)[-1].fields
            old, new = before.to_row(), after.to_row()
            assert {name: (bits(pair[0]), bits(pair[1])) for name, pair in fields.items()} == {
                name: (bits(old[name]), bits(new[name])) for name in old if bits(old[name]) != bits(new[name])
            }


@given(samples)
def test_a_stored_row_reads_back_as_the_record(sample: Sample) -> None:
    """With no database in between."""
    row = {"id": "", "updated_at": "", **sample.to_row()}

    assert bits(Sample.from_row(tuple(row), tuple(row.values()))) == bits(sample)


stored_values = st.none() | integers | reals | texts | st.binary(max_size=20)


@given(st.dictionaries(texts, st.tuples(stored_values, stored_values), max_size=5))
@example({"blob": (b"", b"\x00"), "float": (math.inf, -math.inf)})
def test_the_fields_of_a_change_survive_as_text(fields: dict[str, tuple[Any, Any]]) -> None:
    """As they are kept in the outbox and in the history."""
    back = decode_fields(encode_fields(fields))

    assert {name: bits(list(pair)) for name, pair in back.items()} == {
        name: bits(list(pair)) for name, pair in fields.items()
    }


def test_a_negative_zero_is_a_zero(open_samples: OpenSamples) -> None:
    """SQLite keeps no sign of it; so it has none from the start, and no driver shows another than the rest."""
    with open_samples("one") as writer, open_samples("two") as reader:
        with writer.transaction() as tx:
            row = tx.insert(PLAIN.model_copy(update={"real": -0.0}))

        before = writer.get(Sample, row.id).real
        assert writer.sync().error is None
        assert reader.sync().error is None

        for value in (before, writer.get(Sample, row.id).real, reader.get(Sample, row.id).real):
            assert math.copysign(1, value) == 1


def test_a_row_with_an_infinity_can_be_merged(open_samples: OpenSamples) -> None:
    """The primary's JSON has no word for it, and a merge reads rows from the primary."""
    with open_samples("one") as one, open_samples("two") as two:
        with one.transaction() as tx:
            row = tx.insert(PLAIN.model_copy(update={"real": -math.inf, "real_or_none": math.inf}))
        one.sync()
        two.sync()
        with one.transaction() as tx:
            tx.update(tx.get(Sample, row.id), number=2)
        with two.transaction() as tx:
            tx.update(tx.get(Sample, row.id), text="changed")
        one.sync()

        assert two.sync().error is None
        assert one.sync().error is None

        for replica in (one, two):
            merged = replica.get(Sample, row.id)
            assert (merged.number, merged.text) == (2, "changed")
            assert (merged.real, merged.real_or_none) == (-math.inf, math.inf)


# -- what cannot be stored


REFUSED: Final[list[tuple[str, object]]] = [
    ("text", "a\0b"),
    ("text", "\ud800"),
    ("text", "\udfff tail"),
    ("text_or_none", "\0"),
    ("number", INT64),
    ("number", -INT64 - 1),
    ("number_or_none", 10**30),
    ("real", math.nan),
    ("real_or_none", math.nan),
    ("moment", datetime(2026, 11, 21)),  # noqa: DTZ001 - that it has no zone is the point
    ("moment", datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))),
    ("moment", datetime.max.replace(tzinfo=timezone(timedelta(hours=-11)))),
    ("words", ["\ud800"]),
    ("document", {"a": math.nan}),
    ("document", {"a": [math.inf]}),
    ("document", {"a": ...}),
    ("document", {"\ud800": 1}),
    ("document", {"a": {1, 2}}),
    ("document", {"a": b"bytes"}),
    ("set_of_text", frozenset(["\ud800"])),
    ("point", Point(x=math.nan)),
    ("point", Point(x=1.0, name="\ud800")),
]


@pytest.mark.parametrize(("field", "value"), REFUSED, ids=repr)
def test_what_cannot_be_stored_is_refused(field: str, value: object) -> None:
    """By an error that names the field."""
    sample = PLAIN.model_copy(update={field: value})

    with pytest.raises(InputError, match=field):
        sample.to_row()


@pytest.mark.parametrize("field", ["text", "number", "real", "moment", "document"])
def test_nothing_is_written_of_a_transaction_with_a_value_that_cannot_be_stored(
    open_samples: OpenSamples, field: str
) -> None:
    """Not by an insert, not by an update, and not what stood before it."""
    bad = next(value for name, value in REFUSED if name == field)
    with open_samples("one") as replica:
        with replica.transaction() as tx:
            row = tx.insert(PLAIN)

        def insert() -> None:
            with replica.transaction() as tx:
                tx.insert(PLAIN)
                tx.insert(PLAIN.model_copy(update={field: bad}))

        def update() -> None:
            with replica.transaction() as tx:
                tx.insert(PLAIN)
                tx.update(row, **{field: bad})

        for change in (insert, update):
            with pytest.raises(InputError, match=field):
                change()

        replica.sync()
        assert replica.select(Sample) == [row]


def test_a_number_in_a_document_is_text_and_so_has_no_limit() -> None:
    """JSON is kept as text."""
    document = {"big": 10**40}

    row = PLAIN.model_copy(update={"document": document}).to_row()

    assert row["document"] == '{"big":10000000000000000000000000000000000000000}'


# -- records themselves


def test_a_field_of_an_unknown_type_is_refused_where_the_class_is_written() -> None:
    """A mistake of the programmer is found before there is data."""
    with pytest.raises(TypeError, match="cannot be stored"):

        class Odd(Record, table="odd"):
            """Holds what no column can."""

            value: complex


@pytest.mark.parametrize(
    ("annotation", "rule"),
    [(str, Rule.UNION), (float, Rule.SUM), (bool, Rule.SUM), (int, Rule.TEXT), (list[str], Rule.UNION)],
)
def test_a_rule_that_does_not_fit_its_field_is_refused(annotation: object, rule: Rule) -> None:
    """Where the class is written."""
    with pytest.raises(TypeError, match=rule.value):
        type(
            "Odd",
            (Record,),
            {"__annotations__": {"value": Annotated[annotation, rule]}, "__module__": __name__},
            table="odd",
        )


def test_an_enum_of_mixed_values_is_refused() -> None:
    """No column could hold them all and give back the same."""

    class Mixed(Enum):
        """A number and a text."""

        ONE = 1
        TWO = "two"

    with pytest.raises(TypeError, match="Mixed"):
        type("Odd", (Record,), {"__annotations__": {"value": Mixed}, "__module__": __name__}, table="odd")


def test_a_stored_value_that_does_not_fit_its_field_names_row_and_column() -> None:
    """Another program wrote it; a person has to find it."""
    row = {**PLAIN.to_row(), "id": "row-7", "updated_at": "", "number": "many"}

    with pytest.raises(SchemaMismatchError, match=r"row-7.*number"):
        Sample.from_row(tuple(row), tuple(row.values()))


def test_stored_json_that_is_none_names_row_and_column() -> None:
    """As above."""
    row = {**PLAIN.to_row(), "id": "row-7", "updated_at": "", "words": "[1, 2"}

    with pytest.raises(SchemaMismatchError, match=r"row-7.*words"):
        Sample.from_row(tuple(row), tuple(row.values()))
