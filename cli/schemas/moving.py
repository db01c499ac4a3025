"""What td prints of moving in and out: exports, and what came of taking in a file."""

from typing import Any, Final, Literal

from pydantic import create_model

from cli.schemas.shapes import Document, row_of
from tracker import RECORDS, Record


def _rows(record: type[Record]) -> Any:  # a type that is made when it is asked for
    document = type(f"{record.__name__}Row", (Document,), {"__doc__": record.__doc__, "__module__": __name__})
    return list[row_of(record)(document)]  # type: ignore[misc] # see above


class ExportHead(Document):
    """Everything in the tracker, table by table. complete: what is deleted is in it too."""

    format: Literal["td-export"]
    version: Literal[1]
    complete: bool


_TABLES: Final[dict[str, Any]] = {record.replica_table: (_rows(record), ...) for record in RECORDS}  # see above

EXPORT: Final = create_model("ExportDocument", __base__=ExportHead, __doc__=ExportHead.__doc__, **_TABLES)


class Exported(Document):
    """The file that was written."""

    action: Literal["exported"]
    file: str
    format: Literal["json", "sql", "md"]
    all: bool


class RemarkDocument(Document):
    """What was not taken over as it was: how often, and an example."""

    table: str
    what: str
    count: int
    example: str


class DifferenceDocument(Document):
    """A row that is here with other values, and their names."""

    table: str
    id: str
    fields: list[str]


class ImportSummary(Document):
    """What came of a file. tables: the rows of each outcome. mutations: the changes it was written in."""

    action: Literal["imported", "would_import"]
    source: str
    mutations: int
    tables: dict[str, dict[str, int]]
    conflicts: list[DifferenceDocument]
    skipped: list[RemarkDocument]
    repaired: list[RemarkDocument]
    no_place: list[RemarkDocument]
