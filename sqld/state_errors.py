"""What can go wrong with a server's directory, and with the sqld that it belongs to.

```
SqldError
├── KeyMissingError         sqld_key_missing   the vault of the server has no key of the server
├── StateMissingError       sqld_no_state      there is no server's directory here
├── StateError              sqld_state         a server's directory cannot be read or written
├── SettingError            invalid_input      a setting that a server cannot have
├── StateBusyError          sqld_state_busy    another process changes the tenants
├── GatewayRunsError        sqld_gateway_runs  a gateway has the registry of this server open
├── AdminUnreachableError   sqld_unreachable   the sqld of these tenants does not answer
├── AdminKeyError           sqld_admin_key     it answers, and does not take our admin key
└── AdminAnswerError        sqld_admin         it answers with something unexpected
```

Always true: no text of an error holds a key.
"""

from pathlib import Path

from sqld.errors import SqldError


class KeyMissingError(SqldError):
    """The vault opens, and does not hold a key of the server. name: which."""

    code = "sqld_key_missing"
    hint = "put the vault back from a backup, or run td sqld init, which makes what is missing"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"the vault of this server has no {self.name}"


class StateMissingError(SqldError):
    """There is no server's directory here."""

    code = "sqld_no_state"
    hint = "make one with td sqld init, or name it with --state or TD_SQLD_STATE"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.directory = directory

    def __str__(self) -> str:
        return f"no server was set up in {self.directory}"


class StateError(SqldError):
    """A server's directory cannot be read or written."""

    code = "sqld_state"
    hint = "what was kept there is as it was; mend the reason, then try again"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"cannot use {self.path}: {self.reason}"


class SettingError(SqldError):
    """A setting that a server cannot have; it was not written. name: which."""

    code = "invalid_input"
    hint = "nothing was changed; ports are from 1 to 65535, and an address is as https://db.example.org"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name, self.reason = name, reason

    def __str__(self) -> str:
        return f"{self.name} cannot be so: {self.reason}"


class StateBusyError(SqldError):
    """Another process changes the tenants of this server."""

    code = "sqld_state_busy"
    hint = "nothing was changed; wait for the other to end, then try again"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.directory = directory

    def __str__(self) -> str:
        return f"another process changes the tenants in {self.directory}"


class GatewayRunsError(SqldError):
    """A gateway, or another td, has the registry of this server open."""

    code = "sqld_gateway_runs"
    hint = "nothing was changed; stop the gateway and whatever else serves from there, then try again"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.directory = directory

    def __str__(self) -> str:
        return f"another process serves from {self.directory}"


class AdminUnreachableError(SqldError):
    """The sqld of these tenants does not answer; what it was asked may have been done."""

    code = "sqld_unreachable"
    hint = "start it (td sqld run --state DIR), then type the same again: it goes on where it stopped"

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(host, port, reason)
        self.host, self.port, self.reason = host, port, reason

    def __str__(self) -> str:
        return f"sqld does not answer at {self.host}:{self.port}: {self.reason}"


class AdminKeyError(SqldError):
    """An sqld answers that was started with another admin key."""

    code = "sqld_admin_key"
    hint = "the sqld on that port was not started with this --state; stop it, then td sqld run --state DIR"

    def __str__(self) -> str:
        return "sqld does not take the admin key of this server"


class AdminAnswerError(SqldError):
    """The admin API of sqld answers with something unexpected. status: of HTTP."""

    code = "sqld_admin"
    hint = "type the same again: it goes on where it stopped; the log of sqld may tell more"

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status, self.reason = status, reason

    def __str__(self) -> str:
        return f"sqld answers {self.status}: {self.reason}"
