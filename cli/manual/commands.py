"""The commands of td as they are: what each is called, does and takes, read from what parses them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cli.app import make_app
from cli.names import aliases_of, grouped

# They mean the same everywhere, so the manual tells them once.
SHARED: Final = ("as_json", "work_dir", "no_pager", "color")


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument or an option.

    names: how an option is typed; none for an argument. value: what stands for its value, "" for a flag. default: ""
    where none is told.
    """

    names: tuple[str, ...]
    value: str
    help: str
    default: str
    required: bool
    repeated: bool

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "names": list(self.names),
            "value": self.value,
            "help": self.help,
            "default": self.default or None,
            "required": self.required,
            "repeated": self.repeated,
        }


@dataclass(frozen=True, slots=True)
class Command:
    """A command. words: what calls it, without td. below: the names of the commands that it has."""

    words: tuple[str, ...]
    usage: str
    help: str
    aliases: tuple[str, ...]
    arguments: tuple[Parameter, ...]
    options: tuple[Parameter, ...]
    below: tuple[str, ...]
    runs_alone: bool

    @property
    def name(self) -> str:
        """As it is typed: `td conflicts show`."""
        return " ".join(("td", *self.words))

    @property
    def summary(self) -> str:
        """The first sentence of its help, without the full stop."""
        return self.help.partition("\n\n")[0].replace("\n", " ").rstrip(".")

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "command": self.name,
            "usage": self.usage,
            "help": self.help,
            "aliases": list(self.aliases),
            "arguments": [parameter.document() for parameter in self.arguments],
            "options": [parameter.document() for parameter in self.options],
            "commands": list(self.below),
        }


def shared_options() -> list[Parameter]:
    """The options that every command has."""
    return [_parameter(one) for one in make_app().params if one.name in SHARED]


def all_commands() -> Mapping[str, list[Command]]:
    """Every command by the heading that it stands under, those of a group after it."""
    app = make_app()
    return {
        heading: [found for name in names for found in _walk(app.commands[name], (name,))]
        for heading, names in grouped(app.commands).items()
    }


def _walk(command: Any, words: tuple[str, ...]) -> Iterator[Command]:  # typer keeps its classes private
    yield describe(command, words)
    for name, below in getattr(command, "commands", {}).items():
        yield from _walk(below, (*words, name))


def describe(command: Any, words: tuple[str, ...]) -> Command:  # see above
    """One command, as it parses what is typed."""
    shown = [one for one in command.params if not one.hidden and one.name not in SHARED]
    arguments = tuple(_parameter(one) for one in shown if one.param_type_name == "argument")
    options = tuple(_parameter(one) for one in shown if one.param_type_name == "option")
    below = tuple(getattr(command, "commands", {}))
    return Command(
        words=words,
        usage=" ".join(("td", *words, *command.collect_usage_pieces(None))),
        help=(command.help or "").strip(),
        aliases=tuple(aliases_of(words[0])) if len(words) == 1 else (),
        arguments=arguments,
        options=options,
        below=below,
        runs_alone=not below or bool(command.invoke_without_command),
    )


def _parameter(parameter: Any) -> Parameter:  # see above
    is_option = parameter.param_type_name == "option"
    names = (*parameter.opts, *parameter.secondary_opts) if is_option else ()
    # A long name says more, so it comes last.
    return Parameter(
        names=tuple(sorted(names, key=lambda name: name.startswith("--"))),
        value="" if is_option and parameter.is_flag else parameter.metavar or parameter.name.upper(),
        help=parameter.help or "",
        default=_default_of(parameter),
        required=bool(parameter.required),
        repeated=bool(getattr(parameter, "multiple", False)),
    )


def _default_of(parameter: Any) -> str:  # see above
    value = parameter.default
    is_told = parameter.show_default and not callable(value) and value not in (None, False, True, "", [], ())
    return str(value) if is_told else ""
