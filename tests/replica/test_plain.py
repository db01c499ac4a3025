"""Plain fields: whether pydantic is asked or not makes no difference but in time."""

import math
import pickle
import subprocess
import sys
from copy import deepcopy
from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any, Final

import pytest
from pydantic import AfterValidator, Field, ValidationError, field_validator

from replica import InputError, Record, Rule, SchemaMismatchError, model_of
from replica.records import _validated_row
from replica.validation import validated
from tests.replica.samples import Colour, Level, Size


class Plain(Record, table="plain"):
    """A field of every plain type, and what a program may leave out."""

    text: str = ""
    number: int = 0
    real: float = 0.0
    flag: bool = False
    data: bytes = b""
    day: date = date(2026, 11, 21)
    moment: datetime = datetime(2026, 11, 21, 5, tzinfo=UTC)
    colour: Colour = Colour.RED
    size: Size = Size.SMALL
    level: Level = Level.LOW
    words: list[str] = []  # noqa: RUF012 - as in pydantic, each record gets one of its own
    steps: tuple[str, ...] = ()
    labels: Annotated[frozenset[str], Rule.UNION] = frozenset()
    numbers: set[int] = set()  # noqa: RUF012 - see above
    document: dict[str, Any] = {}  # noqa: RUF012 - see above
    counts: dict[str, int] = {}  # noqa: RUF012 - see above
    text_or_none: str | None = None
    flag_or_none: bool | None = None
    day_or_none: date | None = None
    moment_or_none: Annotated[datetime | None, Rule.MAX] = None
    colour_or_none: Colour | None = None
    labels_or_none: frozenset[str] | None = None


FIELDS: Final = tuple(column.name for column in Plain.replica_columns)
MOMENT: Final = datetime(2026, 11, 21, 5, 7, 12, 5, timezone(timedelta(hours=2)))

STORED: Final = (
    *("", "a", "1", "true", "red", "grün", "2026-11-21", "2026-11-21T05:07:12.123456Z", "2026-W01-1"),
    *("2026-11-21 05:07", "2026-11-21T05:07:12.123456+02:00", "2026-11-21x05:07:12.123456Z"),
    *("2026-13-21T05:07:12.123456Z", "2026-W47-6T05:07:12.123456Z", "20261121T050712.12345678Z"),
    *("2026-11-21T05:07:12,123456Z", "2026-11-21T05:07:12.12345 Z", "2026-11-21T25:07:12.123456Z", "-1", "1.0", "["),
    *("null", "[]", "{}", '["a"]', '["a", 1]', "[1]", "[1.0]", "[true]", "[null]", "[[]]", '"a"', '["a", "a"]'),
    *('{"a": 1}', '{"a": [1.5]}', '{"a": true}', "1", "0", "2147483648"),
    *(0, 1, -1, 2, 2**40, 2**63 - 1, 0.0, 1.0, 1.5, -1.0, math.inf, None, b"", b"a", b"\xff", b"1"),
)
"""What a column may hold, whoever wrote it."""
GIVEN: Final = (
    *STORED,
    *(2**70, True, False, *Colour, *Size, *Level, MOMENT, MOMENT.date(), MOMENT.replace(tzinfo=None)),
    *(["a"], ("a",), {"a"}, frozenset("a"), [1], [1.0], {1}, {True}, ["a", 1], ["a", None], (), [], {}, [[]]),
    *({"a": 1}, {"a": "b"}, {1: "a"}, {"a": 1.5}, {"a": True}, object),
)
"""What a program may pass."""


def outcome(call: Any) -> object:  # whatever makes a record
    """The values with their types, or what pydantic says."""
    try:
        made = call()
    except ValidationError as error:
        return [(problem["loc"], problem["type"], problem["msg"]) for problem in error.errors()]
    except (SchemaMismatchError, InputError) as error:
        return str(error)
    fields = made if isinstance(made, dict) else {name: getattr(made, name) for name in Plain.model_fields}
    return {name: (type(value), value, shown(value)) for name, value in fields.items()}


def shown(value: object) -> str:
    """To tell 1 from True within a list; a moment is the same in whichever object its zone comes."""
    if isinstance(value, datetime):
        return value.isoformat()
    return repr(sorted(map(repr, value))) if isinstance(value, set | frozenset) else repr(value)


@pytest.mark.parametrize("name", FIELDS)
def test_what_a_field_takes_is_what_pydantic_takes(name: str) -> None:
    """The same value of the same type, or the same error; of a new record as of a changed one."""
    row = Plain()
    for value in GIVEN:
        pydantic = outcome(lambda: validated(Plain, {name: value}))  # noqa: B023 - called at once

        made = outcome(lambda: Plain.model_validate({name: value}))  # noqa: B023 - see above
        changed = outcome(lambda: row.with_changes({name: value}))  # noqa: B023 - see above

        assert made == pydantic, value
        assert changed == pydantic or isinstance(pydantic, list), value


