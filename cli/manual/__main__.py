"""`python -m cli.manual`: write what docs has of the commands and the records, from the root of the repository."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from cli.manual import markdown, merge_rules

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "commands.md": markdown.page,
    "merge-rules.md": merge_rules.page,
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
