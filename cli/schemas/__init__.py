"""The JSON Schema of what each command prints with `--json`.

Built from pydantic models when it is asked for, and published in docs/schemas. No other command imports it. Always
true: what a command prints is valid under its schema; the tests hold every one of them to that.
"""

from collections.abc import Mapping

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from cli.schemas.commands import DOCUMENTS

_DIALECT = GenerateJsonSchema.schema_dialect


class _Untitled(GenerateJsonSchema):
    """A field is told by its name, so it needs no title."""

    def field_title_should_be_set(self, schema: object) -> bool:
        del schema
        return False


def names() -> list[str]:
    """What there are schemas of: the commands by their words, and `error`."""
    return list(DOCUMENTS)


def schema_of(name: str) -> Mapping[str, object]:
    """The JSON Schema of one document. Raises KeyError."""
    document: TypeAdapter[object] = TypeAdapter(DOCUMENTS[name])
    made: JsonSchemaValue = document.json_schema(mode="serialization", schema_generator=_Untitled)
    made.pop("title", None)
    title = "An error of td, on stderr" if name == "error" else f"What td {name} prints with --json"
    return {"$schema": _DIALECT, "$id": f"urn:td:schema:{file_name(name)[:-5]}", "title": title, **made}


def file_name(name: str) -> str:
    """The file in docs/schemas that a schema is published in."""
    return name.replace(" ", "-") + ".json"
