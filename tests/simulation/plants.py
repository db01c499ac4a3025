"""Bugs to plant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Plant:
    """One bug: what it patches."""

    apply: Callable[[], None]


PLANTS: Final[dict[str, Plant]] = {}
