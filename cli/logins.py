"""Log in and out: which profile it is about, what is kept for it, and what becomes of what was kept before.

Always true:
- a secret is kept before anything says that it is; what was kept before is deleted only after that;
- a login that is broken off changes nothing;
- a profile that the environment names is used, and written into no directory.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

from cli.config import Config, effective, load_config, save_config
from cli.credentials import forget, keep_token, new_place, read_token_line
from cli.errors import CliError, ForeignError, InvalidValueError, NotInitialisedError, UsageError
from cli.invocation import Invocation
from cli.passphrase import ask_token
from cli.place import find_directory
from cli.profiles import DEFAULT, Auth, Profile, Profiles, asked_profile, change_profiles, load_profiles
from cli.standing import Standing, moment, of_token, standing, standing_of
from cli.tokens import is_same, profile_name
from tracker import InputError, Mode, check_ca_file, check_url, refuse_open_token


@dataclass(frozen=True, slots=True)
class Plan:
    """What a login is for. directory: the one that is to remember the profile, with its config as it is written."""

    name: str
    profile: Profile
    directory: Path | None = None
    config: Config | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """What came of it. notes: what a person should know besides."""

    name: str
    profile: Profile
    credential: str
    user: str | None = None
    email: str | None = None
    organisation: str | None = None
    expires_at: str | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Logout:
    """What was forgotten. session_url: where WorkOS ends the session itself."""

    profile: str | None
    was: str
    url: str | None
    session_url: str | None = None


def plan_login(call: Invocation, given: Profile, *, is_token: bool, is_workos: bool) -> Plan:
    """Which profile a login is for, and what that is afterwards. Raises UsageError, InvalidValueError and ReplicaError.

    given: what the options say of it.
    """
    if is_token and is_workos:
        raise UsageError("there is one way to log in at a time", "give --token-stdin or --workos")
    asked = asked_profile(call.profile, os.environ)
    found = _directory(call)
    directory, config = found or (None, None)
    profiles = load_profiles(os.environ)
    remembered = None if config is None else config.profile
    name = asked or remembered or profiles.current or DEFAULT
    known = profiles.by_name.get(name, Profile())
    profile = _with(known, given)
    if asked is None and known.url is not None and not is_same(known.url, profile.url or ""):
        raise InvalidValueError(
            f"profile {name} is for {known.url}", "name another one for this primary: td login --profile NAME"
        )
    own_url = None if config is None or config.mode is Mode.LOCAL else config.url
    if profile.url is None:
        profile = replace(profile, url=own_url)
    if profile.url is None:
        raise InvalidValueError("a login is for one primary", "name it: td login --url URL")
    if own_url is None:
        directory = config = None
    elif not is_same(profile.url, own_url):
        if asked is None and given.url is None:
            raise InvalidValueError(
                f"profile {name} is for {profile.url}, and this directory is at {own_url}",
                "name another one for it: td login --profile NAME",
            )
        directory = config = None
    if call.profile is None and asked is not None:
        directory = config = None
    way = Auth.WORKOS if is_workos or (profile.auth is Auth.WORKOS and not is_token) else Auth.TOKEN
    if way is Auth.WORKOS and profile.workos_client_id is None:
        raise InvalidValueError(
            "the application at WorkOS is not known yet", "name it: td login --workos --client-id ID"
        )
    refuse_open_token(profile.url, "any")
    return Plan(name, replace(profile, auth=way), directory, config)


def _directory(call: Invocation) -> tuple[Path, Config] | None:
    """The directory that one is in, if td knows it."""
    try:
        directory = find_directory(call.work_dir)
    except NotInitialisedError:
        if call.work_dir is not None:
            raise
        return None
    return directory, load_config(directory)


def _with(profile: Profile, given: Profile) -> Profile:
    """A profile with what the options say of it. Raises InvalidValueError."""
    url = given.url
    if url is not None:
        try:
            url = check_url(url)
        except InputError as error:
            raise InvalidValueError(str(error), error.hint) from error
    return replace(
        profile,
        url=url or profile.url,
        ca_file=profile.ca_file if given.ca_file is None else str(check_ca_file(Path(given.ca_file))),
        workos_client_id=given.workos_client_id or profile.workos_client_id,
        workos_url=given.workos_url or profile.workos_url,
        organisation=given.organisation or profile.organisation,
    )


def log_in_with_token(plan: Plan, source: TextIO | None) -> Login:
    """Keep the token on the first line of `source`, or that a person types. Raises CliError."""
    token = ask_token(f"Token for {plan.profile.url}: ") if source is None else read_token_line(source)
    says = of_token(token, None)
    if says.is_expired:
        raise InvalidValueError(f"this token ended at {says.expires_at}", "ask whoever runs the primary for another")
    credential = keep_token(token, plan.profile.credential)
    notes = finish_login(plan, credential)
    return Login(
        plan.name, replace(plan.profile, credential=credential), credential,
        says.user, None, says.organisation, says.expires_at, notes,
    )  # fmt: skip


def log_in_with_workos(call: Invocation, plan: Plan, *, may_open_browser: bool) -> Login:
    """Sign in with WorkOS, in a browser, and keep that. Raises CliError."""
    # Only who signs in so pays for it.
    from auth.errors import AuthError  # noqa: PLC0415 - see above
    from cli.device import sign_in_with_device  # noqa: PLC0415 - see above
    from cli.sign_ins import signed_in  # noqa: PLC0415 - see above

    vault, credential = new_place(plan.profile.credential)
    try:
        sign_in = sign_in_with_device(call, plan.profile, may_open_browser=may_open_browser)
        signed_in(vault, credential).keep(sign_in)
    except AuthError as error:
        raise ForeignError(error.code, str(error), error.hint) from error
    notes = finish_login(plan, credential)
    return Login(
        plan.name, replace(plan.profile, credential=credential), credential,
        sign_in.name or sign_in.user_id, sign_in.email, sign_in.organization_id, moment(sign_in.expires_at), notes,
    )  # fmt: skip


def finish_login(plan: Plan, credential: str) -> list[str]:
    """Write down where the new secret is, and delete what it takes the place of; what a person should know of that."""
    before: list[Profile] = []

    def change(profiles: Profiles) -> Profiles:
        known = profiles.by_name.get(plan.name)
        if known is not None:
            before.append(known)
        return profiles.with_profile(plan.name, replace(plan.profile, credential=credential))

    change_profiles(os.environ, change)
    if plan.directory is not None and plan.config is not None:
        if plan.config.credential is not None:
            before.append(Profile(Auth.TOKEN, credential=plan.config.credential))
        remembered = replace(plan.config, profile=plan.name, credential=None)
        if remembered != plan.config:
            save_config(plan.directory, remembered)
    return [told for old in before if old.credential != credential and (told := _forgotten(old)) is not None]


def _forgotten(profile: Profile) -> str | None:
    try:
        forget_secret(profile)
    except CliError as error:
        return f"what was kept before could not be deleted: {error}"
    return None


def plan_logout(call: Invocation, environ: Mapping[str, str]) -> Plan:
    """What is to be forgotten: of the profile that is asked for, else of this directory. Raises InvalidValueError."""
    asked = asked_profile(call.profile, environ)
    profiles = load_profiles(environ)
    found = _directory(call)
    if asked is None and found is not None and found[1].credential is not None:
        return Plan("", Profile(Auth.TOKEN, found[1].url, credential=found[1].credential), *found)
    remembered = None if found is None else found[1].profile
    name = asked or remembered or profiles.current
    if name is None or profiles.get(name).credential is None:
        told = "" if name is None else f" with profile {name}"
        raise InvalidValueError(f"nobody is logged in{told}", "td auth status tells how it stands")
    return Plan(name, profiles.get(name))


def find_standing(call: Invocation) -> tuple[str | None, str | None, Standing]:
    """By which profile one is known, to which primary, and as whom. Raises as `load_profiles`."""
    found = _directory(call)
    if found is not None and found[1].mode is not Mode.LOCAL:
        config = effective(found[1], os.environ, call.profile)
        return profile_name(config, os.environ), config.url, standing_of(os.environ, config)
    profiles = load_profiles(os.environ)
    name = asked_profile(call.profile, os.environ) or profiles.current
    profile = None if name is None else profiles.get(name)
    return name, None if profile is None else profile.url, standing(os.environ, None, profile)


def log_out(plan: Plan) -> Logout:
    """Forget the secret, and then that there was one. Raises CliError."""
    credential = plan.profile.credential or ""
    session_url = _session_url(plan.profile) if plan.profile.auth is Auth.WORKOS else None
    forget_secret(plan.profile)
    if plan.directory is not None and plan.config is not None:
        save_config(plan.directory, replace(plan.config, credential=None))
    else:
        change_profiles(os.environ, lambda profiles: _without_secret(profiles, plan.name, credential))
    return Logout(plan.name or None, plan.profile.auth.value, plan.profile.url, session_url)


def forget_secret(profile: Profile) -> None:
    """Delete what the vault keeps for a profile, if anything. Raises ForeignError."""
    if profile.credential is None:
        return
    if profile.auth is Auth.WORKOS:
        # Only who signed in so pays for it.
        from cli.sign_ins import forget_sign_in  # noqa: PLC0415 - see above

        forget_sign_in(profile.credential)
    else:
        forget(profile.credential)


def _without_secret(profiles: Profiles, name: str, credential: str) -> Profiles:
    known = profiles.by_name.get(name)
    if known is None or known.credential != credential:
        return profiles
    return profiles.with_profile(name, replace(known, credential=None))


def _session_url(profile: Profile) -> str | None:
    """Where WorkOS ends the session; None where that is not known, which is no reason not to forget it."""
    from auth.errors import AuthError  # noqa: PLC0415 - only who signed in so pays for it
    from auth.workos import logout_url  # noqa: PLC0415 - see above
    from cli.credentials import vault_of  # noqa: PLC0415 - see above
    from cli.sign_ins import signed_in  # noqa: PLC0415 - see above

    credential = profile.credential or ""
    try:
        found = signed_in(vault_of(os.environ, credential), credential).read()
        return None if found is None else logout_url(found)
    except AuthError:
        return None
