"""Paths and patterns of files: what a shell would take for them."""

from glob import glob
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.paths import below, is_below, is_pattern, matches, split_pattern

NAMES = ("a", "b.py", "ab", ".a", "c")
parts = st.sampled_from(["a", "ab", "b.py", "*", "a*", "*.py", "?", "[ab]", "[!a]*", ".*", "**"])


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directories three deep of the same few names, each with files in it."""
    root = tmp_path_factory.mktemp("tree")
    for first in ("d", "a", ".a"):
        for second in ("ab", "a"):
            (root / first / second).mkdir(parents=True)
    for directory in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        for name in NAMES:
            if not (directory / name).exists():
                (directory / name).touch()
    return root


@given(pattern=st.lists(parts, min_size=1, max_size=4).map("/".join))
def test_a_pattern_fits_what_a_shell_takes_for_it(tree: Path, pattern: str) -> None:
    """Python's own glob is the measure, on real files."""
    files = [path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()]

    fitting = {path for path in files if matches(path, pattern)}

    taken = glob(pattern, root_dir=tree, recursive=True)  # noqa: PTH207 - that of pathlib takes hidden names, too
    # It takes `file/` for what `file/**` fits; no shell does.
    assert fitting == {path for path in taken if (tree / path).is_file() and not path.endswith("/")}


def test_a_pattern_of_many_wild_parts_is_answered_at_once() -> None:
    """Where trying all the ways to fit would take longer than anybody waits."""
    assert not matches("/".join(["a"] * 300), "/".join(["**", "a"] * 100) + "/b")


@pytest.mark.parametrize(
    ("typed", "directory", "rest"),
    [
        ("*.py", ".", "*.py"),
        ("src/*.py", "src", "*.py"),
        ("../a/**/b?", "../a", "**/b?"),
        ("src/[ab]/c.py", "src", "[ab]/c.py"),
        ("/*.py", "/", "*.py"),
        ("/src/*.py", "/src", "*.py"),
    ],
)
def test_a_pattern_begins_with_a_directory(typed: str, directory: str, rest: str) -> None:
    """As far as it is not wild."""
    assert is_pattern(typed)
    assert split_pattern(typed) == (directory, rest)


def test_a_directory_is_above_what_is_in_it() -> None:
    """And not above what only begins like it; the root is above everything."""
    assert is_below("src/a.py", "src")
    assert is_below("src/a.py", "")
    assert not is_below("src2/a.py", "src")
    assert (below("src/x/a.py", "src"), below("a.py", "")) == ("x/a.py", "a.py")
    assert not is_pattern("src/a.py")
