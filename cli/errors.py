"""What can go wrong between the terminal and the tracker.

```
CliError                      base of all
├── UsageError                 usage                an argument that td does not take
├── InvalidValueError          invalid_input        a value that cannot be used here
├── NotInitialisedError        not_initialised      no .todos here or above
├── AlreadyInitialisedError    already_initialised  there is one already
├── ConfigMissingError         not_initialised      a .todos with issues in it and no config.json
├── FileError                  storage              a file or directory that cannot be read or written
├── OutputError                storage              a result that stdout does not take
├── DamagedConfigError         damaged              a config.json, or a profiles.json, that is not ours
├── SecretInConfigError        secret_in_config     a secret in a file that is no place for one
├── InterruptedByPersonError   interrupted          Ctrl-C
├── FailedChecksError          unhealthy            td doctor found something
├── LeftLyingError             left_lying           td check-handoff found work that nobody handed off
├── StoryError                 demo_failed          the demo did not come out as told
└── ForeignError               as it says           an error of sqld or of the vault, translated
```

Always true: `code` is stable, `hint` says what to do next, and no text holds a token.
"""

from pathlib import Path


class CliError(Exception):
    """Something to tell the person at the terminal."""

    code: str = "failed"
    hint: str = ""


class UsageError(CliError):
    """Arguments that td does not take."""

    code = "usage"

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.message, self.hint = message, hint

    def __str__(self) -> str:
        return self.message


class InvalidValueError(UsageError):
    """A value that cannot be used here; nothing was written."""

    code = "invalid_input"


class NotInitialisedError(CliError):
    """There is no td here."""

    code = "not_initialised"
    hint = "run td init first, or name the directory with -w"

    def __init__(self, start: Path, *, upward: bool) -> None:
        super().__init__(start, upward)
        self.start, self.upward = start, upward

    def __reduce__(self) -> tuple[object, ...]:
        return _not_initialised, self.args

    def __str__(self) -> str:
        return f"there is no .todos in {self.start}" + (" or above it" if self.upward else "")


def _not_initialised(start: Path, upward: bool) -> NotInitialisedError:
    return NotInitialisedError(start, upward=upward)


class ConfigMissingError(CliError):
    """The databases are there, and what says where they belong is gone; nothing was written."""

    code = "not_initialised"

    def __init__(self, directory: Path, database: str, hint: str) -> None:
        super().__init__(directory, database, hint)
        self.directory, self.database, self.hint = directory, database, hint

    def __str__(self) -> str:
        return f"{self.directory} has a {self.database} and no config.json"


class AlreadyInitialisedError(CliError):
    """A second `td init`."""

    code = "already_initialised"
    hint = "use it as it is; td config list shows how it is set up"

    def __init__(self, directory: Path, hint: str | None = None) -> None:
        super().__init__(directory, hint)
        self.directory = directory
        if hint is not None:
            self.hint = hint

    def __str__(self) -> str:
        return f"{self.directory} is there already"


class FileError(CliError):
    """A file or directory of td that cannot be read or written."""

    code = "storage"
    hint = "mend its permissions or free some space, then try again"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"cannot use {self.path}: {self.reason}"


class OutputError(CliError):
    """What was to be done is done, but stdout does not take the result."""

    code = "storage"
    hint = "what td was asked to do is done, only its result could not be shown; td list shows how it is now"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot use stdout: {self.reason}"


class DamagedConfigError(CliError):
    """A config.json that td did not write."""

    code = "damaged"
    hint = 'mend it by hand; at its least it is {"mode": "local"}'

    def __init__(self, path: Path, reason: str, hint: str | None = None) -> None:
        super().__init__(path, reason, hint)
        self.path, self.reason = path, reason
        if hint is not None:
            self.hint = hint

    def __str__(self) -> str:
        return f"{self.path} cannot be understood: {self.reason}"


class SecretInConfigError(CliError):
    """Somebody wrote a secret into a file that is no place for one. setting: where in it; never any of the secret."""

    code = "secret_in_config"
    hint = (
        "take it out of there and have it replaced, because others may have seen it; "
        "then td login keeps the new one, encrypted"
    )

    def __init__(self, path: Path, setting: str) -> None:
        super().__init__(path, setting)
        self.path, self.setting = path, setting

    def __str__(self) -> str:
        return f"{self.path} holds a secret, as {self.setting}"


class InterruptedByPersonError(CliError):
    """Ctrl-C."""

    code = "interrupted"
    hint = "what td said was done stays done; run it again when you like"

    def __init__(self, hint: str | None = None) -> None:
        super().__init__(hint)
        if hint is not None:
            self.hint = hint

    def __str__(self) -> str:
        return "interrupted"


class FailedChecksError(CliError):
    """`td doctor` found something that is not well."""

    code = "unhealthy"

    def __init__(self, names: tuple[str, ...], hint: str) -> None:
        super().__init__(names, hint)
        self.names, self.hint = names, hint

    def __str__(self) -> str:
        return f"not well: {', '.join(self.names)}"


class LeftLyingError(CliError):
    """This session has work before it that nobody else knows the state of."""

    code = "left_lying"
    hint = "hand it off (td handoff ID, td ws handoff), or put it back (td unstart ID)"

    def __init__(self, claims: tuple[str, ...], work: str | None) -> None:
        super().__init__(claims, work)
        self.claims, self.work = claims, work

    def __str__(self) -> str:
        told = [f"{', '.join(self.claims)} in progress"] if self.claims else []
        return "; ".join([*told, *([f"the work session {self.work} goes on"] if self.work else [])])


class StoryError(CliError):
    """The demo did not come out as it was told."""

    code = "demo_failed"
    hint = "this is a defect of td: please report it with the output above"

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(expected, found)
        self.expected, self.found = expected, found

    def __str__(self) -> str:
        return f"expected {self.expected}, found {self.found}"


class ForeignError(CliError):
    """An error of a package that only some commands import, as this one place knows it."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(code, message, hint)
        self.code, self.message, self.hint = code, message, hint

    def __str__(self) -> str:
        return self.message
