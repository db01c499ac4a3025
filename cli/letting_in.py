"""The gateway of a server, put together of its directory and of td's own tables.

Always true: what opens something is read from the vault when it is needed, and kept nowhere but in memory.
"""

import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from auth.api_keys import digest
from auth.sign_in import WORKOS_URL, Application
from auth.sign_in_errors import WorkOSUnreachableError
from auth.workos_tokens import Member, WorkOSTokens
from cli.serving import Serving
from cli.tenant_databases import migrating, writing
from sqld import is_healthy
from sqld.gateway import FirstUse, Limits, Numbers, Organisations, Parts, PrimaryTokens, RefusedError, SignIn
from sqld.minting import signing_key
from sqld.state import GATEWAY_ADMIN_KEY, Settings, read_key
from sqld.tenants import Tenancy

_WORKOS_TIMEOUT_S: Final = 5.0


def parts_of(here: Serving, primary_url: str) -> Parts:
    """What the gateway of a server is made of. Raises SqldError, AuthError."""
    settings, tenancy = here.state.settings(), here.tenancy()
    scratch = here.state.directory / "gateway"
    primary = urlsplit(primary_url)
    host, port = primary.hostname or "", primary.port or (443 if primary.scheme == "https" else 80)
    return Parts(
        here.registry,
        PrimaryTokens(here.registry, lambda tenant: signing_key(here.registry, here.vault, tenant), time.time),
        FirstUse(migrating(primary_url, scratch)),
        Limits(settings.requests_per_minute),
        Numbers(),
        is_primary_up=lambda: is_healthy(host, port),
        clock=time.time,
        timer=time.monotonic,
        write_rows=writing(primary_url, scratch),
        sign_in=_sign_in(here, settings, tenancy),
        administration=tenancy,
        admin_digest=digest(read_key(here.vault, GATEWAY_ADMIN_KEY)),
    )


def _sign_in(here: Serving, settings: Settings, tenancy: Tenancy) -> SignIn | None:
    if settings.workos_client_id is None:
        return None
    application = Application(settings.workos_client_id, settings.workos_url or WORKOS_URL, _WORKOS_TIMEOUT_S)
    tokens = WorkOSTokens(
        application,
        issuers=None if settings.workos_issuer is None else frozenset({settings.workos_issuer}),
        audience=settings.workos_audience,
    )
    create = (
        (lambda name, organisation: tenancy.create(name, organisation=organisation))
        if settings.creates_tenants
        else None
    )
    return Organisations(here.registry, checking(tokens), create=create)


def checking(tokens: WorkOSTokens) -> Callable[[str], Member]:
    """The check of a token of WorkOS, as the gateway takes it."""

    def check(credential: str) -> Member:
        try:
            return tokens.check(credential)
        except WorkOSUnreachableError as error:
            raise RefusedError("sign_in_unavailable", retry_after_s=5) from error

    return check
