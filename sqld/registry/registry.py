"""The registry as a whole.

Always true: all tables of one registry share one connection, so what is written within its transaction is one.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from sqld.registry.api_keys import ApiKeys
from sqld.registry.keys import Keys
from sqld.registry.requests import Requests
from sqld.registry.storage import Storage
from sqld.registry.tenants import Tenants
from sqld.registry.tokens import Tokens


class Registry:
    """The registry of one server; see the package."""

    def __init__(self, storage: Storage) -> None:
        """Of a file that is open."""
        self._storage = storage
        self.tenants = Tenants(storage)
        self.keys = Keys(storage)
        self.tokens = Tokens(storage)
        self.api_keys = ApiKeys(storage)
        self.requests = Requests(storage)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file at `path`, or make it; its folder is there.

        Raises:
            RegistryError: it cannot be opened, or is none of ours.
        """
        return cls(Storage(path))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file. May be called again."""
        self._storage.close()

    def transaction(self) -> AbstractContextManager[None]:
        """All that is written within, or nothing. Raises RegistryError."""
        return self._storage.transaction()
