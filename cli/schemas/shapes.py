"""What the schemas of td's documents are made of.

Always true:
- a row has the columns of its record, in their order, so that a new column is in the schema as soon as it is in the
  document;
- a name that is told is there, unless it is said to be absent at times; a program may meet more names than those told.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from pydantic import BaseModel, Field, create_model

from tracker import Record, model_of


class Document(BaseModel):
    """A JSON object that td prints."""


D = TypeVar("D", bound=Document)


def row_of(record: type[Record]) -> Callable[[type[D]], type[D]]:
    """Put the columns of a record before the names of a document: `id` first, `updated_at` last."""
    # mypy asks the class for the __hash__ of its instances.
    described = model_of(record).model_fields  # type: ignore[arg-type]
    columns = {column.name: (described[column.name].annotation, ...) for column in record.replica_columns}

    def fill(document: type[D]) -> type[D]:
        own = {name: (field.annotation, field) for name, field in document.model_fields.items()}
        # A program's own names may be any; pydantic takes what they are as its arguments.
        names: dict[str, Any] = {"id": (str, ...), **columns, "updated_at": (str, ...), **own}
        made = create_model(
            document.__name__, __base__=Document, __module__=document.__module__, __doc__=document.__doc__, **names
        )
        return cast("type[D]", made)

    return fill


def at_times() -> Any:  # what stands for a value that may be absent
    """The default of a name that only some calls have."""
    return Field(default_factory=dict)
