"""How a `.todos` directory is set up: `config.json` in it.

Always true:
- the file never holds a token, and one that somebody wrote into it is refused; a URL in it holds no user name,
  password or token;
- it is written whole or not at all, readable by its owner only;
- what the environment says counts for one call and is never written;
- a token that is kept for the primary of a directory is for no other primary, and what a directory names is a token.
"""

import json
import os
import re
import stat
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cli.errors import DamagedConfigError, FileError, InvalidValueError
from cli.profiles import asked_profile, check_name, load_profiles, refuse_secrets
from tracker import InputError, Mode, check_url, http_url, is_turso

URL_VARIABLE: Final = "TD_DATABASE_URL"
MODE_VARIABLE: Final = "TD_DATABASE_MODE"
CA_FILE_VARIABLE: Final = "TD_DATABASE_CA_FILE"
_NAME: Final = "config.json"
# As `cli.credentials` names tokens; the vault has more than those, and a directory may come from somebody else.
_CREDENTIAL: Final = re.compile(r"(file/)?[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Config:
    """How a directory is set up.

    mode: where the issues are. url: of the primary. credential: under which name the vault has the token.
    ca_file: who is believed about the primary, in the place of the authorities that everybody believes.
    profile: the one whose token is shown to the primary, and whose ca_file counts where there is none here.
    """

    mode: Mode = Mode.LOCAL
    url: str | None = None
    credential: str | None = None
    ca_file: str | None = None
    profile: str | None = None

    def document(self) -> dict[str, str | None]:
        """What people set, by name."""
        return {"mode": self.mode.value, "url": self.url, "ca_file": self.ca_file, "profile": self.profile}


def parse_mode(typed: str) -> Mode:
    """The mode by its name. Raises InvalidValueError."""
    try:
        return Mode(typed.strip().lower())
    except ValueError as error:
        raise InvalidValueError(f"there is no mode {typed[:40]!a}", f"use one of {', '.join(Mode)}") from error


def make_config(
    mode: Mode | None,
    url: str | None,
    credential: str | None = None,
    ca_file: str | None = None,
    profile: str | None = None,
) -> Config:
    """A checked config; without a mode, the one that fits the URL. Raises InvalidValueError."""
    if url is not None:
        try:
            url = check_url(url)
        except InputError as error:
            raise InvalidValueError(str(error), error.hint) from error
    if mode is None:
        mode = Mode.LOCAL if url is None else _mode_for(url)
    if mode is not Mode.LOCAL and url is None:
        raise InvalidValueError(
            f"mode {mode} needs a primary", "give its URL, as http://127.0.0.1:8080 or libsql://name.turso.io"
        )
    return Config(mode, url, credential, ca_file, profile)


def effective(config: Config, environ: Mapping[str, str], profile: str | None = None) -> Config:
    """The config of this call: an option names a profile, the environment that, a primary, a mode or an authority.

    Raises InvalidValueError, and what `load_profiles` does.
    """
    asked = asked_profile(profile, environ)
    if asked is not None:
        load_profiles(environ).get(asked)
        config = replace(config, profile=asked, credential=None)
    ca_file = environ.get(CA_FILE_VARIABLE, "").strip()
    if ca_file:
        config = replace(config, ca_file=str(Path(ca_file).absolute()))
    url, mode = environ.get(URL_VARIABLE, "").strip(), environ.get(MODE_VARIABLE, "").strip()
    if mode:
        config = replace(config, mode=_mode_of_environment(mode, is_local=not url and config.mode is Mode.LOCAL))
    if not url:
        return config
    try:
        made = make_config(None if config.mode is Mode.LOCAL else config.mode, url)
    except InvalidValueError as error:
        raise InvalidValueError(f"{URL_VARIABLE}: {error}", error.hint) from error
    is_same = config.url is not None and http_url(config.url) == http_url(url)
    return replace(config, mode=made.mode, url=made.url, credential=config.credential if is_same else None)


def _mode_of_environment(typed: str, *, is_local: bool) -> Mode:
    """The mode of this call, which is no way to a file that is not used here, nor from one to nowhere."""
    try:
        mode = parse_mode(typed)
    except InvalidValueError as error:
        raise InvalidValueError(f"{MODE_VARIABLE}: {error}", error.hint) from error
    if (mode is Mode.LOCAL) is not is_local:
        told = "has no primary" if is_local else "has one"
        raise InvalidValueError(
            f"{MODE_VARIABLE} is {mode}, and this directory {told}", "td config set mode moves what is in it"
        )
    return mode


def is_config_in(directory: Path) -> bool:
    """Whether `directory` was initialised to the end. Raises FileError where it is there and cannot be looked into."""
    try:
        return stat.S_ISREG((directory / _NAME).stat().st_mode)
    except PermissionError as error:
        if is_there(directory):
            raise FileError(directory, error.strerror or str(error)) from error
        return False
    except OSError:
        return False


def is_there(path: Path) -> bool:
    """Whether there is such a file or directory, as far as one may look."""
    try:
        path.stat()
    except OSError:
        return False
    return True


def load_config(directory: Path) -> Config:
    """The config in `directory`. Raises DamagedConfigError, SecretInConfigError or FileError."""
    path = directory / _NAME
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise FileError(path, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise DamagedConfigError(path, "it is not text") from error
    try:
        read = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedConfigError(path, "it is not JSON") from error
    refuse_secrets(path, read)
    if not isinstance(read, dict) or not all(
        isinstance(read.get(name), str | None) for name in ("mode", "url", "credential", "ca_file", "profile")
    ):
        raise DamagedConfigError(path, "it is not an object of texts")
    profile, credential = read.get("profile"), read.get("credential")
    if credential is not None and not _CREDENTIAL.fullmatch(credential):
        raise DamagedConfigError(path, "it names no token")
    try:
        return make_config(
            parse_mode(read.get("mode") or ""),
            read.get("url"),
            credential,
            read.get("ca_file"),
            None if profile is None else check_name(profile),
        )
    except InvalidValueError as error:
        raise DamagedConfigError(path, str(error)) from error


def save_config(directory: Path, config: Config) -> None:
    """Write `config`, in place of what was there. Raises SecretInConfigError or FileError."""
    document = {name: value for name, value in config.document().items() if value is not None}
    if config.credential is not None:
        document["credential"] = config.credential
    refuse_secrets(directory / _NAME, document)
    write_private(directory / _NAME, json.dumps(document, indent=2) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file, whole or not at all, readable by its owner only. Raises FileError."""
    write_private_pieces(path, [text])


def write_private_pieces(path: Path, pieces: Iterable[str]) -> None:
    """The same of a text that is made piece by piece, and may be larger than memory."""
    try:
        # mkstemp makes it 0600.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise FileError(path, error.strerror or str(error)) from error


def _mode_for(url: str) -> Mode:
    return Mode.TURSO if is_turso(url) else Mode.LIBSQL
