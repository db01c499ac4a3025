"""The page on security names the test of each of its promises."""

import ast
import re
from pathlib import Path
from typing import Final

from tests.docs.console import ROOT

PAGE: Final = ROOT / "docs" / "security.md"
_TEST: Final = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def functions_of(path: Path) -> set[str]:
    """The tests of a file, those in classes too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_test_that_is_named_is_there() -> None:
    """In that file, under that name."""
    named = _TEST.findall(PAGE.read_text(encoding="utf-8"))

    assert [f"{file}::{name}" for file, name in named if not (ROOT / file).is_file()] == []
    assert [f"{file}::{name}" for file, name in named if name not in functions_of(ROOT / file)] == []
    assert len(named) > 60


def test_every_row_has_a_test_or_says_why_not() -> None:
    """In the tables whose last column is for it."""
    missing, is_promise = [], False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells or set(line) <= set("|- "):
            is_promise = is_promise and bool(cells)
        elif cells[-1] == "test":
            is_promise = True
        elif is_promise and not (_TEST.search(cells[-1]) or "not defended: " in line or cells[-1].startswith("none: ")):
            missing.append(line)

    assert missing == []
