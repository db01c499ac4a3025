"""No command takes a secret as an argument: others read the list of processes and the history of the shell."""

import re
from typing import Any, Final

from cli.app import make_app
from tests.cli.test_help import ALL

_SECRET: Final = re.compile(r"token|secret|passw|passphrase|key|credential", re.IGNORECASE)
# What is named, and is no secret itself: an id, a file, or a setting, of which none is secret.
_NAMES_ONE: Final = {
    *(("config", what, "key") for what in ("get", "set", "unset")),
    ("sqld", "token", "revoke", "token_id"),
    ("sqld", "key", "revoke", "key_id"),
    ("sqld", "up", "certificate_key"),
    ("sqld", "proxy-config", "certificate_key"),
}


def test_no_command_takes_a_secret_as_an_argument() -> None:
    """What is secret comes on stdin, from the environment, or from the vault."""
    taking = set()
    for path in ALL:
        command: Any = make_app()  # typer keeps its classes private
        for name in path:
            command = command.commands[name]
        for parameter in command.params:
            if _SECRET.search(parameter.name) and not getattr(parameter, "is_flag", False):
                taking.add((*path, parameter.name))

    assert taking == _NAMES_ONE
