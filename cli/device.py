"""Sign in with WorkOS on the command line: show a code, open a browser where there is one, and wait (RFC 8628).

Always true: the code is shown on stderr, so that stdout is the result; the browser gets no secret of ours.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final

from auth.environment import without_secrets
from auth.sign_in import WORKOS_URL, Application, SignIn
from auth.workos import DeviceLogin, poll, renew, start_device_login
from cli.errors import InterruptedByPersonError
from cli.invocation import Invocation
from cli.output import note
from cli.profiles import Profile

_OVER_SSH: Final = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")
_SCREENS: Final = ("DISPLAY", "WAYLAND_DISPLAY")


def sign_in_with_device(call: Invocation, profile: Profile, *, may_open_browser: bool) -> SignIn:
    """Have a person confirm the login in a browser, and return their sign-in.

    Raises InterruptedByPersonError, and what `auth.workos` raises.
    """
    application = Application(profile.workos_client_id or "", profile.workos_url or WORKOS_URL)
    try:
        login = start_device_login(application)
        _show(call, login)
        if may_open_browser and has_browser(os.environ, sys.platform, is_terminal=sys.stderr.isatty()):
            open_browser(login.verification_uri_complete or login.verification_uri, os.environ)
        sign_in = poll(application, login)
        if profile.organisation not in (None, sign_in.organization_id):
            # WorkOS signs in to the organisation that it finds first; the one that is wanted comes by a renewal.
            sign_in = renew(replace(sign_in, organization_id=profile.organisation))
    except KeyboardInterrupt:
        raise InterruptedByPersonError("nothing was changed; begin again with td login --workos") from None
    return sign_in


def _show(call: Invocation, login: DeviceLogin) -> None:
    if call.as_json:
        note(json.dumps({"login": {"code": login.user_code, "url": login.verification_uri}}))
    else:
        note(f"open {login.verification_uri} and confirm the code {login.user_code}")


def has_browser(environ: Mapping[str, str], platform: str, *, is_terminal: bool) -> bool:
    """Whether a browser may be opened: somebody looks at this machine's own screen."""
    if not is_terminal or any(environ.get(name) for name in _OVER_SSH):
        return False
    return platform in ("darwin", "win32") or any(environ.get(name) for name in _SCREENS)


def open_browser(url: str, environ: Mapping[str, str]) -> None:
    """Open it without waiting; where that fails, the person has read the address."""
    with suppress(OSError):
        subprocess.Popen(
            [sys.executable, "-m", "webbrowser", url],
            env=without_secrets(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
