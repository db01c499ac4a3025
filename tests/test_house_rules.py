"""The rules of this house that a machine can hold. Those for people are in CONTRIBUTING.md.

An exception is written here with its reason, or not made.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
PACKAGES: Final = ("replica", "auth", "sqld", "tracker", "cli")
CODE: Final = sorted(
    path for folder in (*PACKAGES, "tests", "benchmarks", "examples") for path in (ROOT / folder).rglob("*.py")
)
LIBRARY: Final = [path for path in CODE if path.relative_to(ROOT).parts[0] in PACKAGES]
TESTS: Final = [path for path in CODE if path.relative_to(ROOT).parts[0] == "tests"]

MODULE_LINES: Final = 500
FUNCTION_LINES: Final = 70

# Who may sleep in a test, and why that is not for luck.
MAY_SLEEP: Final = {
    "tests/replica/test_processes.py": "it polls for a condition of another process, and fails at a deadline",
}
# Who may catch Exception without raising it again, and why.
MAY_CATCH_ALL: Final[dict[str, str]] = {}


def name_of(path: Path) -> str:
    """As it is written in the allow-lists: `tests/sqld/test_find.py`."""
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    """The parsed module."""
    return ast.parse(path.read_text(), filename=str(path))


def imports_of(tree: ast.Module) -> Iterator[str]:
    """Every module it imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def calls_of(tree: ast.Module) -> Iterator[str]:
    """Every call, as it is written: `print`, `time.sleep`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def tracked_files() -> list[Path]:
    """The files of the repository, and none that a tool made."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    return [path for name in listed.decode().split("\0") if name and (path := ROOT / name).is_file()]


def test_imports_go_only_along_the_arrows_of_the_design() -> None:
    """The contracts are in pyproject.toml."""
    linted = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert linted.returncode == 0, linted.stdout


def test_modules_are_small() -> None:
    """What does not fit on a few screens has more than one subject."""
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in CODE}

    assert {name: length for name, length in lengths.items() if length >= MODULE_LINES} == {}


def test_functions_are_small() -> None:
    """Docstrings count: a function that needs pages of explanation is more than one."""
    long = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in CODE
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 >= FUNCTION_LINES
    ]

    assert long == []


def test_no_module_is_named_for_having_no_subject() -> None:
    """What two modules share is named for what it is about."""
    nameless = {"utils", "util", "helpers", "helper", "common", "misc", "shared"}

    assert [name_of(path) for path in CODE if nameless & set(path.relative_to(ROOT).with_suffix("").parts)] == []


def test_no_class_is_named_for_having_no_subject() -> None:
    """A Manager manages, a Service serves: neither says what."""
    vague = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in CODE
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef) and re.search(r"(Manager|Service|Handler|Helper|Utils)$", node.name)
    ]

    assert vague == []


def test_every_module_says_what_it_is() -> None:
    """In a docstring."""
    assert [name_of(path) for path in CODE if not ast.get_docstring(tree_of(path))] == []


def test_every_test_says_what_it_promises() -> None:
    """In a docstring."""
    silent = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in TESTS
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]

    assert silent == []


def test_every_package_ships_its_types() -> None:
    """For those who check against us."""
    assert [package for package in PACKAGES if not (ROOT / package / "py.typed").is_file()] == []


def test_libraries_do_not_print() -> None:
    """Standard output belongs to the program. The command line writes it through one console."""
    printing = [name_of(path) for path in LIBRARY if "print" in calls_of(tree_of(path)) and not in_package(path, "cli")]

    assert printing == []


def in_package(path: Path, package: str) -> bool:
    """Whether the module belongs to it."""
    return path.relative_to(ROOT).parts[0] == package


def test_no_test_sleeps_for_luck() -> None:
    """A test waits for what it waits for, or moves its clock."""
    sleeping = {name_of(path) for path in TESTS if {"time.sleep", "sleep"} & set(calls_of(tree_of(path)))}

    assert sleeping == set(MAY_SLEEP)


def test_no_test_is_skipped() -> None:
    """What cannot run here is made to, or not promised."""
    skipping = re.compile(r"pytest\.(skip|importorskip|mark\.(skip|skipif|xfail))\b")

    assert [name_of(path) for path in TESTS if path != Path(__file__) and skipping.search(path.read_text())] == []


def test_nothing_catches_every_error_to_go_on() -> None:
    """A catch-all may clean up and raise; a named error may be handled."""
    swallowing = {name_of(path) for path in LIBRARY for handler in catch_alls(tree_of(path)) if not raises(handler)}

    assert swallowing == set(MAY_CATCH_ALL)


def catch_alls(tree: ast.Module) -> Iterator[ast.ExceptHandler]:
    """Handlers of `Exception`, `BaseException` or anything."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {ast.unparse(kind) if kind is not None else "BaseException" for kind in kinds}
            if names & {"Exception", "BaseException"}:
                yield node


def raises(handler: ast.ExceptHandler) -> bool:
    """Whether the handler ends in a `raise`: it cleans up and passes the error on."""
    return isinstance(handler.body[-1], ast.Raise)


def test_only_the_puller_imports_the_replication_library() -> None:
    """It holds the GIL across network waits, and two SQLite libraries in one process break each other's locks."""
    importing = [
        name_of(path)
        for path in (*LIBRARY, *TESTS)
        if any(name.split(".")[0] == "libsql_experimental" for name in imports_of(tree_of(path)))
    ]

    assert set(importing) <= {"replica/puller.py"}


def test_nobody_reaches_past_the_door_of_a_package() -> None:
    """What is imported from another of our packages is of the package itself, or of a module that it lists."""
    listed = {
        package: {
            name
            for node in tree_of(ROOT / package / "__init__.py").body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
            for name in ast.literal_eval(node.value)
        }
        for package in PACKAGES
    }

    past = {
        f"{name_of(path)}: {module}"
        for path in LIBRARY
        for module in imports_of(tree_of(path))
        for package, _, inner in [module.partition(".")]
        if package in listed and package != path.relative_to(ROOT).parts[0] and inner and inner not in listed[package]
    }

    assert past == set()


def test_the_constraints_are_names_and_versions_only() -> None:
    """No addresses, no paths, no hashes: where packages come from is the business of who installs."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()

    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)] == []


def test_every_dependency_is_constrained() -> None:
    """Two clean machines install the same."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    constrained = {line.split("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines()}

    names = {re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower() for requirement in wanted}

    assert names - constrained == set()


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        (
            "the address of a package registry",
            r"https?://[^\s\"']*(simple|pypi)[^\s\"']*|--(extra-)?index-url|--find-links",
        ),
        ("an absolute path of somebody's machine", r"(?<![\w.~$}])/(home|Users|root|work|opt|srv)/[A-Za-z0-9_.-]+"),
    ],
)
def test_no_file_holds(what: str, pattern: str) -> None:
    """Files of the repository hold on every machine."""
    found = [
        f"{name_of(path)}: {match.group()}"
        for path in tracked_files()
        if path != Path(__file__)
        for match in re.finditer(pattern, path.read_text(errors="replace"))
    ]

    assert found == [], what
