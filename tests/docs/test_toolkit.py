"""What the page about the toolkit shows of `stock` is in `stock`."""

import re

from tests.docs.console import ROOT

TEXT = (ROOT / "docs" / "toolkit.md").read_text(encoding="utf-8")
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "examples" / "stock").glob("*.py"))


def test_the_walk_through_the_example_shows_what_is_in_it() -> None:
    """Line by line."""
    part = TEXT.split("## A whole program\n")[1].split("\n## ")[0]
    shown = [
        line.strip()
        for block in re.findall(r"```python\n(.*?)```", part, flags=re.DOTALL)
        for line in block.splitlines()
    ]
    written = {line.strip() for line in SOURCES.splitlines()}

    assert len(shown) > 10
    assert [line for line in shown if line not in written] == []
