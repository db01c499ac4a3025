"""The manual page of td: all of its commands, in roff, as `man` shows it."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Final

from cli.manual.commands import Command, Parameter, all_commands, shared_options

_ABOUT: Final = """\
td tracks issues of people and coding agents. It keeps all of them on this disk, so that it reads and writes with or
without a network, and trades changes with one primary when it can. When two change the same field, it merges what can
be merged, and keeps the rest for a person to decide."""

_EXIT: Final = (
    ("0", "done; also a write that waits for the primary"),
    ("1", "failed"),
    ("2", "what was typed cannot be used"),
    ("3", "the row was changed meanwhile"),
    ("4", "the primary cannot be reached"),
    ("5", "not allowed"),
    ("130", "Ctrl-C"),
)

ENVIRONMENT: Final = (
    ("TD_WORK_DIR", "the directory with .todos, as -w"),
    ("TD_DATABASE_URL", "another primary, for this call only"),
    ("TD_DATABASE_MODE", "libsql, turso or remote, for this call only, where there is a primary"),
    ("TD_PROFILE", "the profile of this call; the option --profile comes before it"),
    ("TD_DATABASE_CA_FILE", "who is believed about the primary, for this call only; as the setting ca_file"),
    ("TD_DATABASE_TOKEN", "the token of the primary; it comes before what is kept"),
    ("TD_VAULT", "where tokens are kept: keyring or file; without it the keyring, where there is one"),
    ("TD_VAULT_KEY", "the key of the encrypted file, from td auth new-vault-key; it comes before the passphrase"),
    ("TD_VAULT_KEY_FILE", "a file that holds this key, as systemd and container engines hand it to a program"),
    ("TD_VAULT_PASSPHRASE", "a passphrase in place of the key"),
    ("TURSO_API_TOKEN", "the platform token of td turso; it comes before what is kept"),
    ("TURSO_ORG", "the organisation that td turso asks for"),
    ("TURSO_API_BASEURL", "where the Platform API is, in the place of Turso's own"),
    ("TD_SQLD", "the sqld that td sqld and td demo start"),
    ("TD_SQLD_STATE", "the directory of a server with tenants, as --state of td sqld"),
    ("TD_SESSION_ID", "the session to work under"),
    ("TD_CONTEXT_ID", "a name that tells this caller from others on the same machine and branch"),
    ("TD_PAGER", "what shows a long text; it comes before PAGER, and less; cat, or nothing: no pager"),
    ("NO_COLOR", "no colours, also on a terminal; CLICOLOR=0 says the same"),
    ("FORCE_COLOR", "colours, also where there is no terminal; CLICOLOR_FORCE says the same"),
)
"""Each variable that td reads, and what it means."""


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield f'.TH TD 1 "" "td {version("replica-toolkit")}" "User Commands"'
    yield from (".SH NAME", r"td \- track issues with or without a network, and share them")
    yield from (".SH SYNOPSIS", r"\fBtd\fR [OPTIONS] COMMAND ...", ".SH DESCRIPTION", _text(_ABOUT))
    yield ".SH OPTIONS"
    yield "Every command takes these, before its name or after it, and \\-\\-help."
    for parameter in shared_options():
        yield from _parameter(parameter)
    for heading, commands in all_commands().items():
        yield f".SH {heading.upper()}"
        for command in commands:
            yield from _command(command)
    yield ".SH EXIT STATUS"
    for code, told in _EXIT:
        yield from (".TP", rf"\fB{code}\fR", _text(told))
    yield ".SH ENVIRONMENT"
    for name, told in ENVIRONMENT:
        yield from (".TP", rf"\fB{name}\fR", _text(told))


def _command(command: Command) -> Iterator[str]:
    yield f".SS {_text(command.usage)}"
    for paragraph in command.help.split("\n\n"):
        yield from (_text(paragraph), ".PP")
    if command.aliases:
        yield from (_text(f"Also called {', '.join(command.aliases)}."), ".PP")
    for parameter in (*command.arguments, *command.options):
        yield from _parameter(parameter)


def _parameter(parameter: Parameter) -> Iterator[str]:
    value = rf"\fI{_text(parameter.value)}\fR" if parameter.value else ""
    names = ", ".join(rf"\fB{_text(name)}\fR" for name in parameter.names)
    told = parameter.help + (f" Default: {parameter.default}." if parameter.default else "")
    yield from (".TP", " ".join(part for part in (names, value) if part), _text(told))


def _text(text: str) -> str:
    """Text as roff shows it: no character of it is an instruction."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace("\n", " ")
    plain = "".join(char if char.isascii() else f"\\[u{ord(char):04X}]" for char in plain)
    return f"\\&{plain}" if plain.startswith((".", "'")) else plain
