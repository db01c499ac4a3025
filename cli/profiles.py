"""Profiles: to which primary a person goes, and as whom; one file for all of their directories.

It is `replica-toolkit/profiles.json` in the user's directory for settings (XDG_CONFIG_HOME, Application Support,
APPDATA). Always true:
- no secret stands in it: `credential` is the name under which the vault keeps one;
- it is written whole or not at all, readable by its owner only, and two who change it at once both do;
- the secret of a profile is for the primary of that profile.
"""

import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from cli.errors import DamagedConfigError, FileError, InvalidValueError, SecretInConfigError
from cli.in_the_clear import find_secret, looks_secret
from tracker import InputError, Mode, check_url

PROFILE_VARIABLE: Final = "TD_PROFILE"
DEFAULT: Final = "default"
_FILE: Final = "profiles.json"
_APPLICATION: Final = "replica-toolkit"
_VERSION: Final = 1
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MEND: Final = "mend it by hand, or move it away: profiles are made anew with td login"
_WAIT_S: Final = 10.0


class Auth(StrEnum):
    """By what a person is let in."""

    NONE = "none"
    TOKEN = "token"  # noqa: S105 - the name of a way, not a token
    WORKOS = "workos"


@dataclass(frozen=True, slots=True)
class Profile:
    """One primary, and how one is let in there.

    workos_client_id: the application at WorkOS. workos_url: where that is, if not at WorkOS itself. organisation: the
    one of WorkOS to be signed in to. credential: under which name the vault has the secret.
    """

    auth: Auth = Auth.NONE
    url: str | None = None
    mode: str | None = None
    ca_file: str | None = None
    workos_client_id: str | None = None
    workos_url: str | None = None
    organisation: str | None = None
    credential: str | None = None


@dataclass(frozen=True, slots=True)
class Profiles:
    """All of them by name, and which one is used where nothing else is said."""

    current: str | None = None
    by_name: Mapping[str, Profile] = field(default_factory=dict)

    def get(self, name: str) -> Profile:
        """One of them. Raises InvalidValueError."""
        found = self.by_name.get(name)
        if found is None:
            raise InvalidValueError(
                f"there is no profile {name}", f"td config profiles list shows them, td login --profile {name} makes it"
            )
        return found

    def with_profile(self, name: str, profile: Profile) -> "Profiles":
        """With one more, or another of that name; the first one is the one that is used."""
        return replace(self, current=self.current or name, by_name={**self.by_name, name: profile})

    def without(self, name: str) -> "Profiles":
        """Without one."""
        left = {each: profile for each, profile in self.by_name.items() if each != name}
        return Profiles(None if self.current == name else self.current, left)


def check_name(typed: str) -> str:
    """The name of a profile. Raises InvalidValueError."""
    # A secret that was put in the wrong place is not repeated.
    if not _NAME.fullmatch(typed) or looks_secret(typed):
        raise InvalidValueError(
            "this is no name for a profile", "letters, digits, '.', '_' and '-', at most 64 of them, as work"
        )
    return typed


def asked_profile(flag: str | None, environ: Mapping[str, str]) -> str | None:
    """The profile that this call asks for: the option, then TD_PROFILE. Raises InvalidValueError."""
    typed = flag if flag is not None else environ.get(PROFILE_VARIABLE, "").strip()
    return check_name(typed) if typed or flag is not None else None


def profiles_path(environ: Mapping[str, str]) -> Path:
    """Where the file is, or would be."""
    if "linux" in sys.platform:
        # As platformdirs has it, whose import takes as long as a whole short command.
        given = environ.get("XDG_CONFIG_HOME", "").strip()
        return (Path(given) if given else Path("~/.config").expanduser()) / _APPLICATION / _FILE
    from platformdirs import user_config_path  # noqa: PLC0415 - see above

    return user_config_path(_APPLICATION, appauthor=False, roaming=True) / _FILE


def load_profiles(environ: Mapping[str, str]) -> Profiles:
    """All profiles; none where there is no file. Raises DamagedConfigError, SecretInConfigError or FileError."""
    path = profiles_path(environ)
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return Profiles()
    except OSError as error:
        raise FileError(path, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise DamagedConfigError(path, "it is not text", _MEND) from error
    try:
        read = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedConfigError(path, "it is not JSON", _MEND) from error
    refuse_secrets(path, read)
    if not isinstance(read, dict) or read.get("version") != _VERSION or not isinstance(read.get("profiles"), dict):
        raise DamagedConfigError(path, "it holds no profiles, or those of a newer td", _MEND)
    current, named = read.get("current"), read["profiles"]
    if not isinstance(current, str | None) or (current is not None and current not in named):
        raise DamagedConfigError(path, "the profile in use is not among them", _MEND)
    return Profiles(current, {name: _profile(path, name, settings) for name, settings in named.items()})


def change_profiles(environ: Mapping[str, str], change: Callable[[Profiles], Profiles]) -> Profiles:
    """Write what `change` makes of the profiles as they are now. Raises as `load_profiles`, and what `change` does."""
    import filelock  # noqa: PLC0415 - only who changes them pays for it

    from cli.config import write_private  # noqa: PLC0415 - it reads profiles itself

    path = profiles_path(environ)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with filelock.FileLock(path.with_suffix(".lock"), timeout=_WAIT_S, mode=0o600):
            changed = change(load_profiles(environ))
            document = {
                "version": _VERSION,
                "current": changed.current,
                "profiles": {
                    name: {key: value for key, value in asdict(profile).items() if value is not None}
                    for name, profile in sorted(changed.by_name.items())
                },
            }
            refuse_secrets(path, document)
            write_private(path, json.dumps(document, indent=2) + "\n")
    except filelock.Timeout as error:
        raise FileError(path, "another td is changing it") from error
    except OSError as error:
        raise FileError(path, error.strerror or str(error)) from error
    return changed


def refuse_secrets(path: Path, document: object) -> None:
    """Raise SecretInConfigError for a secret in what is, or is to be, written at `path`."""
    found = find_secret(document)
    if found is not None:
        raise SecretInConfigError(path, found)


def _profile(path: Path, name: str, settings: Any) -> Profile:  # any JSON
    known = Profile.__dataclass_fields__
    if (
        not _NAME.fullmatch(name)
        or not isinstance(settings, dict)
        or not settings.keys() <= known.keys()
        or not all(isinstance(value, str | None) for value in settings.values())
        or settings.get("auth", Auth.NONE) not in [*Auth]
        or settings.get("mode") not in (None, Mode.LIBSQL, Mode.TURSO, Mode.REMOTE)
    ):
        raise DamagedConfigError(path, f"profile {name[:64]!a} is not as td writes it", _MEND)
    if settings.get("url") is not None:
        try:
            check_url(settings["url"])
        except InputError as error:
            raise DamagedConfigError(path, f"profile {name}: {error}", _MEND) from error
    return Profile(**{**settings, "auth": Auth(settings.get("auth", Auth.NONE))})
