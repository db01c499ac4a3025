"""What is shown to the primary of a directory: the environment's token, its own, or what its profile has.

Always true:
- the secret of a profile is shown to the primary of that profile and to no other;
- where it cannot be had, only what speaks to the primary stops, with one line that says why;
- WorkOS is asked once in a call, however often the primary is.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from cli.config import Config
from cli.credentials import TOKEN_VARIABLE, given_token, keeper_of, read_kept, vault_of
from cli.profiles import Auth, Profile, load_profiles
from tracker import Mode, NotAllowedError, NotSentError, ReplicaError, http_url


def profile_of(config: Config, environ: Mapping[str, str]) -> tuple[str, Profile | None] | None:
    """The profile of a directory, or None; the name alone where it remembers one that is not there any more.

    A directory that remembers none uses the one in use, where that is for its primary. Raises as `load_profiles`.
    """
    if config.mode is Mode.LOCAL:
        return None
    profiles = load_profiles(environ)
    if config.profile is not None:
        return config.profile, profiles.by_name.get(config.profile)
    profile = profiles.by_name.get(profiles.current or "")
    if profile is None or profile.url is None or config.url is None or not is_same(profile.url, config.url):
        return None
    return profiles.current or "", profile


def is_same(url: str, other: str) -> bool:
    """Whether two URLs are of one primary."""
    return http_url(url) == http_url(other)


def profile_name(config: Config, environ: Mapping[str, str]) -> str | None:
    """Which profile that is, by name; a token that the directory has itself comes before that of one in use."""
    found = profile_of(config, environ)
    return config.profile if found is None or config.credential is not None else found[0]


def why_not_shown(name: str, profile: Profile | None, config: Config) -> str | None:
    """Why a directory gets nothing of what a profile has; None where it gets it."""
    if profile is None:
        return f"there is no profile {name} any more"
    url = config.url or ""
    if profile.url is None or not is_same(profile.url, url):
        return f"profile {name} is for {profile.url or 'no primary yet'}, and what it has is not shown to {url}"
    return None


def trusted_file(environ: Mapping[str, str], config: Config) -> Path | None:
    """Who is believed about the primary: as the directory has it, else its profile."""
    if config.ca_file is not None:
        return Path(config.ca_file)
    found = profile_of(config, environ)
    return None if found is None or found[1] is None or found[1].ca_file is None else Path(found[1].ca_file)


def token_origin(environ: Mapping[str, str], config: Config) -> str | None:
    """Where the token of this call would come from: `environment`, `keyring` or `vault`; None if there is none."""
    if environ.get(TOKEN_VARIABLE, "").strip():
        return "environment"
    credential = config.credential
    if credential is None and (found := profile_of(config, environ)) and why_not_shown(*found, config) is None:
        credential = None if found[1] is None else found[1].credential
    return None if credential is None else keeper_of(credential)


class Tokens:
    """The tokens of one call. What fails once is not tried again."""

    def __init__(self, environ: Mapping[str, str], config: Config) -> None:
        self._environ, self._config = environ, config
        self._source: Callable[[str | None], str | None] | None = None
        self._failure: ReplicaError | None = None
        self._is_renewed = False

    def find(self) -> str | None:
        """The token, or None where there is none. Raises NotAllowedError; NotSentError while WorkOS is away."""
        return self._ask(None)

    def renew(self, refused: str) -> str | None:
        """Another one in the place of one that the primary refuses, once in a call. Raises as `find`."""
        if self._is_renewed:
            return None
        self._is_renewed = True
        return self._ask(refused)

    def _ask(self, refused: str | None) -> str | None:
        if self._failure is not None:
            raise self._failure
        if self._source is None:
            self._source = self._find_source()
        try:
            return self._source(refused)
        except ReplicaError as error:
            self._failure = error
            raise

    def _find_source(self) -> Callable[[str | None], str | None]:
        given = given_token(self._environ)
        if given:
            return lambda _refused: given
        credential = self._config.credential
        if credential is None:
            found = profile_of(self._config, self._environ)
            if found is None:
                return lambda _refused: None
            name, profile = found
            if profile is not None and profile.auth is Auth.NONE:
                return lambda _refused: None
            why = why_not_shown(name, profile, self._config)
            if profile is None:
                raise NotAllowedError(why or "", f"td login --profile {name} makes it")
            if why is not None:
                raise NotAllowedError(
                    why, f"make one for this primary: td login --profile NAME --url {self._config.url}"
                )
            credential = profile.credential
            if credential is None:
                raise NotAllowedError(f"nobody is signed in with profile {name}", f"td login --profile {name}")
            if profile.auth is Auth.WORKOS:
                return sign_in_source(self._environ, credential)
        kept = read_kept(self._environ, credential)
        return lambda _refused: kept()


def sign_in_source(environ: Mapping[str, str], credential: str) -> Callable[[str | None], str | None]:
    """What gives the access token of a sign-in with WorkOS, and renews it. Raises as `Tokens.find`."""

    def find(refused: str | None) -> str:
        # Only who is signed in so pays for these.
        from auth.errors import AuthError  # noqa: PLC0415 - see above
        from auth.sign_in_errors import SignInBusyError, WorkOSUnreachableError  # noqa: PLC0415 - see above
        from cli.sign_ins import signed_in  # noqa: PLC0415 - see above

        try:
            return signed_in(vault_of(environ, credential), credential).access_token(refused=refused)
        except (WorkOSUnreachableError, SignInBusyError) as error:
            raise NotSentError(str(error), error.hint) from error
        except AuthError as error:
            raise NotAllowedError(str(error), error.hint) from error

    return find
