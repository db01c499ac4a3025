"""What a page says a test shows, a test of that name does."""

import re
from typing import Final

import pytest

from tests.docs.console import ROOT

_NAMED: Final = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")
PAGES: Final = sorted(path.name for path in (ROOT / "docs").glob("*.md") if _NAMED.search(path.read_text()))


@pytest.mark.parametrize("page", PAGES)
def test_each_test_that_a_page_names_is_there(page: str) -> None:
    """In the file that it names."""
    named = _NAMED.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))

    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (ROOT / file).is_file() or (name and f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8"))
    ]
    assert missing == []


def test_the_runbook_names_some() -> None:
    """For what it does not play itself."""
    assert "runbook.md" in PAGES
