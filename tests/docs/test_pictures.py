"""The pictures of the pages show what is there."""

import re

from tests.cli.in_process import InProcess
from tests.docs.console import ROOT
from tracker.records import Issue

_RULE = re.compile(
    r'<text class="code"[^>]*>(\w+)</text>\s*<text class="soft"[^>]*>(\w+)</text>',
)


def test_the_states_of_an_issue_are_drawn_as_they_are(here: InProcess) -> None:
    """As `td workflow --mermaid` draws them."""
    (drawn,) = re.findall(r"```mermaid\n(.*?)```", (ROOT / "docs" / "start.md").read_text(), flags=re.DOTALL)

    assert drawn == here.done("workflow", "--mermaid").out


def test_the_merge_that_is_drawn_names_the_rules_of_the_fields() -> None:
    """Those that the records name."""
    drawn = _RULE.findall((ROOT / "docs" / "pictures" / "merge.svg").read_text())
    rules = {column.name: column.rule.value for column in Issue.replica_columns}

    assert len(drawn) >= 5
    assert {name: rule for name, rule in drawn if rules[name] != rule} == {}


def test_every_picture_reads_in_the_light_and_in_the_dark() -> None:
    """And tells those who do not see it what is on it."""
    for picture in (ROOT / "docs" / "pictures").glob("*.svg"):
        text = picture.read_text()

        assert "prefers-color-scheme: dark" in text
        assert "<title" in text
        assert "<desc" in text
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
