"""What docs has of the commands and the records is what the program has."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from cli.manual import merge_rules
from cli.manual.__main__ import PAGES
from cli.manual.roff import page
from cli.schemas import file_name, names, schema_of
from cli.schemas.__main__ import DIRECTORY, schema_text
from tests.cli.test_help import ALL

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_fresh(name: str) -> None:
    """`python -m cli.manual` writes it."""
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name]()


def test_the_schemas_are_fresh() -> None:
    """`python -m cli.schemas` writes them."""
    written = {path.name: path.read_text(encoding="utf-8") for path in DIRECTORY.iterdir()}

    assert written == {file_name(name): schema_text(schema_of(name)) for name in names()}


def test_every_schema_is_one() -> None:
    """By the rules of its dialect, and each with a name of its own."""
    schemas = [schema_of(name) for name in names()]

    # Most of them share their parts, and each part need be looked at only once.
    parts: list[dict[str, object]] = [{**schema, "$defs": {}} for schema in schemas]
    for schema in schemas:
        defined = schema.get("$defs", {})
        assert isinstance(defined, dict)
        parts += defined.values()
    for part in {json.dumps(part): part for part in parts}.values():
        Draft202012Validator.check_schema(part)
    assert len({json.dumps(schema["$id"]) for schema in schemas}) == len(schemas)


def test_every_command_is_told_with_its_schema() -> None:
    """Those that only hold others have none."""
    text = (DOCS / "commands.md").read_text(encoding="utf-8")

    told = re.findall(r"^### td (.*)$", text, flags=re.MULTILINE)
    assert sorted(told) == sorted(" ".join(path) for path in ALL[1:])
    linked = set(re.findall(r"\]\(schemas/(.*?)\)", text))
    assert linked == {file_name(name) for name in names()} - {"error.json"}


def test_every_rule_that_decides_something_has_its_reason() -> None:
    """And no reason is of a field that is not there."""
    assert set(merge_rules.REASONS) == {field for field, rule in merge_rules.rules().items() if rule != "keep"}
    assert len(merge_rules.rules()) > 100


def test_the_manual_page_is_sound_roff() -> None:
    """It tells every command, and a line of text is never an instruction."""
    text = page()

    assert {line.split(" ")[0] for line in text.splitlines() if line[0] in ".'"} == {".TH", ".SH", ".SS", ".TP", ".PP"}
    told = text.replace("\\-", "-")
    assert [path for path in ALL[1:] if f".SS td {' '.join(path)} [OPTIONS]" not in told] == []
    if shutil.which("groff"):
        shown = subprocess.run(
            ["groff", "-man", "-ww", "-Tutf8"], input=text.encode(), capture_output=True, check=True, timeout=60
        )
        assert shown.stderr == b""
