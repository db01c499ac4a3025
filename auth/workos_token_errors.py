"""Why an access token of WorkOS opens nothing.

Each is one of `auth.token_errors`, with its code, and says what a person who signed in with WorkOS can do. Besides:

```
TokenError
├── ForeignTokenError          token_foreign           it is of another issuer, application or audience
└── NoOrganizationError        token_organization      it is of a person, and of none of their organisations
```

Always true: no text of an error holds a token, or what a token says.
"""

from typing import Final

from auth.errors import TokenError
from auth.token_errors import (
    BadSignatureError,
    MalformedTokenError,
    TokenAlgorithmError,
    TokenClaimError,
    TokenEarlyError,
    TokenExpiredError,
    UnknownKeyError,
)

_SIGN_IN_AGAIN: Final = "sign in again: td login --workos; what you wrote meanwhile waits and is kept"


class WorkOSMalformedError(MalformedTokenError):
    """It is no JWT."""

    hint = _SIGN_IN_AGAIN


class WorkOSAlgorithmError(TokenAlgorithmError):
    """It is unsigned, or signed in another way than WorkOS signs."""

    hint = _SIGN_IN_AGAIN

    def __str__(self) -> str:
        return "the token is not signed with RS256"


class WorkOSUnknownKeyError(UnknownKeyError):
    """It names a key that WorkOS does not, or no longer, publish for this application."""

    hint = _SIGN_IN_AGAIN

    def __str__(self) -> str:
        return "the token is signed with a key that WorkOS does not publish for this application"


class WorkOSSignatureError(BadSignatureError):
    """It was changed after it was signed."""

    hint = _SIGN_IN_AGAIN


class WorkOSClaimError(TokenClaimError):
    """A claim is missing, or is nothing that WorkOS would have put there."""

    hint = _SIGN_IN_AGAIN


class WorkOSExpiredError(TokenExpiredError):
    """Its time is over. Whoever holds the sign-in renews it and asks once more."""

    hint = _SIGN_IN_AGAIN


class WorkOSEarlyError(TokenEarlyError):
    """Its time has not come, by the clock of this machine."""

    hint = "set the clock of this server right; the same token holds then"


class ForeignTokenError(TokenError):
    """WorkOS signed it, for somebody else. claim: the one that says so: `iss`, `aud` or `client_id`."""

    code = "token_foreign"
    hint = _SIGN_IN_AGAIN

    def __init__(self, claim: str) -> None:
        super().__init__(claim)
        self.claim = claim

    def __str__(self) -> str:
        return f"the token is not for this application: its {self.claim!r} is another"


class NoOrganizationError(TokenError):
    """The person signed in without choosing an organisation, and it is organisations that have databases."""

    code = "token_organization"
    hint = "sign in again and choose an organisation: td login --workos"

    def __str__(self) -> str:
        return "the token belongs to no organisation"
