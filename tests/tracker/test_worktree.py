"""The files of a repository on disk."""

import os
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from tracker import InvalidFieldError, Worktree, find_worktree
from tracker.worktree import FILES_MAX

FILES = {
    "README.md": "read me",
    "src/app.py": "app",
    "src/web/page.py": "page",
    "src/web/page.css": "css",
    "src/[id].ts": "id",
    "build/out.js": "ignored",
    ".gitignore": "build/\n*.log\n",
    "src/debug.log": "ignored",
    ".todos/data.db": "td",
}


def written(root: Path, files: Mapping[str, str]) -> Worktree:
    """Files on disk, seen from the root of them."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return find_worktree(root, root)


@pytest.fixture
def plain(tmp_path: Path) -> Worktree:
    """A directory that no git knows."""
    return written(tmp_path / "plain", FILES)


@pytest.fixture
def repository(tmp_path: Path) -> Worktree:
    """The same with git; one of the files is known to it, the others are new."""
    root = tmp_path / "repository"
    written(root, FILES)
    for command in (["init", "-q"], ["add", "README.md"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    return find_worktree(root / ".todos" / "..", root)


def test_a_path_is_told_from_the_root_wherever_it_was_typed(repository: Worktree) -> None:
    """From a directory below, from outside of the repository, or whole."""
    below = find_worktree(repository.root, repository.root / "src" / "web")
    outside = find_worktree(repository.root, repository.root.parent)

    assert below.path_of("page.py") == "src/web/page.py"
    assert below.path_of("../app.py") == "src/app.py"
    assert below.path_of("./../../gone.py") == "gone.py"
    assert below.path_of("../..") == ""
    assert outside.path_of("src/app.py") == "src/app.py"
    assert outside.path_of(str(repository.root / "src" / "app.py")) == "src/app.py"


def test_a_repository_may_be_reached_by_a_symbolic_link(repository: Worktree, tmp_path: Path) -> None:
    """A link to a file is that link; one on the way to it is followed."""
    (tmp_path / "link").symlink_to(repository.root)
    (repository.root / "main.py").symlink_to("src/app.py")
    linked = find_worktree(tmp_path / "link", tmp_path / "link" / "src")

    assert linked.root == repository.root
    assert linked.path_of("app.py") == "src/app.py"
    assert linked.path_of("../main.py") == "main.py"
    assert repository.sha_of("main.py") == repository.sha_of("src/app.py")


@pytest.mark.parametrize("typed", ["..", "../x.py", "/etc/hosts", "~/x.py", "src/../../x.py"])
def test_what_is_beside_the_repository_is_refused(plain: Worktree, typed: str) -> None:
    """A teammate could not find it."""
    with pytest.raises(InvalidFieldError, match="is not in the repository") as raised:
        plain.path_of(typed)

    assert str(plain.root) in raised.value.hint


@pytest.mark.parametrize("name", ["a\nb", "a\0b", "x" * 240 + "/" + "/".join(["y" * 200] * 5), "half \udcff"])
def test_a_path_that_cannot_be_stored_or_shown_is_refused(plain: Worktree, name: str) -> None:
    """Before anything is written."""
    with pytest.raises(InvalidFieldError, match="file: "):
        plain.expand([name], recursive=False)


def test_the_root_is_where_git_has_it(repository: Worktree, plain: Worktree) -> None:
    """Or where `.todos` is; also where git keeps its own in a file, as in a second worktree."""
    second = repository.root / "second"
    written(second, {"a.py": "a", ".git": "gitdir: elsewhere"})

    assert find_worktree(repository.root / "src", repository.root).root == repository.root
    assert find_worktree(second, second).root == second
    assert find_worktree(plain.root / "src", plain.root).root == plain.root / "src"


@pytest.mark.parametrize("where", ["plain", "repository"])
def test_a_pattern_in_quotes_is_expanded(where: str, request: pytest.FixtureRequest) -> None:
    """From the directory it was typed in; a file of that name comes before the pattern."""
    worktree: Worktree = request.getfixturevalue(where)
    in_web = Worktree(worktree.root, worktree.root / "src" / "web")

    assert worktree.expand(["src/*.py", "**/*.py"], recursive=False) == ["src/app.py", "src/web/page.py"]
    assert in_web.expand(["page.*", "../*.py"], recursive=False) == [
        "src/web/page.css",
        "src/web/page.py",
        "src/app.py",
    ]
    assert worktree.expand(["src/[id].ts"], recursive=False) == ["src/[id].ts"]
    with pytest.raises(InvalidFieldError, match="no file fits"):
        worktree.expand(["src/*.rs"], recursive=False)


def test_a_directory_is_all_that_git_does_not_ignore(repository: Worktree) -> None:
    """But what is in `.git` and `.todos`; what is ignored is found by who names it."""
    assert repository.expand(["src"], recursive=True) == [
        "src/[id].ts",
        "src/app.py",
        "src/web/page.css",
        "src/web/page.py",
    ]
    assert set(repository.expand(["."], recursive=True)) == set(FILES) - {
        "build/out.js",
        "src/debug.log",
        ".todos/data.db",
    }
    assert repository.expand(["build/out.js"], recursive=False) == ["build/out.js"]
    with pytest.raises(InvalidFieldError, match="there is nothing to link in build"):
        repository.expand(["build"], recursive=True)


def test_what_git_knows_and_is_gone_is_left_out(repository: Worktree) -> None:
    """There is nothing of it to be linked."""
    (repository.root / "README.md").unlink()

    assert "README.md" not in repository.expand(["."], recursive=True)


def test_git_is_asked_about_this_repository_whatever_the_environment_says(
    repository: Worktree, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As when td is called by a hook of another one."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "other"))

    assert "src/debug.log" not in repository.expand(["src"], recursive=True)


def test_without_git_a_directory_is_all_that_is_in_it(
    repository: Worktree, plain: Worktree, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """But what is in `.git` and `.todos`."""
    monkeypatch.setenv("PATH", str(tmp_path))

    for worktree in (plain, repository):
        assert set(worktree.expand(["."], recursive=True)) == set(FILES) - {".todos/data.db"}


def test_more_files_than_anybody_means_are_refused(plain: Worktree, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a directory of packages that somebody else made; however many there are, looking ends."""
    (plain.root / "many").mkdir()
    for number in range(FILES_MAX + 1):
        (plain.root / "many" / f"{number}.js").touch()
    with pytest.raises(InvalidFieldError, match="1,001 files are too many at once"):
        plain.expand(["many"], recursive=True)

    monkeypatch.setattr("tracker.worktree._WALKED_MAX", 500)

    with pytest.raises(InvalidFieldError, match="there are more than 500 files in many"):
        plain.expand(["many"], recursive=True)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("src", "src is a directory"),
        (".", "the root of the repository is a directory"),
        ("gone.py", "there is no file gone.py"),
        ("pipe", "pipe is not a regular file"),
        (".todos/data.db", "is of git or td itself"),
        (".git/config", "is of git or td itself"),
        ("x" * 300, "cannot be looked at: File name too long"),
    ],
)
def test_what_is_no_file_is_told(repository: Worktree, typed: str, message: str) -> None:
    """With what to do instead; a pipe is not waited for."""
    os.mkfifo(repository.root / "pipe")

    with pytest.raises(InvalidFieldError, match=message) as raised:
        repository.expand([typed], recursive=False)

    assert raised.value.hint


