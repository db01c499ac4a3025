"""`td link`, `td unlink`, `td files`."""

import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from tests.cli.in_process import InProcess


@pytest.fixture
def issue_id(here: InProcess) -> str:
    """An issue in a repository with a few files."""
    subprocess.run(["git", "init", "-q"], cwd=here.directory, check=True)
    for name in ("src/app.py", "src/web/page.py", "docs/plan.md"):
        path = here.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    with here.tracker() as tracker:
        return tracker.create("Oat milk").id


def test_files_are_linked_from_any_directory_and_by_patterns(
    here: InProcess, issue_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line for each, told from the root of the repository."""
    monkeypatch.chdir(here.directory / "src")

    answer = here.done("link", issue_id[3:7], "**/*.py", "../docs/plan.md", "--role", "reference")

    assert answer.out.splitlines() == [
        f"LINKED {issue_id} src/app.py",
        f"LINKED {issue_id} src/web/page.py",
        f"LINKED {issue_id} docs/plan.md",
    ]
    assert here.done("files", issue_id).out.splitlines() == [
        "docs/plan.md     reference  unchanged",
        "src/app.py       reference  unchanged",
        "src/web/page.py  reference  unchanged",
    ]


def test_what_was_changed_since_is_told(here: InProcess, issue_id: str) -> None:
    """A file that is gone is missing, and is changed as well."""
    here.done("link", issue_id, "src", "docs", "--recursive")
    (here.directory / "src" / "app.py").write_text("else")
    (here.directory / "docs" / "plan.md").unlink()

    states = {file["path"]: file["state"] for file in here.document("files", issue_id)}

    assert states == {"docs/plan.md": "missing", "src/app.py": "changed", "src/web/page.py": "unchanged"}
    assert [file["path"] for file in here.document("files", issue_id, "--changed")] == ["docs/plan.md", "src/app.py"]
    assert here.done("files", issue_id, "-u").out == "docs/plan.md  implementation  missing\n"
    linked = here.document("link", issue_id, "src/app.py")
    assert (linked["action"], [file["path"] for file in linked["files"]]) == ("linked", ["src/app.py"])
    assert here.document("link", issue_id, "src/app.py")["action"] == "unchanged"


def test_a_file_that_is_gone_is_let_go_of(here: InProcess, issue_id: str) -> None:
    """By the path that the list shows; one that is not linked is an error."""
    here.done("link", issue_id, "docs/*")
    (here.directory / "docs" / "plan.md").unlink()

    unlinked = here.document("unlink", issue_id, "docs/plan.md")

    assert (unlinked["action"], unlinked["id"], unlinked["issue"]["title"]) == ("unlinked", issue_id, "Oat milk")
    assert here.document("files", issue_id) == []
    again = here("unlink", issue_id, "docs/plan.md")
    assert (again.code, again.err) == (
        1,
        f"td: docs/plan.md is not linked to {issue_id}; td files {issue_id} shows those that are\n",
    )
    assert here.done("files", issue_id).err == "no files\n"


def test_files_come_out_in_other_forms(here: InProcess, issue_id: str) -> None:
    """As they are stored, the hash as other programs make it; with the state, but in SQL."""
    here.done("link", issue_id, "docs/plan.md")
    sha = sha256(b"docs/plan.md").hexdigest()

    head, row = here.done("files", issue_id, "--format", "csv").out.splitlines()

    assert head == "id,issue_id,path,role,sha,session,created_at,updated_at,state"
    assert row.split(",")[1:5] == [issue_id, "docs/plan.md", "implementation", sha]
    assert row.endswith(",unchanged")
    assert "state" not in here.done("files", issue_id, "--format", "sql").out


def test_nothing_is_linked_where_one_cannot_be(here: InProcess, issue_id: str) -> None:
    """A mistyped name keeps the others out, too."""
    answer = here("link", issue_id, "docs/plan.md", "src")

    assert (answer.code, answer.err) == (
        2,
        "td: file: src is a directory; add --recursive to link all that is in it\n",
    )
    assert here.document("files", issue_id) == []
    assert here("link", issue_id, "docs/plan.md", "--role", "doc").code == 2


def test_a_file_that_cannot_be_read_is_told(here: InProcess, issue_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linking it fails; in the list, nothing is claimed of it."""
    here.done("link", issue_id, "docs/plan.md")

    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    # A test that runs as root could read anything.
    monkeypatch.setattr("tracker.worktree._content_sha", refuse)

    assert here("link", issue_id, "src/app.py").err.startswith("td: file: src/app.py cannot be read: Permission denied")
    assert here.document("files", issue_id)[0]["state"] == "unknown"
