"""Run one command line and tell how it ended.

Always true: what a person or the world can cause ends in one line on stderr and an exit code of `cli.exits`; only a
defect of td shows a traceback.
"""

import os
import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from cli.app import make_app
from cli.errors import CliError, InterruptedByPersonError, UsageError
from cli.exits import DONE, FAILED, report
from cli.names import COMPLETION_INSTRUCTIONS, COMPLETION_VARIABLE
from cli.output import discard_output, note
from tracker import ReplicaError, TrackerError


def run(args: Sequence[str]) -> int:
    """Run td with `args` and return the exit code."""
    as_json = _asks_for_json(args)
    _open_missing()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets an escape, not an error.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # the process has files there
    try:
        _call(args)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has read enough, and what was to be done is done.
        discard_output()
    except KeyboardInterrupt:
        return report(InterruptedByPersonError(), as_json=as_json)
    except typer.Exit as end:
        return end.exit_code
    except typer.Abort:
        note("td: stopped")
        return FAILED
    except TyperException as error:
        return report(_usage_error(error), as_json=as_json)
    except (CliError, TrackerError, ReplicaError) as error:
        return report(error, as_json=as_json)
    return DONE


def _open_missing() -> None:
    """Open what the caller closed, so that writing to it is no error: nobody wanted to read it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - for the whole process


def _call(args: Sequence[str]) -> None:
    app = make_app()
    # What no shell of ours says is nothing of ours.
    if (instruction := os.environ.get(COMPLETION_VARIABLE, "")) in COMPLETION_INSTRUCTIONS:
        # Only a shell pays for it.
        from cli.completion import answer  # noqa: PLC0415 - see above

        raise typer.Exit(answer(app, instruction))
    with app.make_context("td", list(args)) as context:
        app.invoke(context)


def _asks_for_json(args: Sequence[str]) -> bool:
    """Whether an error is to be JSON, also one about arguments that cannot be parsed."""
    options = args[: args.index("--")] if "--" in args else args
    return "--json" in options


def _usage_error(error: TyperException) -> UsageError:
    context = getattr(error, "ctx", None)
    path = getattr(context, "command_path", "td")
    # What pydantic, which checks for typer, puts before a reason.
    told = error.format_message().replace(": Value error, ", ": ", 1)
    if path.endswith(" login") and "extra argument" in told:
        # Whatever it is, it may be a token.
        return UsageError("a token is never an argument", f"pipe it in: {path} --token-stdin < token.txt")
    return UsageError(told.rstrip("."), f"see {path} --help")
