"""What can go wrong when a person signs in with WorkOS, and afterwards.

```
SignInError                    sign_in
├── NotSignedInError           not_signed_in          nobody is signed in here
├── DamagedSignInError         sign_in_damaged        what the vault holds is no sign-in
├── SignInBusyError            sign_in_busy           another process renews it, and takes too long
├── SignInEndedError           sign_in_ended          WorkOS takes it no more
│   └── SignInLostError        sign_in_lost           …and the answer to the last renewal never arrived here
├── LoginDeniedError           login_denied           the person said no
├── LoginExpiredError          login_expired          nobody confirmed the code in time
├── LoginSpentError            login_spent            the code was used: the answer to its use was lost
├── WorkOSRefusedError         workos_refused         WorkOS refuses for another reason, which it names
├── WorkOSAddressError         workos_address         a secret would go over plain http
├── WorkOSMissingError         workos_missing         its library is not installed
└── WorkOSUnreachableError     workos_unreachable     WorkOS was not reached, or had no time: nothing happened there
    └── WorkOSUnansweredError  workos_unanswered      it was asked, and nobody here can tell whether it did it
```

Always true: no text of an error holds a token, a code, or anything that WorkOS wrote but the short name of an error.
"""

import re
from datetime import UTC, datetime
from typing import Final

from auth.errors import AuthError

_SIGN_IN_AGAIN: Final = "sign in again: td login --workos; what you wrote meanwhile waits and is kept"
_SHORT_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]{0,63}")


class SignInError(AuthError):
    """Something about signing in with WorkOS, or about staying signed in."""

    code = "sign_in"
    hint = _SIGN_IN_AGAIN


class NotSignedInError(SignInError):
    """Nobody is signed in here."""

    code = "not_signed_in"
    hint = "sign in: td login --workos"

    def __str__(self) -> str:
        return "nobody is signed in on this machine"


class DamagedSignInError(SignInError):
    """What the vault holds under this name is no sign-in, or one of a newer program."""

    code = "sign_in_damaged"

    def __str__(self) -> str:
        return "what is kept of the last sign-in cannot be read"


class SignInBusyError(SignInError):
    """Another process renews the sign-in and did not come to an end. waited_s: for how many seconds."""

    code = "sign_in_busy"
    hint = "try again; if it stays so, end the other td"

    def __init__(self, waited_s: float) -> None:
        super().__init__(waited_s)
        self.waited_s = waited_s

    def __str__(self) -> str:
        return f"another process was still renewing the sign-in after {self.waited_s:g} seconds"


class SignInEndedError(SignInError):
    """WorkOS takes the refresh token no more: it ran out, was revoked, or the person signed out elsewhere."""

    code = "sign_in_ended"

    def __str__(self) -> str:
        return "WorkOS has ended this sign-in"


class SignInLostError(SignInEndedError):
    """A refresh token is good for one use, and the answer to that use never arrived. asked_at: seconds since 1970."""

    code = "sign_in_lost"

    def __init__(self, asked_at: float) -> None:
        super().__init__(asked_at)
        self.asked_at = asked_at

    def __str__(self) -> str:
        at = datetime.fromtimestamp(self.asked_at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        return f"WorkOS takes this sign-in no more: the answer to its renewal, asked for at {at}, never arrived here"


class LoginDeniedError(SignInError):
    """The person declined in the browser (RFC 8628 section 3.5, access_denied)."""

    code = "login_denied"
    hint = "nothing was changed; begin again with td login --workos"

    def __str__(self) -> str:
        return "the login was declined in the browser"


class LoginExpiredError(SignInError):
    """Nobody confirmed the code in time (RFC 8628 section 3.5, expired_token)."""

    code = "login_expired"
    hint = "nothing was changed; begin again with td login --workos"

    def __str__(self) -> str:
        return "the code was not confirmed in time"


class LoginSpentError(SignInError):
    """WorkOS does not know the code, or knows it as used (RFC 6749 section 5.2, invalid_grant)."""

    code = "login_spent"
    hint = "nothing was changed here; begin again with td login --workos"

    def __str__(self) -> str:
        return "this login was finished already, and the answer was lost on the way"


class WorkOSRefusedError(SignInError):
    """WorkOS refuses, and repeating it would not help. reason: its own name for why, as `invalid_client`."""

    code = "workos_refused"
    hint = "see that the client id is right and may use the device flow; then begin again with td login --workos"

    def __init__(self, reason: str) -> None:
        self.reason = reason if _SHORT_NAME.fullmatch(reason) else "for a reason it does not name"
        super().__init__(self.reason)

    def __str__(self) -> str:
        return f"WorkOS refuses: {self.reason}"


class WorkOSAddressError(SignInError):
    """The address given for WorkOS is none, or would carry secrets over plain http."""

    code = "workos_address"
    hint = "give an address that begins with https://; http:// is for this machine alone"

    def __str__(self) -> str:
        return "this is no address for WorkOS that a secret may be sent to"


class WorkOSMissingError(SignInError):
    """The library of WorkOS is not installed here."""

    code = "workos_missing"
    hint = "install it: pip install 'replica-toolkit[workos]'"

    def __str__(self) -> str:
        return "the library for WorkOS is not installed"


class WorkOSUnreachableError(SignInError):
    """WorkOS was not reached, or took nothing on. Nothing happened there. reason: a few words of ours.

    retry_after_s: after how many seconds WorkOS wants to be asked again, if it said so.
    """

    code = "workos_unreachable"
    hint = "reading and writing go on, and sync waits; try again later"

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason, retry_after_s)
        self.reason, self.retry_after_s = reason, retry_after_s

    def __str__(self) -> str:
        return f"WorkOS is out of reach: {self.reason}"


class WorkOSUnansweredError(WorkOSUnreachableError):
    """WorkOS was asked and gave no answer that can be used: nobody here can tell whether it did what it was asked."""

    code = "workos_unanswered"

    def __str__(self) -> str:
        return f"WorkOS gave no usable answer: {self.reason}"