@pytest.mark.parametrize("name", FIELDS)
def test_what_is_read_from_a_row_is_what_pydantic_reads(name: str) -> None:
    """Whoever wrote it."""
    for value in STORED:
        row = {**Plain(id="row-7").to_row(), "id": "row-7", "updated_at": "", name: value}
        pydantic = outcome(lambda: _validated_row(Plain, tuple(row), tuple(row.values())))  # noqa: B023 - called at once

        read = outcome(lambda: Plain.from_row(tuple(row), tuple(row.values())))  # noqa: B023 - see above

        assert read == pydantic, value


def test_one_odd_row_among_many_is_named() -> None:
    """All are read at once, and still it can be found."""
    rows = [{**Plain().to_row(), "id": f"row-{number}", "updated_at": ""} for number in range(9)]
    rows[7]["number"] = "many"

    with pytest.raises(SchemaMismatchError, match=r"row-7.*number"):
        Plain.from_rows(tuple(rows[0]), [tuple(row.values()) for row in rows])


def test_a_field_that_is_missing_or_unknown_is_refused() -> None:
    """By its name."""

    class Card(Record, table="cards"):
        """One field that must be given."""

        title: str

    with pytest.raises(ValidationError, match="title"):
        Card.model_validate({})
    with pytest.raises(ValidationError, match="colour"):
        Card.model_validate({"title": "Milk", "colour": "red"})


def test_records_share_nothing_that_can_change() -> None:
    """Neither with each other nor with what they were made of."""
    words = ["a"]

    first, second = Plain(words=words), Plain()
    words.append("b")
    second.document["a"] = 1

    assert first.words == ["a"]
    assert Plain().document == {}


def test_a_record_cannot_be_changed() -> None:
    """Only a transaction changes rows."""
    row = Plain(text="a")

    with pytest.raises(FrozenInstanceError):
        row.text = "b"  # type: ignore[misc] # that it is refused is the point
    with pytest.raises(FrozenInstanceError):
        del row.text

    assert row.text == "a"


def test_a_record_is_a_value() -> None:
    """Equal to its copies, told from others, and shown with its fields."""
    row = Plain(id="row-7", text="a")

    assert row == deepcopy(row) == pickle.loads(pickle.dumps(row))
    assert row not in (row.model_copy(update={"text": "b"}), None)
    assert "text='a'" in repr(row)


def test_equal_records_are_one_member_of_a_set() -> None:
    """Where all their values can be."""

    class Card(Record, table="cards"):
        """Nothing that can change."""

        title: str = ""

    assert {Card(title="a"), Card(title="a"), Card()} == {Card(), Card(title="a")}


def test_what_a_class_brings_of_pydantic_counts() -> None:
    """Constraints, validators and defaults; when it is made, changed or read."""

    class Card(Record, table="cards"):
        """With rules of its own."""

        rank: Annotated[int, Field(ge=1)] = 1
        title: Annotated[str, AfterValidator(str.strip)] = ""
        note: str = ""
        tags: list[str] = Field(default_factory=lambda: ["new"])

        @field_validator("note")
        @classmethod
        def upper(cls, note: str) -> str:
            """In capitals."""
            return note.upper()

    card = Card(title=" a ", note="b")

    assert (card.title, card.note, card.tags) == ("a", "B", ["new"])
    with pytest.raises(ValidationError, match="rank"):
        Card(rank=0)
    with pytest.raises(InputError, match="rank"):
        card.with_changes({"rank": 0})
    with pytest.raises(SchemaMismatchError, match=r"row-7.*rank"):
        Card.from_row(["id", "updated_at", "rank", "title", "note", "tags"], ["row-7", "", 0, "", "", "[]"])


def test_a_record_class_has_a_model_of_pydantic() -> None:
    """Its JSON Schema names every field."""
    schema = model_of(Plain).model_json_schema()

    assert set(schema["properties"]) == set(Plain.model_fields)


def test_a_field_cannot_have_the_name_of_what_every_record_has() -> None:
    """It would be in its way."""
    with pytest.raises(TypeError, match="to_row"):
        type("Odd", (Record,), {"__annotations__": {"to_row": str}, "__module__": __name__}, table="odd")


def test_plain_records_are_made_changed_and_read_without_pydantic() -> None:
    """It takes longer to import than most programs have to run."""
    script = """
import sys
from datetime import datetime, UTC
from replica import Record, open_replica

class Note(Record, table="notes"):
    title: str
    labels: frozenset[str] = frozenset()
    made_at: datetime

note = Note(title="Milk", made_at=datetime.now(UTC)).with_changes({"labels": frozenset({"a"})})
row = {"id": "1", "updated_at": "", **note.to_row()}
assert Note.from_row(tuple(row), tuple(row.values())) == note.model_copy(update={"id": "1"})
print(sorted({name.partition(".")[0] for name in sys.modules} & {"pydantic", "httpx", "typer", "asyncio"}))
"""

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"
