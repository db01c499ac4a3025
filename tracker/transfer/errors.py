"""What can go wrong with a file that is to be taken in.

```
TrackerError
└── SourceError                 invalid_input    a file that cannot be read, or is not what it should be
```

Always true: nothing of the file was written when this is raised.
"""

from pathlib import Path

from tracker.errors import TrackerError


class SourceError(TrackerError):
    """A file that cannot be taken in; `where`: the place in it, as `line 3`."""

    code = "invalid_input"

    def __init__(self, path: Path, reason: str, hint: str, where: str = "") -> None:
        super().__init__(path, reason, hint, where)
        self.path, self.reason, self.hint, self.where = path, reason, hint, where

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.path), self.where, self.reason) if part)
