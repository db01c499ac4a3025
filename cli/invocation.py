"""What every command gets: how it was called, and its way to print and to open the tracker.

Always true: `--json`, `-w` and `--profile` mean the same before the command and after it; after it wins.
"""

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Concatenate, Final, ParamSpec

import typer

from cli.errors import UsageError
from cli.output import PAGER_VARIABLE, note, print_json, print_lines
from cli.place import WORK_DIR_VARIABLE, Place, find_place
from cli.text import choose_colour
from tracker import Tracker

_Options = ParamSpec("_Options")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
WorkDir = Annotated[
    Path | None,
    typer.Option(
        "--work-dir",
        "-w",
        help="The directory with .todos. Default: TD_WORK_DIR, or the nearest upward.",
        show_default=False,
        metavar="DIR",
    ),
]

NoPager = Annotated[bool, typer.Option("--no-pager", help="Do not show what is long in a pager.")]
Colour = Annotated[
    str | None,
    typer.Option("--color", help="Colours: auto, always or never.", show_default=False, metavar="WHEN"),
]
ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile", help="The profile to use, before TD_PROFILE and that of the directory.", show_default=False,
        metavar="NAME",
    ),
]  # fmt: skip
# Taken after the name of a command too, and told of only once, in the help of td itself.
_NoPagerBelow = Annotated[bool, typer.Option("--no-pager", help="As before the command.", hidden=True)]
_ColourBelow = Annotated[
    str | None, typer.Option("--color", help="As before the command.", hidden=True, metavar="WHEN")
]
_ProfileBelow = Annotated[
    str | None, typer.Option("--profile", help="As before the command.", hidden=True, metavar="NAME")
]


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of td. as_json: print JSON. work_dir: where to look for `.todos`; None looks upward from here.

    profile: the one that was asked for by the option.
    """

    as_json: bool = False
    work_dir: Path | None = None
    profile: str | None = None

    def place(self) -> Place:
        """Where the issues are. Raises CliError."""
        return find_place(self.work_dir, os.environ, self.profile)

    def tracker(self) -> Tracker:
        """The issues. Raises CliError or ReplicaError."""
        return self.place().open()

    def reading(self) -> Tracker:
        """The issues, to be read: a person is told where not all of them can be there. Raises as `tracker` does."""
        place = self.place()
        if place.is_copy_missing():
            self.say("what the primary has is not here yet: td sync fetches it")
        return place.open()

    def emit(
        self,
        document: Callable[[], Mapping[str, object] | Sequence[object]],
        lines: Callable[[], Sequence[str]],
    ) -> None:
        """Print the result: the document with `--json`, else the lines."""
        if self.as_json:
            print_json(document())
        else:
            print_lines(lines())

    def say(self, line: str) -> None:
        """Say on stderr what is not the result, to a person."""
        if not self.as_json:
            note(line)


def enter(
    ctx: typer.Context,
    *,
    as_json: bool,
    work_dir: Path | None,
    no_pager: bool = False,
    color: str | None = None,
    profile: str | None = None,
) -> Invocation:
    """What the options of this level add to those before it; kept for the levels below. Raises UsageError."""
    if no_pager:
        # What td starts would look there too.
        os.environ[PAGER_VARIABLE] = ""
    if color is not None:
        _choose_colour(color)
    above = ctx.obj if isinstance(ctx.obj, Invocation) else Invocation(work_dir=_work_dir_of_environment())
    entered = replace(
        above,
        as_json=above.as_json or as_json,
        work_dir=work_dir or above.work_dir,
        profile=above.profile if profile is None else profile,
    )
    ctx.obj = entered
    return entered


def command(
    app: typer.Typer, name: str
) -> Callable[[Callable[Concatenate[Invocation, _Options], None]], Callable[Concatenate[Invocation, _Options], None]]:
    """Make a function the command `name` of `app`; it gets its `Invocation` first, and then its options.

    The options that every command has, `--json` and `-w`, are added here.
    """

    def register(
        function: Callable[Concatenate[Invocation, _Options], None],
    ) -> Callable[Concatenate[Invocation, _Options], None]:
        app.command(name)(_with_shared_options(function))
        return function

    return register


def default_command(
    app: typer.Typer,
) -> Callable[[Callable[Concatenate[Invocation, _Options], None]], Callable[Concatenate[Invocation, _Options], None]]:
    """Make a function what a group does when no command of it is named; it gets its options as with `command`."""

    def register(
        function: Callable[Concatenate[Invocation, _Options], None],
    ) -> Callable[Concatenate[Invocation, _Options], None]:
        app.callback(invoke_without_command=True)(_with_shared_options(function, is_group=True))
        return function

    return register


def shared_options(app: typer.Typer) -> None:
    """Let a group that does nothing by itself take the options that every command has."""

    def run(
        ctx: typer.Context,
        *,
        as_json: AsJson = False,
        work_dir: WorkDir = None,
        no_pager: _NoPagerBelow = False,
        color: _ColourBelow = None,
        profile: _ProfileBelow = None,
    ) -> None:
        enter(ctx, as_json=as_json, work_dir=work_dir, no_pager=no_pager, color=color, profile=profile)

    app.callback()(run)


def _with_shared_options(function: Callable[..., None], *, is_group: bool = False) -> Callable[..., None]:
    def run(ctx: typer.Context, **options: Any) -> None:  # as typer parsed them
        shared = {parameter.name: options.pop(parameter.name) for parameter in _SHARED}
        call = enter(ctx, **shared)
        if not is_group or ctx.invoked_subcommand is None:
            function(call, **options)
        elif any(options.values()):
            raise UsageError(
                f"{ctx.invoked_subcommand} does not take what stands before it", f"see {ctx.command_path} --help"
            )

    # Typer reads a command's options from its signature.
    own = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in list(inspect.signature(function).parameters.values())[1:]
    ]
    parameters = [_CONTEXT, *own, *_SHARED]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # functions may have one
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__name__, run.__doc__ = function.__name__, function.__doc__
    return run


def _choose_colour(wish: str) -> None:
    if wish not in ("auto", "always", "never"):
        raise UsageError(f"colours are not shown {wish[:40]!a}", "use --color auto, always or never")
    choose_colour(wish)


def _work_dir_of_environment() -> Path | None:
    given = os.environ.get(WORK_DIR_VARIABLE)
    return Path(given) if given else None


_CONTEXT: Final = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
_SHARED: Final = (
    inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=AsJson),
    inspect.Parameter("work_dir", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=WorkDir),
    inspect.Parameter("no_pager", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_NoPagerBelow),
    inspect.Parameter("color", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_ColourBelow),
    inspect.Parameter("profile", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_ProfileBelow),
)
