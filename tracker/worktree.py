"""The files of a repository on disk: which there are, and what is in them.

Always true:
- nothing is written, and git is only asked;
- what git ignores is found only by who names the file itself, and what is in `.git` and `.todos` is never found;
- a file is read in pieces, however large it is, and what is not a regular file is never opened to be waited for.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Final

from tracker.errors import InvalidFieldError
from tracker.paths import below, is_below, is_pattern, matches, split_pattern
from tracker.values import check_path

FILES_MAX: Final = 1_000
_WALKED_MAX: Final = 50_000
_GIT_DEADLINE_S: Final = 60.0
_NOT_OURS: Final = frozenset({".git", ".todos"})


@dataclass(frozen=True, slots=True)
class Worktree:
    """root: of the repository. here: the directory that typed paths are relative to. Both without symbolic links."""

    root: Path
    here: Path

    def path_of(self, typed: str) -> str:
        """The path from the root to what was typed; empty for the root itself. Raises InvalidFieldError."""
        try:
            named = self.here / Path(typed).expanduser()
            # A link that is the last name is the file that is meant; those on the way to it are followed.
            is_named = named.name not in ("", "..")
            found = named.parent.resolve() / named.name if is_named else named.resolve()
            return "" if found == self.root else check_path(found.relative_to(self.root).as_posix())
        except ValueError as error:
            raise InvalidFieldError(
                "file", f"{typed[:200]!a} is not in the repository", f"name a file below {self.root}"
            ) from error
        except (OSError, RuntimeError) as error:
            raise InvalidFieldError("file", f"{typed[:200]!a} cannot be found: {error}", "name another file") from error

    def expand(self, typed: Sequence[str], *, recursive: bool) -> list[str]:
        """The paths of the files that were typed, of patterns and of directories, each once, in that order.

        Raises:
            InvalidFieldError: nothing is there, or too much; a directory without `recursive`.
        """
        try:
            found = dict.fromkeys(path for one in typed for path in self._expand_one(one, recursive=recursive))
        except OSError as error:
            reason = f"{error.filename!a} cannot be looked at: {error.strerror}"
            raise InvalidFieldError("file", reason, "mend its permissions, or name another file") from error
        if len(found) > FILES_MAX:
            raise InvalidFieldError(
                "file", f"{len(found):,} files are too many at once", f"link at most {FILES_MAX:,}, as a part of them"
            )
        return list(found)

    def sha_of(self, path: str) -> str | None:
        """The SHA-256 of what a file holds, in hex; None where no such file is in the repository. Raises OSError."""
        # A path may have been written by another program, and no file beside the repository is anybody's business.
        is_inside = not path.startswith("/") and ".." not in path.split("/")
        return _content_sha(self.root / path) if is_inside else None

    def choose(self, typed: str, paths: Sequence[str]) -> list[str]:
        """Which of `paths` were typed, though they need not be on disk any more; where it is none, the one typed.

        A path, and a pattern, is one from here or else one from the root, as a list of files shows it.
        Raises InvalidFieldError.
        """
        named = self.path_of(typed)
        for one in (named, typed):
            if one in paths:
                return [one]
        if not is_pattern(typed):
            return [named]
        directory, rest = split_pattern(typed)
        start = self.path_of(directory)
        from_here = [path for path in paths if is_below(path, start) and matches(below(path, start), rest)]
        return from_here or [path for path in paths if matches(path, typed)] or [named]

    def _expand_one(self, typed: str, *, recursive: bool) -> list[str]:
        path = self.path_of(typed)
        if not _NOT_OURS.isdisjoint(path.split("/")):
            raise InvalidFieldError("file", f"{path} is of git or td itself", "name a file of the project")
        target = self.root / path
        if target.is_file():
            return [path]
        if target.is_dir():
            return self._directory(path, recursive=recursive)
        if target.exists():
            raise InvalidFieldError("file", f"{path} is not a regular file", "name a file that holds something")
        if is_pattern(typed):
            return self._pattern(typed)
        raise InvalidFieldError("file", f"there is no file {path}", "name one that is there; td files shows the others")

    def _directory(self, path: str, *, recursive: bool) -> list[str]:
        shown = path or "the root of the repository"
        if not recursive:
            raise InvalidFieldError("file", f"{shown} is a directory", "add --recursive to link all that is in it")
        found = list(self._files(path))
        if not found:
            raise InvalidFieldError("file", f"there is nothing to link in {shown}", "what git ignores is left out")
        return found

    def _pattern(self, typed: str) -> list[str]:
        directory, rest = split_pattern(typed)
        start = self.path_of(directory)
        found = [path for path in self._files(start) if matches(below(path, start), rest)]
        if not found:
            raise InvalidFieldError("file", f"no file fits {typed[:200]!a}", "what git ignores is left out")
        return found

    def _files(self, directory: str) -> Iterator[str]:
        """What is below a directory, sorted, but for what git ignores where it can be asked."""
        listed = _ask_git(self.root, directory) if (self.root / ".git").exists() else None
        for path in sorted(_walk(self.root, directory) if listed is None else listed):
            if is_below(path, directory) and _NOT_OURS.isdisjoint(path.split("/")) and (self.root / path).is_file():
                yield check_path(path)


def find_worktree(directory: Path, here: Path) -> Worktree:
    """The repository that `directory` is in, or else `directory` itself; seen from `here`, or else from its root."""
    start = directory.resolve()
    root = next((parent for parent in (start, *start.parents) if (parent / ".git").exists()), start)
    here = here.resolve()
    return Worktree(root, here if here.is_relative_to(root) else root)


def _content_sha(path: Path) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _ask_git(root: Path, directory: str) -> list[str] | None:
    """What git knows of, or would take, below a directory; None where git is not there, or cannot tell."""
    # Only who names a directory or a pattern pays for it.
    import subprocess  # noqa: PLC0415 - see above

    # Called from a hook, git would be told of another repository; no program of the repository is to run; and what td
    # is told by the environment, secrets among it, is none of git's business.
    withheld = ("GIT_", "TD_", "TURSO_", "WORKOS_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(withheld)}
    question = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", directory or ".")
    try:
        answer = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", "--literal-pathspecs", *question],
            cwd=root,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_DEADLINE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if answer.returncode != 0:
        return None
    # A repository within this one is named with a slash at its end, and is not ours to look into.
    return [path for path in set(os.fsdecode(answer.stdout).split("\0")) if path and not path.endswith("/")]


def _walk(root: Path, directory: str) -> list[str]:
    found: list[str] = []
    seen = 0
    for folder, folders, names in os.walk(root / directory):
        folders[:] = [name for name in folders if name not in _NOT_OURS]
        seen += len(folders) + len(names)
        if seen > _WALKED_MAX:
            raise InvalidFieldError(
                "file", f"there are more than {_WALKED_MAX:,} files in {directory or 'the root'}", "name a part of them"
            )
        found += [(Path(folder) / name).relative_to(root).as_posix() for name in names]
    return found
