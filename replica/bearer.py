"""The token that is shown to the primary: asked for when it is needed, and one other where the primary refuses it.

Always true: one use of it shows at most two tokens, and never the same one twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from replica.errors import TokenRefusedError

_Done = TypeVar("_Done")


def _none() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Bearer:
    """Where tokens come from (RFC 6750 section 2.1).

    find: asked before each use; None: the primary needs none. renew: gets the token that the primary has just answered
    401 to, and returns another, or None where there is none.
    """

    find: Callable[[], str | None] = _none
    renew: Callable[[str], str | None] | None = None

    def used(self, attempt: Callable[[str | None], _Done]) -> _Done:
        """What `attempt` returns of the token, or of another one if the primary refuses that.

        Raises what `attempt` does, and what `find` and `renew` do.
        """
        token = self.find()
        try:
            return attempt(token)
        except TokenRefusedError:
            another = None if token is None or self.renew is None else self.renew(token)
            if another is None or another == token:
                raise
        return attempt(another)


NOBODY: Final = Bearer()
"""Who shows nothing."""
