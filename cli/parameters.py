"""What is typed for a parameter, as the value that a command gets.

Typer asks pydantic, and importing that takes longer than most commands run. Always true: what is turned into a value
here, pydantic would turn into the same; everything else, and every error, is left to typer. And how parameters stand in
a usage line: as their metavars have it, which say it all.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, get_args, get_origin

from typer.models import ParameterInfo

_DIGITS_MAX: Final = 18


class _LeftToTyper(Exception):  # noqa: N818 - no error: nobody but this module sees it
    """Something that typer is to judge."""


class _Typed:
    """Turns what was typed for one parameter into its value."""

    def __init__(self, annotation: Any, info: ParameterInfo, others: Callable[[], Any]) -> None:  # as typer has them
        self._is_list = get_origin(annotation) is list
        self._kind = get_args(annotation)[0] if self._is_list else annotation
        self._info, self._others = info, others

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:  # what typer calls, with what it knows
        """The value; called by typer in place of its own."""
        try:
            if value is None:
                return () if self._is_list else None
            if self._is_list and isinstance(value, list | tuple):
                return [self._one(item) for item in value]
            return self._one(value)
        except _LeftToTyper:
            return self._others().coerce(value, param=param, ctx=ctx)

    def _one(self, value: object) -> object:
        if self._info.parser is None and isinstance(value, str):
            if self._kind is str:
                return value
            if self._kind is int:
                return self._number(value)
            if self._kind is Path:
                return self._path(value)
        raise _LeftToTyper

    def _number(self, text: str) -> int:
        info = self._info
        if info.clamp or not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
            raise _LeftToTyper
        number = int(text)
        if (info.min is not None and number < info.min) or (info.max is not None and number > info.max):
            raise _LeftToTyper
        return number

    def _path(self, text: str) -> Path:
        info = self._info
        is_checked = info.writable or info.resolve_path or not (info.file_okay and info.dir_okay)
        # Typer refuses what is there and cannot be read.
        if is_checked or info.path_type is not None or "\0" in text or not os.access(text, os.R_OK):
            raise _LeftToTyper
        return Path(text)


def tell_usage(command: Any) -> None:  # typer keeps the class of its commands to itself
    """Let the usage line of a command have the metavars of its arguments as they are."""
    command.collect_usage_pieces = lambda _ctx: _usage_pieces(command)


def _usage_pieces(command: Any) -> list[str]:  # see above
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    pieces = ["[OPTIONS]", *map(_usage_piece, arguments)]
    if hasattr(command, "commands"):
        pieces.append("[COMMAND] ..." if command.invoke_without_command else "COMMAND ...")
    return pieces


def _usage_piece(argument: Any) -> str:  # see above
    told: str = argument.metavar or argument.name.upper()
    return told if argument.required or told.startswith("[") else f"[{told}]"


def _no_type(ctx: Any) -> None:  # what typer calls, with what it knows
    del ctx


def spare_pydantic(command: Any) -> None:  # see above
    """Let the parameters of a command be turned into values here, as far as that is possible."""
    parameters_of = command.get_params

    # Asked here, because the option --help is made only when it is asked for.
    def get_params(ctx: Any) -> list[Any]:  # see above
        parameters: list[Any] = parameters_of(ctx)
        for parameter in parameters:
            if "get_runtime_param" not in vars(parameter):
                described, others = parameter.type_descriptor, parameter.get_runtime_param
                typed = _Typed(described.annotation, described.parameter_info, others)
                parameter.get_runtime_param = lambda typed=typed: typed
                if parameter.param_type_name == "argument" or parameter.is_flag:
                    # The metavar says it in words of td, and a flag has no value.
                    parameter.display_type_rich = _no_type
        return parameters

    command.get_params = get_params
