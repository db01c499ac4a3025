"""What a backup says of itself: `manifest.json`.

A backup is a folder laid out as a data directory is, with this file on top. It is written last, so a folder without it
is no backup.

Always true: a manifest that was read names only files inside its folder.
"""

from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from sqld.errors import NotABackupError

NAME: Final = "manifest.json"


def _inside(file: str) -> str:
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError("it leads out of the backup")
    return file


def _one_folder(namespace: str) -> str:
    if namespace in {"", ".", ".."} or "/" in namespace or "\0" in namespace:
        raise ValueError("it is no name of a namespace")
    return namespace


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class FileCopy(_Part):
    """A file of the backup. file: from the backup's folder. bytes: its size."""

    file: Annotated[str, AfterValidator(_inside)]
    bytes: int = Field(ge=0)
    sha256: str


class NamespaceCopy(FileCopy):
    """A database of the backup.

    tables: the rows of each. log_id, frame: how far the replication log had come when the copy was begun; the copy
    holds that and may hold more. primary_id: which primary it is a copy of, if replica has ever synced with it.
    """

    name: Annotated[str, AfterValidator(_one_folder)]
    tables: dict[str, int]
    log_id: str | None
    frame: int | None
    primary_id: str | None


class Manifest(_Part):
    """made_at: UTC, when the copies were begun. sqld: the build that tried them. settings: of the namespaces.

    server: what a server with tenants has besides; it lies in a folder of the backup of its own.
    """

    format: Literal[1] = 1
    made_at: str
    sqld: str
    namespaces: list[NamespaceCopy]
    settings: FileCopy | None
    server: list[FileCopy] = Field(default_factory=list)

    @property
    def bytes(self) -> int:
        """The size of the data directory in it."""
        return sum(part.bytes for part in self.files)

    @property
    def files(self) -> list[FileCopy]:
        """What a data directory is made of."""
        return [*self.namespaces, *([self.settings] if self.settings is not None else [])]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it into the folder that it speaks of. Raises OSError."""
    path = folder / NAME
    path.touch(mode=0o600)
    path.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup. Raises NotABackupError."""
    try:
        return Manifest.model_validate_json((folder / NAME).read_bytes())
    except OSError as error:
        found = NotABackupError(folder, f"{NAME}: {error.strerror or error}")
        # Named by their moments, so that the last is the newest.
        if inside := sorted(path.parent for path in folder.glob(f"*/{NAME}")):
            found.hint = f"name one of the backups in it; the newest is {inside[-1]}"
        raise found from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise NotABackupError(folder, f"{NAME}: {first['msg']}" + (f" ({place})" if place else "")) from error
