"""Why the gateway does not do what it is asked, and how that is told over HTTP.

Always true: a refusal is known by its code alone, because nginx carries no more of it from the question whether a
request may pass to the answer; and none of its texts holds anything that the client sent.
"""

from dataclasses import dataclass
from typing import Final

from auth import token_errors as why
from sqld.errors import SqldError


@dataclass(frozen=True, slots=True)
class Refusal:
    """status: of HTTP. code, message, hint: as in the errors of td."""

    status: int
    code: str
    message: str
    hint: str


class RefusedError(SqldError):
    """A request is refused. retry_after_s: when it may be worth to try again; None if that is not known."""

    code = "sqld_refused"

    def __init__(self, code: str, *, retry_after_s: int | None = None, detail: str = "") -> None:
        super().__init__(code)
        self.refusal = REFUSALS[code]
        self.retry_after_s, self.detail = retry_after_s, detail

    def __str__(self) -> str:
        return self.detail or self.refusal.message


class TenantNotReadyError(SqldError):
    """The database of a tenant could not be brought to the schema of the program. reason: for the log."""

    code = "sqld_tenant_not_ready"
    hint = "the log of the gateway tells why"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the tenant's database is not ready: {self.reason}"


_ASK = "ask whoever runs the primary for a token: td sqld token mint"
_OURS: Final = (
    Refusal(400, "bad_request", "the request is not what this path takes", "see /openapi.json"),
    Refusal(401, "no_token", "this needs a token", "send it as Authorization: Bearer …"),
    Refusal(401, "two_tokens", "the request holds more than one token", "send one, once"),
    Refusal(401, "token_unknown", "the token was not made here, or was changed", _ASK),
    Refusal(401, "token_revoked", "the token was revoked", _ASK),
    Refusal(401, "api_key_unknown", "no such API key was made here", "td sqld key list shows those there are"),
    Refusal(401, "api_key_expired", "the API key has expired", "make a new one: td sqld key create"),
    Refusal(401, "api_key_revoked", "the API key was revoked", "make a new one: td sqld key create"),
    Refusal(401, "token_foreign", "the sign-in is for another application", "sign in again: td login --workos"),
    Refusal(401, "token_organization", "the sign-in names no organisation", "sign in again, and choose one"),
    Refusal(401, "admin_key", "this needs the admin key of the gateway", "send it as Authorization: Bearer …"),
    Refusal(403, "not_active", "the tenant is not open", "ask whoever runs the primary: td sqld tenant show"),
    Refusal(403, "no_tenant", "your organisation has no tenant here", "ask whoever runs the primary for one"),
    Refusal(403, "read_only", "the token may read and not write", _ASK),
    Refusal(404, "not_found", "there is nothing at this path", "see /openapi.json"),
    Refusal(405, "method_not_allowed", "this path does not take that method", "see /openapi.json"),
    Refusal(409, "request_reused", "the request id was used for another request", "use a new id for a new request"),
    Refusal(413, "body_too_large", "the body of the request is too large", "send less at once"),
    Refusal(408, "body_too_slow", "the body of the request did not come in time", "send it again"),
    Refusal(429, "rate_limited", "too many requests with this token", "wait as long as Retry-After says"),
    Refusal(503, "sign_in_unavailable", "who you are cannot be checked now", "nothing was done; try again in a moment"),
    Refusal(503, "unavailable", "the primary is not ready", "nothing was done; try again in a moment"),
)
_OF_TOKENS: Final = (
    why.MalformedTokenError(),
    why.TokenAlgorithmError(),
    why.UnknownKeyError(),
    why.BadSignatureError(),
    why.TokenExpiredError(),
    why.TokenEarlyError(),
)
REFUSALS: Final = {
    **{refusal.code: refusal for refusal in _OURS},
    **{error.code: Refusal(401, error.code, str(error), error.hint) for error in _OF_TOKENS},
    # Which claim it is, is of no use to who holds the token.
    why.TokenClaimError.code: Refusal(401, why.TokenClaimError.code, "the token says too little, or too much", _ASK),
}
