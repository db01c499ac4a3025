"""What other programs get of the environment.

Always true: a program that is started for something else than a secret gets none of those that td reads from the
environment. What is not td's is left as it was: sqld keeps backups with a key of its own, say.
"""

from collections.abc import Mapping
from typing import Final

_OURS: Final = ("TD_", "TURSO_", "WORKOS_")
_OF_SECRETS: Final = ("TOKEN", "SECRET", "KEY", "PASS")


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child that has no business with the secrets of td."""
    return {name: value for name, value in environ.items() if not _is_secret(name.upper())}


def _is_secret(name: str) -> bool:
    return name.startswith(_OURS) and any(word in name for word in _OF_SECRETS)
