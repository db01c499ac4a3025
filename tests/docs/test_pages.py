"""The examples of the pages run as they stand, in the order they are told.

Whoever types what a page says sees what it says. How a page is read is in `tests.docs.console`, who is in its story in
`tests.docs.pages`.
"""

from pathlib import Path

import pytest

from tests.docs.console import ROOT, Reader, steps
from tests.docs.pages import cast

PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("docs", "examples")
    for path in (ROOT / folder).rglob("*.md")
    if "```console" in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_followed_to_the_letter(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Step by step, from nothing."""
    with cast(page, tmp_path, monkeypatch) as (people, names, events):
        Reader(people, names).follow(ROOT / page, events)


def test_the_pages_have_stories() -> None:
    """Those of which more is told than one example."""
    told = {page for page in PAGES if len(steps(ROOT / page)) >= 8}

    assert told >= {"docs/start.md", "docs/offline.md", "docs/teams.md", "docs/agents.md", "docs/query.md"}
