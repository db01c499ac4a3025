"""The door of the tracker: what it offers is imported only when it is asked for."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

import tracker


def test_every_name_comes_from_where_its_import_says() -> None:
    """Type checkers read the imports, and Python the table below them."""
    tree = ast.parse(Path(tracker.__file__).read_text(encoding="utf-8"))
    (for_type_checkers,) = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for node in for_type_checkers.body if isinstance(node, ast.ImportFrom)]
    modules = {alias.name for node in imports if node.module == "tracker" for alias in node.names}
    imported = {
        alias.asname or alias.name: (str(node.module), alias.name)
        for node in imports
        if node.module != "tracker"
        for alias in node.names
    }

    homes: dict[str, str] = tracker._HOME_OF  # type: ignore[attr-defined] # not there for type checkers

    assert homes | {"ReplicaStatus": "replica"} == {name: module for name, (module, _) in imported.items()}
    assert sorted(tracker.__all__) == sorted({*imported, *modules})
    # Once it is imported, a module would hide what the package offers under the same name.
    assert {name for name in imported if (Path(tracker.__file__).parent / f"{name}.py").exists()} == set()
    assert all(import_module(f"tracker.{name}") for name in modules)
    for name, (module, original) in imported.items():
        assert getattr(tracker, name) is getattr(import_module(module), original)


def test_a_name_that_is_not_there_is_an_error() -> None:
    """As in any module."""
    with pytest.raises(AttributeError, match="nothing_of_ours"):
        tracker.nothing_of_ours  # type: ignore[attr-defined] # noqa: B018 - that it is not there is the point
