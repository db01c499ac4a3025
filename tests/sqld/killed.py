"""Change a tenant in a process that is killed before one of the steps that leave a trace outside of it.

Run as `python -m tests.sqld.killed STATE STEP CALL NAME`, with the key of the vault in the environment. It ends by
SIGKILL, or with 0 if the call has fewer steps.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from auth.file_vault import FileVault
from auth.vault_key import find_opener
from sqld.admin import Admin
from sqld.registry.storage import Storage
from sqld.state import State
from sqld.tenants import Tenancy

STEPS: Final = ((FileVault, "store"), (FileVault, "delete"), (Admin, "_ask"), (Storage, "write"))
CALLS: Final[dict[str, Callable[[Tenancy, str], object]]] = {
    "create": Tenancy.create,
    "rotate": lambda tenancy, name: tenancy.rotate_key(name, overlap_s=0),
    "suspend": Tenancy.suspend,
    "resume": Tenancy.resume,
    "delete": Tenancy.delete,
}


def end_before(step: int) -> None:
    """Have this process killed before its `step`th step, counted from 1."""
    left = step

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:  # whatever it takes and returns
        def count(*args: Any, **options: Any) -> Any:  # see above
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **options)

        return count

    for kind, name in STEPS:
        setattr(kind, name, counted(getattr(kind, name)))


def main(directory: str, step: str, call: str, name: str) -> None:
    """Do what the arguments say."""
    state = State(Path(directory))
    vault = FileVault(state.vault_path, lambda: find_opener(os.environ))
    with state.registry() as registry:
        tenancy = state.tenancy(registry, vault)
        end_before(int(step))
        CALLS[call](tenancy, name)


if __name__ == "__main__":
    main(*sys.argv[1:])
