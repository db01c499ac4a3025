"""Parameters: what a command gets is what typer would give it, with or without pydantic."""

from pathlib import Path
from typing import Annotated, Any, Final

import pytest
import typer
from typer.exceptions import TyperException

from cli.parameters import spare_pydantic

LINES: Final[tuple[list[str], ...]] = (
    [],
    ["x"],
    ["", "--text", ""],
    ["x", "--text", "5", "--many", "a", "--many", "b,c", "--many", ""],
    ["x", "--number", "5"],
    ["x", "--number", "05"],
    ["x", "--number", "0"],
    ["x", "--number", "101"],
    ["x", "--number", "-3"],
    ["x", "--number", " 5"],
    ["x", "--number", "5.0"],
    ["x", "--number", "five"],
    ["x", "--number", "\N{ARABIC-INDIC DIGIT FIVE}"],
    ["x", "--number", "9" * 30],
    ["x", "--where", "."],
    ["x", "--where", "nowhere"],
    ["x", "--where", ""],
    ["x", "--where", "a\0b"],
    ["x", "--there", "."],
    ["x", "--there", "nowhere"],
    ["x", "--there", "file"],
    ["x", "--flag"],
    ["x", "--ratio", "0.5"],
    ["x", "--ratio", "half"],
    ["x", "--upper", "a"],
    ["x", "--help"],
)


def make_command(got: list[object]) -> Any:  # typer keeps the class of its commands to itself
    """A command with a parameter of each kind, which notes what it gets."""
    app = typer.Typer(add_completion=False)

    @app.command()
    def run(
        *,
        name: str,
        text: Annotated[str | None, typer.Option()] = None,
        many: Annotated[list[str] | None, typer.Option()] = None,
        number: Annotated[int | None, typer.Option(min=1, max=100)] = None,
        where: Annotated[Path | None, typer.Option()] = None,
        there: Annotated[Path | None, typer.Option(exists=True, file_okay=False)] = None,
        flag: Annotated[bool, typer.Option()] = False,
        ratio: Annotated[float, typer.Option()] = 1.0,
        upper: Annotated[str, typer.Option(parser=str.upper)] = "u",
    ) -> None:
        got.append((name, text, many, number, where, there, flag, ratio, upper))

    return typer.main.get_command(app)


def outcome(command: Any, got: list[object], args: list[str]) -> object:  # see above
    """What the command got, with its types, or what typer says."""
    got.clear()
    try:
        with command.make_context("td", list(args)) as context:
            command.invoke(context)
    except TyperException as error:
        return error.format_message()
    except typer.Exit as end:
        return end.exit_code
    return repr(got)


@pytest.mark.parametrize("args", LINES, ids=" ".join)
def test_a_command_gets_what_typer_would_give_it(
    args: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same values, or the same words about what is wrong."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    got: list[object] = []
    spared = make_command(got)
    spare_pydantic(spared)

    assert outcome(spared, got, args) == outcome(make_command(got), got, args)
