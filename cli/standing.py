"""As whom one is known to the primary: what a kept secret says of itself.

Always true: it is read here and nobody is asked, so it is what the secret claims and not what the primary thinks of it;
no secret is part of it.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from cli.config import Config
from cli.credentials import given_token, keeper_of, read_kept, vault_of
from cli.profiles import Auth, Profile
from cli.tokens import profile_of, why_not_shown
from tracker import ReplicaError, moment_text

_TIME_MAX: Final = 2**38


@dataclass(frozen=True, slots=True)
class Standing:
    """One way in. kept_in: environment, keyring or vault. expires_at: when it ends. renews: that it then goes on.

    problem: why what is kept could not be read, or is not shown to this primary.
    """

    auth: Auth = Auth.NONE
    kept_in: str | None = None
    user: str | None = None
    email: str | None = None
    organisation: str | None = None
    expires_at: str | None = None
    is_expired: bool = False
    renews: bool = False
    problem: str | None = None

    def document(self) -> dict[str, object]:
        """The same, by name."""
        return {
            "auth": self.auth.value,
            "kept_in": self.kept_in,
            "user": self.user,
            "email": self.email,
            "organisation": self.organisation,
            "expires_at": self.expires_at,
            "expired": self.is_expired,
            "renews": self.renews,
            "problem": self.problem,
        }


def standing_of(environ: Mapping[str, str], config: Config) -> Standing:
    """As whom the primary of a directory knows one. Raises as `load_profiles`."""
    found = profile_of(config, environ)
    known = standing(environ, config.credential, None if found is None else found[1])
    if found is None or config.credential is not None or known.kept_in == "environment":
        return known
    is_nothing_shown = found[1] is not None and found[1].auth is Auth.NONE
    return known if is_nothing_shown else replace(known, problem=why_not_shown(*found, config) or known.problem)


def standing(environ: Mapping[str, str], credential: str | None, profile: Profile | None) -> Standing:
    """The same of a secret of a directory, which comes first, or of that of a profile."""
    try:
        given = given_token(environ)
        if given is not None:
            return of_token(given, "environment")
        if credential is None and profile is not None:
            if profile.auth is Auth.WORKOS and profile.credential is not None:
                return _of_sign_in(environ, profile.credential)
            credential = profile.credential
        if credential is None:
            return Standing() if profile is None else Standing(profile.auth)
        kept = read_kept(environ, credential)()
    except ReplicaError as error:
        kept_in = None if credential is None else keeper_of(credential)
        return Standing(Auth.TOKEN, kept_in, problem=str(error))
    if kept is None:
        return Standing(Auth.TOKEN, keeper_of(credential), problem="it is not there any more")
    return of_token(kept, keeper_of(credential))


def of_token(token: str, kept_in: str | None) -> Standing:
    """What a token says; an API key says nothing."""
    # Only who asks pays for it.
    from auth.sign_in import claims_of  # noqa: PLC0415 - see above

    claims = claims_of(token)
    user, tenant = claims.get("sub"), claims.get("id")
    ends = claims.get("exp")
    if not isinstance(ends, int | float) or isinstance(ends, bool) or not 0 <= ends < _TIME_MAX:
        ends = None
    return Standing(
        Auth.TOKEN,
        kept_in,
        user=user if isinstance(user, str) else None,
        organisation=tenant if isinstance(tenant, str) else None,
        expires_at=None if ends is None else moment(ends),
        is_expired=ends is not None and ends < time.time(),
    )


def _of_sign_in(environ: Mapping[str, str], credential: str) -> Standing:
    from auth.errors import AuthError  # noqa: PLC0415 - see above
    from cli.sign_ins import signed_in  # noqa: PLC0415 - see above

    kept_in = keeper_of(credential)
    try:
        found = signed_in(vault_of(environ, credential), credential).read()
    except AuthError as error:
        return Standing(Auth.WORKOS, kept_in, problem=str(error))
    if found is None:
        return Standing(Auth.WORKOS, kept_in, problem="it is not there any more")
    return Standing(
        Auth.WORKOS,
        kept_in,
        user=found.name or found.user_id,
        email=found.email,
        organisation=found.organization_id,
        expires_at=moment(found.expires_at),
        is_expired=found.expires_at < time.time(),
        renews=True,
    )


def moment(seconds: float) -> str:
    """A moment in seconds since 1970, as td prints it."""
    return moment_text(datetime.fromtimestamp(seconds, UTC))
