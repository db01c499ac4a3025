"""What an administrator does over HTTP, with the gateway's own admin key.

Always true: a secret is never among the answers; what opens a tenant is made on the machine itself (`td sqld`).
"""

import json
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sqld.errors import SqldError
from sqld.gateway.parts import Parts, error_document
from sqld.gateway.refusals import RefusedError
from sqld.registry import Tenant
from sqld.tenant_errors import (
    NoApiKeyError,
    NoTenantError,
    NoTokenError,
    OrganisationError,
    OrganisationTakenError,
    TenantNameError,
    TenantStateError,
)

_STATUS: Final[dict[type[SqldError], int]] = {
    TenantNameError: 400,
    OrganisationError: 400,
    NoTenantError: 404,
    NoTokenError: 404,
    NoApiKeyError: 404,
    TenantStateError: 409,
    OrganisationTakenError: 409,
}


def list_tenants(parts: Parts, _: Request, __: bytes) -> Response:
    """Every tenant there is or was, by name."""
    return JSONResponse({"tenants": [_told(tenant) for tenant in parts.registry.tenants.all()]})


def create_tenant(parts: Parts, _: Request, body: bytes) -> Response:
    """A new tenant. Raises RefusedError."""
    document = _document(body)
    name, organisation = document.get("name"), document.get("organisation")
    if (
        not isinstance(name, str)
        or not isinstance(organisation, str | None)
        or not document.keys() <= {"name", "organisation"}
    ):
        raise RefusedError("bad_request", detail="the body is an object of name and, if you like, organisation")
    if parts.administration is None:
        raise RefusedError("unavailable")
    return JSONResponse(_told(parts.administration.create(name, organisation=organisation)), 201)


def show_tenant(parts: Parts, request: Request, _: bytes) -> Response:
    """One tenant."""
    return JSONResponse(_told(parts.registry.tenants.get(request.path_params["name"])))


def suspend_tenant(parts: Parts, request: Request, _: bytes) -> Response:
    """Close a tenant; its data are kept."""
    if parts.administration is None:
        raise RefusedError("unavailable")
    return JSONResponse(_told(parts.administration.suspend(request.path_params["name"])))


def resume_tenant(parts: Parts, request: Request, _: bytes) -> Response:
    """Open a suspended tenant again."""
    if parts.administration is None:
        raise RefusedError("unavailable")
    return JSONResponse(_told(parts.administration.resume(request.path_params["name"])))


def revoke_token(parts: Parts, request: Request, _: bytes) -> Response:
    """Let a token open nothing from now on."""
    revoked = parts.registry.tokens.revoke(request.path_params["id"], now=int(parts.clock()))
    return JSONResponse({"id": revoked.id, "tenant": revoked.tenant, "revoked_at": revoked.revoked_at})


def revoke_api_key(parts: Parts, request: Request, _: bytes) -> Response:
    """Let an API key open nothing from now on."""
    revoked = parts.registry.api_keys.revoke(request.path_params["id"], now=int(parts.clock()))
    return JSONResponse({"id": revoked.id, "tenant": revoked.tenant, "revoked_at": revoked.revoked_at})


def refused_to_admin(error: SqldError) -> Response | None:
    """How an error about tenants is told to an administrator; None for one that is about something else."""
    status = _STATUS.get(type(error))
    return None if status is None else JSONResponse(error_document(error.code, str(error), error.hint), status)


def _document(body: bytes) -> dict[str, Any]:
    """An object of JSON; its values may be anything."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusedError("bad_request", detail="the body is not JSON") from error
    if not isinstance(document, dict):
        raise RefusedError("bad_request", detail="the body is not an object")
    return document


def _told(tenant: Tenant) -> dict[str, object]:
    return {
        "name": tenant.name,
        "state": tenant.state.value,
        "organisation": tenant.organisation,
        "created_at": tenant.created_at,
    }
