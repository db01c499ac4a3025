'''The primary: find sqld, run it, stop it.

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

Always true: nothing started here outlives the process that started it.
'''

from sqld.errors import (
    DataDirInUseError,
    DataDirUnusableError,
    PortTakenError,
    SqldError,
    SqldNotFoundError,
    SqldUnusableError,
    StartError,
    UnpackError,
)
from sqld.find import find_sqld
from sqld.ports import free_port
from sqld.server import Server, run_sqld
from sqld.version import sqld_version

__all__ = [
    "DataDirInUseError",
    "DataDirUnusableError",
    "PortTakenError",
    "Server",
    "SqldError",
    "SqldNotFoundError",
    "SqldUnusableError",
    "StartError",
    "UnpackError",
    "find_sqld",
    "free_port",
    "run_sqld",
    "sqld_version",
]