def test_what_a_file_holds_is_told_by_its_hash(plain: Worktree) -> None:
    """Nothing where there is no file: gone, a directory, a pipe, or beside the repository."""
    os.mkfifo(plain.root / "pipe")
    (plain.root.parent / "secret").write_text("s")

    assert plain.sha_of("src/app.py") == sha256(b"app").hexdigest()
    for path in ("gone.py", "README.md/x", "src", "pipe", "../secret", str(plain.root / "README.md")):
        assert plain.sha_of(path) is None


def test_a_file_that_is_gone_is_chosen_among_those_that_are_linked(plain: Worktree) -> None:
    """By its path from here or from the root, or by a pattern of either."""
    linked = ["src/web/old.py", "src/web/older.py", "docs/old.md", "src/[x].py"]
    in_web = Worktree(plain.root, plain.root / "src" / "web")

    assert in_web.choose("old.py", linked) == ["src/web/old.py"]
    assert in_web.choose("docs/old.md", linked) == ["docs/old.md"]
    assert in_web.choose("*.py", linked) == ["src/web/old.py", "src/web/older.py"]
    assert in_web.choose("../*/old.*", linked) == ["src/web/old.py"]
    assert in_web.choose("docs/*", linked) == ["docs/old.md"]
    assert plain.choose("src/[x].py", linked) == ["src/[x].py"]
    assert plain.choose("src/*", linked) == ["src/[x].py"]
    assert in_web.choose("none.py", linked) == ["src/web/none.py"]
    assert plain.choose("*.rs", linked) == ["*.rs"]
