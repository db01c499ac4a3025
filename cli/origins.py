"""Where each setting of a call comes from: an option, the environment, the directory, its profile, or nowhere.

Always true: what stands first there counts; a secret has an origin too, and is not its value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cli.config import CA_FILE_VARIABLE, MODE_VARIABLE, URL_VARIABLE
from cli.credentials import TOKEN_VARIABLE, keeper_of
from cli.place import Place
from cli.profiles import PROFILE_VARIABLE
from cli.tokens import profile_name, profile_of, token_origin, trusted_file

_OF_DIRECTORY: Final = "config.json"


@dataclass(frozen=True, slots=True)
class Origin:
    """One setting. origin: flag, environment, project, profile or default. source: which variable, file or profile."""

    value: str | None
    origin: str
    source: str | None = None

    @property
    def told(self) -> str:
        """Where it comes from, in words."""
        return self.origin if self.source is None else f"{self.origin}: {self.source}"


_NOWHERE: Final = Origin(None, "default")


def origins(place: Place, flag: str | None, environ: Mapping[str, str]) -> list[tuple[str, Origin]]:
    """Every setting that a directory has by itself, as it counts now. flag: the profile that an option names.

    Raises as `load_profiles`.
    """
    stored, config = place.stored, place.config
    url = _given(environ, URL_VARIABLE, config.url)
    mode = _given(environ, MODE_VARIABLE, config.mode)
    if mode is None and stored.mode is not config.mode:
        # It came with the URL.
        mode = _given(environ, URL_VARIABLE, config.mode)
    found = profile_of(config, environ)
    name = config.profile if found is None else found[0]
    ca_file, trusted = _written(config.ca_file), trusted_file(environ, config)
    if config.ca_file is None and trusted is not None:
        ca_file = Origin(str(trusted), "profile", name)
    return [
        ("mode", mode or Origin(config.mode, "project", _OF_DIRECTORY)),
        ("url", url or _written(config.url)),
        ("ca_file", _given(environ, CA_FILE_VARIABLE, config.ca_file) or ca_file),
        ("profile", _profile(place, name, flag, environ)),
        ("token", _token(place, environ)),
    ]


def _given(environ: Mapping[str, str], variable: str, value: str | None) -> Origin | None:
    return Origin(value, "environment", variable) if environ.get(variable, "").strip() else None


def _written(value: str | None) -> Origin:
    return _NOWHERE if value is None else Origin(value, "project", _OF_DIRECTORY)


def _profile(place: Place, name: str | None, flag: str | None, environ: Mapping[str, str]) -> Origin:
    if flag is not None:
        return Origin(flag, "flag", "--profile")
    given = _given(environ, PROFILE_VARIABLE, name)
    if given is not None:
        return given
    if place.stored.profile is not None:
        return _written(place.stored.profile)
    # What is in use for all directories.
    return _NOWHERE if name is None else Origin(name, "default", "td config profiles use")


def _token(place: Place, environ: Mapping[str, str]) -> Origin:
    given = _given(environ, TOKEN_VARIABLE, "environment")
    if given is not None:
        return given
    if place.config.credential is not None:
        return Origin(keeper_of(place.config.credential), "project", _OF_DIRECTORY)
    kept_in = token_origin(environ, place.config)
    return _NOWHERE if kept_in is None else Origin(kept_in, "profile", profile_name(place.config, environ))
