"""Every link of the pages leads somewhere, to the heading where it names one, and every page can be reached."""

import re
from pathlib import Path

import pytest

from tests.docs.console import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def prose(page: Path) -> str:
    """A page without its code, in which brackets mean something else."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "", text)


def links(page: Path) -> list[tuple[Path, str]]:
    """Where the links of a page to files here lead: the file, and the heading or ""."""
    told = [link for link in _LINK.findall(prose(page)) if "://" not in link]
    parts = [link.partition("#") for link in told]
    return [(page if not name else (page.parent / name).resolve(), anchor) for name, _, anchor in parts]


def anchors(page: Path) -> set[str]:
    """The headings of a page, as they are named in links to them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file that is there, and a heading that is in it."""
    found = links(page)

    assert [str(file) for file, _ in found if not file.exists()] == []
    assert [(file.name, anchor) for file, anchor in found if anchor and anchor not in anchors(file)] == []


def test_every_page_can_be_reached_from_the_front_page() -> None:
    """By way of others, perhaps."""
    reached: set[Path] = set()
    waiting = [ROOT / "docs" / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        waiting += [file for file, _ in links(page) if file.suffix == ".md" and file not in reached]

    assert set((ROOT / "docs").rglob("*.md")) - reached == set()


def test_every_picture_is_shown() -> None:
    """On a page."""
    shown = {file for page in PAGES for file, _ in links(page)}

    assert set((ROOT / "docs" / "pictures").glob("*.svg")) - shown == set()
