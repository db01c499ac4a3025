"""`python -m cli.schemas`: write the schemas of all commands to docs/schemas, from the root of the repository."""

import json
from collections.abc import Mapping
from pathlib import Path

from cli.schemas import file_name, names, schema_of

DIRECTORY = Path(__file__).parents[2] / "docs" / "schemas"


def schema_text(schema: Mapping[str, object]) -> str:
    """A schema as its file has it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write() -> None:
    """Write all of them, and take away those of commands that are gone."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for path in DIRECTORY.glob("*.json"):
        path.unlink()
    for name in names():
        (DIRECTORY / file_name(name)).write_text(schema_text(schema_of(name)), encoding="utf-8")


if __name__ == "__main__":
    write()
