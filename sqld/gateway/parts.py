"""What a gateway is made of, and what each of its answers begins with.

Always true: an endpoint that touches a tenant's data knows its caller by `enter`, and by nothing else.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from auth.tokens import Role
from sqld.gateway.batch import WriteRows
from sqld.gateway.credentials import Caller, SignIn, credential_of, identify
from sqld.gateway.crowds import Crowds
from sqld.gateway.first_use import FirstUse
from sqld.gateway.limits import Allowance, Limits, OverLimitError
from sqld.gateway.primary_tokens import PrimaryTokens
from sqld.gateway.refusals import REFUSALS, Refusal, RefusedError
from sqld.gateway.request_log import Numbers
from sqld.gateway.turns import Turns
from sqld.registry import Registry, Tenant

PER_MINUTE: Final = 1_200
# Of one tenant at once; an answer of a batch takes some milliseconds where nothing is wrong.
_WRITERS_MAX: Final = 8


class Administration(Protocol):
    """What the gateway lets an administrator do to tenants. Raises SqldError, which tells what was refused."""

    def create(self, name: str, *, organisation: str | None) -> Tenant:
        """A new tenant, with its namespace and its key."""

    def suspend(self, name: str) -> Tenant:
        """Close a tenant; its data are kept."""

    def resume(self, name: str) -> Tenant:
        """Open it again."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that the gateway takes from outside.

    is_primary_up: asks sqld. write_rows: None where no program's schema is at hand. admin_digest: `digest` of the admin
    key; None: nobody may administer. clock: seconds since 1970; timer: seconds that never go back.
    """

    registry: Registry
    tokens: PrimaryTokens
    first_use: FirstUse
    limits: Limits
    numbers: Numbers
    is_primary_up: Callable[[], bool]
    clock: Callable[[], float]
    timer: Callable[[], float]
    write_rows: WriteRows | None = None
    sign_in: SignIn | None = None
    administration: Administration | None = None
    admin_digest: str | None = None
    turns: Turns = field(default_factory=Turns)
    writers: Crowds = field(default_factory=lambda: Crowds(_WRITERS_MAX))


@dataclass(frozen=True, slots=True)
class Entry:
    """A request that may pass: whose it is, and how many more there may be."""

    caller: Caller
    allowance: Allowance


def enter(parts: Parts, request: Request) -> Entry:
    """Let a request of a tenant in, and count it. Raises RefusedError."""
    credential = credential_of(request.headers.getlist("authorization"), request.headers.getlist("x-authorization"))
    caller = identify(credential, parts.registry, now=parts.clock(), sign_in=parts.sign_in)
    request.state.tenant, request.state.caller = caller.tenant, caller.id
    allowance = parts.limits.take(caller.id, parts.timer())
    parts.first_use.prepare(caller.namespace, lambda: parts.tokens.token(caller.tenant, Role.RW))
    return Entry(caller, allowance)


def enter_to_write(parts: Parts, request: Request) -> Entry:
    """As `enter`, for a request that writes. Raises RefusedError for a caller that may only read."""
    entry = enter(parts, request)
    if entry.caller.role is not Role.RW:
        raise RefusedError("read_only")
    return entry


def enter_as_admin(parts: Parts, request: Request) -> None:
    """Let a request of the administrator in. Raises RefusedError."""
    try:
        credential = credential_of(request.headers.getlist("authorization"), ())
    except RefusedError as error:
        raise RefusedError("admin_key") from error
    given = hashlib.sha256(credential.encode()).hexdigest()
    if parts.admin_digest is None or not hmac.compare_digest(given, parts.admin_digest):
        raise RefusedError("admin_key")
    request.state.caller = "admin"


def refuse(request: Request, refusal: Refusal, error: RefusedError | None = None) -> Response:
    """The answer to a request that is refused."""
    request.state.refusal = refusal.code
    headers: dict[str, str] = {}
    if error is not None and error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, OverLimitError):
        headers |= error.allowance.headers()
    if refusal.status == 401:
        # RFC 6750 section 3.
        headers["WWW-Authenticate"] = "Bearer"
    message = refusal.message if error is None else str(error)
    return JSONResponse(error_document(refusal.code, message, refusal.hint), refusal.status, headers)


def error_document(code: str, message: str, hint: str) -> dict[str, object]:
    """An error as every error of ours is told in JSON."""
    return {"error": {"code": code, "message": message, "hint": hint}}


def refusal_called(code: str) -> Refusal:
    """The refusal of this code; of one that is none, that which says the least."""
    return REFUSALS.get(code, REFUSALS["unavailable"])
