'''The primary: find sqld, run it, stop it, back it up and restore it.

```python
from sqld import run_sqld

with run_sqld() as server:  # a fresh, empty database on a free port of this machine
    print(server.url)
```

In your own tests, a fresh primary for each costs some 20 ms:

```python
@pytest.fixture
def primary() -> Iterator[Server]:
    """An empty sqld."""
    with run_sqld() as server:
        yield server


def test_a_client_survives_a_restart(primary: Server) -> None:
    """The port and the data stay the same."""
    primary.stop()
    primary.start()
```

```python
backup = back_up(data_dir, into, binary=find_sqld())  # while it runs, or not
restore_backup(backup.folder, data_dir, binary=find_sqld(), replace=True)  # while it does not
```

What a server with several tenants needs besides is in modules of its own, imported by who needs it: `state` (its
directory), `tenants`, `minting` (tokens and API keys), `registry`, `gateway`, `proxy` and `nginx`, `deployment`,
`status`, `server_backup`; `turso` is the Platform API of Turso Cloud.

Always true: nothing started here outlives the process that started it.
'''

from sqld._health import is_healthy
from sqld.backup import Backup, back_up
from sqld.errors import (
    BackupError,
    DamagedBackupError,
    DamagedDatabaseError,
    DataDirInUseError,
    DataDirNotEmptyError,
    DataDirUnusableError,
    NoDatabaseError,
    NotABackupError,
    PortTakenError,
    RestoreError,
    SqldError,
    SqldNotFoundError,
    SqldUnusableError,
    StartError,
    UnpackError,
)
from sqld.find import find_sqld
from sqld.manifest import FileCopy, Manifest, NamespaceCopy
from sqld.ports import free_port
from sqld.restore import Restored, restore_backup
from sqld.server import Server, run_sqld
from sqld.version import sqld_version

__all__ = [
    "Backup",
    "BackupError",
    "DamagedBackupError",
    "DamagedDatabaseError",
    "DataDirInUseError",
    "DataDirNotEmptyError",
    "DataDirUnusableError",
    "FileCopy",
    "Manifest",
    "NamespaceCopy",
    "NoDatabaseError",
    "NotABackupError",
    "PortTakenError",
    "RestoreError",
    "Restored",
    "Server",
    "SqldError",
    "SqldNotFoundError",
    "SqldUnusableError",
    "StartError",
    "UnpackError",
    "back_up",
    "deployment",
    "errors",
    "find_sqld",
    "free_port",
    "gateway",
    "is_healthy",
    "minting",
    "nginx",
    "proxy",
    "registry",
    "restore_backup",
    "run_sqld",
    "server_backup",
    "sqld_version",
    "state",
    "state_errors",
    "status",
    "tenants",
    "turso",
    "turso_errors",
]
