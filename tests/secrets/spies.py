"""Programs that write down how they were started, and then are the real ones: what td starts, starts them."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SPY: Final = """\
#!/bin/sh
heard=$(mktemp '{heard}/{name}-XXXXXXXX')
{{ env; printf '%s\\n' "$@"; }} > "$heard"
exec '{real}' "$@"
"""


@dataclass(frozen=True, slots=True)
class Spies:
    """Spies of these programs. directory: to be first in PATH."""

    directory: Path
    heard: Path

    @classmethod
    def of(cls, directory: Path, programs: dict[str, Path]) -> "Spies":
        """Spies in `directory`, each by the name of a program and in the place of a real one."""
        spies = cls(directory, directory.with_name("heard"))
        directory.mkdir(parents=True)
        spies.heard.mkdir()
        for name, real in programs.items():
            spy = directory / name
            spy.write_text(_SPY.format(heard=spies.heard, name=name, real=real))
            spy.chmod(0o700)
        return spies

    def started(self) -> set[str]:
        """The programs that were started."""
        return {path.name.rpartition("-")[0] for path in self.heard.iterdir()}


def real(name: str) -> Path:
    """Where the real program is."""
    found = shutil.which(name)
    assert found is not None, f"{name} is not installed"
    return Path(found)
