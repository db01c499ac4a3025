"""The gateway as an ASGI application: its routes, and how each of its errors is answered.

Always true:
- what begins with `/_gateway` is for nginx alone, which lets nobody else there;
- every answer but those of `/metrics` is JSON; an error is `{"error": {"code", "message", "hint"}}`;
- what breaks is answered with 500 and told to the log by its kind, never to the client.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from auth.errors import AuthError
from sqld.errors import SqldError
from sqld.gateway import administer as admin
from sqld.gateway.bodies import read_body
from sqld.gateway.openapi import DOCUMENT
from sqld.gateway.parts import (
    Parts,
    enter,
    enter_as_admin,
    enter_to_write,
    error_document,
    refusal_called,
    refuse,
)
from sqld.gateway.refusals import REFUSALS, RefusedError
from sqld.gateway.request_log import RequestLog
from sqld.gateway.writing import write_batch
from sqld.namespaces import header_of

_LOG: Final = logging.getLogger(__name__)
_ADMIN_BYTES_MAX: Final = 10_000


def make_app(parts: Parts) -> Starlette:
    """The application."""
    routes = [
        _route("/_gateway/authorize", parts, authorize),
        _route("/_gateway/refusal", parts, tell_refusal),
        _route("/health", parts, health),
        _route("/ready", parts, ready),
        _route("/metrics", parts, metrics),
        _route("/v1/tenants/me", parts, me),
        _route("/openapi.json", parts, openapi),
        _batch_route("/sync/batch", parts),
        _admin_route("/admin/tenants", parts, {"GET": admin.list_tenants, "POST": admin.create_tenant}),
        _admin_route("/admin/tenants/{name}", parts, {"GET": admin.show_tenant}),
        _admin_route("/admin/tenants/{name}/suspend", parts, {"POST": admin.suspend_tenant}),
        _admin_route("/admin/tenants/{name}/resume", parts, {"POST": admin.resume_tenant}),
        _admin_route("/admin/tokens/{id}", parts, {"DELETE": admin.revoke_token}),
        _admin_route("/admin/keys/{id}", parts, {"DELETE": admin.revoke_api_key}),
    ]
    paths: dict[object, str] = {route.endpoint: route.path for route in routes}
    return Starlette(
        routes=routes,
        middleware=[Middleware(RequestLog, numbers=parts.numbers, routes=paths, timer=parts.timer)],
        exception_handlers={
            RefusedError: _refused,
            SqldError: _failed,
            AuthError: _failed,
            HTTPException: _no_such,
            500: _broken,
        },
    )


def authorize(parts: Parts, request: Request) -> Response:
    """Tell nginx whether a request may go to sqld, and as whose. nginx knows 2xx, 401 and 403 only."""
    request.state.asked_for = request.headers.get("x-replica-path", "")
    try:
        entry = enter(parts, request)
        token = parts.tokens.token(entry.caller.tenant, entry.caller.role)
    except RefusedError as error:
        answer = refuse(request, error.refusal, error)
        answer.headers["X-Replica-Refusal"] = error.refusal.code
        # nginx would pass it on beside that of `tell_refusal`.
        del answer.headers["WWW-Authenticate"]
        answer.status_code = 401 if error.refusal.status == 401 else 403
        return answer
    headers = {
        "X-Replica-Tenant": entry.caller.tenant,
        "X-Replica-Namespace": header_of(entry.caller.namespace),
        "X-Replica-Token": token,
        **entry.allowance.headers(),
    }
    return Response(status_code=204, headers=headers)


def tell_refusal(_: Parts, request: Request) -> Response:
    """What nginx answers to a request that may not pass: it knows the code of the refusal only."""
    refusal = refusal_called(request.headers.get("x-replica-refusal", ""))
    retry_after = request.headers.get("x-replica-retry-after", "")
    error = RefusedError(refusal.code, retry_after_s=int(retry_after) if retry_after.isdecimal() else None)
    return refuse(request, refusal, error)


def health(_: Parts, request: Request) -> Response:  # noqa: ARG001 - as every endpoint
    """The gateway runs."""
    return JSONResponse({"status": "ok"})


def ready(parts: Parts, request: Request) -> Response:
    """The gateway can do its work: the registry can be read, and sqld answers. Raises RegistryError."""
    parts.registry.tenants.find("")
    if not parts.is_primary_up():
        return refuse(request, REFUSALS["unavailable"])
    return JSONResponse({"status": "ok"})


def metrics(parts: Parts, request: Request) -> Response:
    """The numbers, for whoever has the admin key: they tell how busy the server is."""
    enter_as_admin(parts, request)
    return Response(generate_latest(parts.numbers.collectors), media_type=CONTENT_TYPE_LATEST)


def me(parts: Parts, request: Request) -> Response:
    """Who the caller is."""
    entry = enter(parts, request)
    caller = entry.caller
    document = {
        "tenant": caller.tenant,
        "role": caller.role.value,
        "credential": {
            "kind": caller.kind.value,
            "id": caller.id,
            "subject": caller.subject,
            "expires_at": int(caller.expires_at),
        },
        "requests_per_minute": entry.allowance.limit,
    }
    return JSONResponse(document, headers=entry.allowance.headers())


def openapi(_: Parts, request: Request) -> Response:  # noqa: ARG001 - as every endpoint
    """What can be asked here, and how."""
    return JSONResponse(DOCUMENT)


def _route(path: str, parts: Parts, endpoint: Callable[[Parts, Request], Response]) -> Route:
    async def answer(request: Request) -> Response:
        # The registry, the vault and signatures block; so they do it beside the loop.
        return await run_in_threadpool(endpoint, parts, request)

    return Route(path, answer, methods=["GET"])


def _batch_route(path: str, parts: Parts) -> Route:
    async def answer(request: Request) -> Response:
        entry = await run_in_threadpool(enter_to_write, parts, request)
        body = await read_body(request)
        text = await run_in_threadpool(write_batch, parts, entry.caller, body)
        return Response(text, media_type="application/json", headers=entry.allowance.headers())

    return Route(path, answer, methods=["POST"])


def _admin_route(
    path: str, parts: Parts, by_method: Mapping[str, Callable[[Parts, Request, bytes], Response]]
) -> Route:
    async def answer(request: Request) -> Response:
        await run_in_threadpool(enter_as_admin, parts, request)
        body = await read_body(request, bytes_max=_ADMIN_BYTES_MAX)
        # HEAD is a GET of which only the head is sent.
        method = "GET" if request.method == "HEAD" else request.method
        return await run_in_threadpool(by_method[method], parts, request, body)

    return Route(path, answer, methods=list(by_method))


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError), "registered for it"
    return refuse(request, error.refusal, error)


def _failed(request: Request, error: Exception) -> Response:
    if isinstance(error, SqldError) and request.url.path.startswith("/admin/"):
        told = admin.refused_to_admin(error)
        if told is not None:
            request.state.refusal = error.code
            return told
    _LOG.error("cannot answer", extra={"request_id": request.state.request_id, "reason": type(error).__name__})
    return refuse(request, REFUSALS["unavailable"])


def _no_such(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for it"
    refusal = REFUSALS["method_not_allowed" if error.status_code == 405 else "not_found"]
    answer = refuse(request, refusal)
    for name, value in (error.headers or {}).items():
        answer.headers[name] = value
    return answer


def _broken(request: Request, error: Any) -> Response:  # whatever it is
    request.state.refusal = "internal"
    _LOG.error("broken", extra={"request_id": request.state.request_id, "reason": type(error).__name__})
    return JSONResponse(error_document("internal", "the gateway failed", "tell whoever runs it the request id"), 500)
