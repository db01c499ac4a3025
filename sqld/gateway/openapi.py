"""What can be asked of the gateway over HTTP, as an OpenAPI 3.1 document.

Hrana and replication go through nginx to sqld and are told in their own specifications. Always true: `tests` ask the
application at random for what stands here, and it answers as it says.
"""

from typing import Any, Final

from sqld.gateway.batch import ROWS_MAX, TABLES_MAX, Op, Result

Json = dict[str, Any]  # a document that is only ever written


def _of(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: list[str], **properties: Json) -> Json:
    return {"type": "object", "required": required, "properties": properties}


def _closed(required: list[str], **properties: Json) -> Json:
    return {**_object(required, **properties), "additionalProperties": False}


def _answer(description: str, schema: Json | None = None, *, is_limited: bool = False) -> Json:
    answer: Json = {"description": description}
    if schema is not None:
        answer["content"] = {"application/json": {"schema": schema}}
    if is_limited:
        number = {"schema": {"type": "integer", "minimum": 0}, "required": True}
        answer["headers"] = {f"X-RateLimit-{name}": number for name in ("Limit", "Remaining", "Reset")}
    return answer


_ERROR: Final = _of("Error")
_REFUSED: Final = {
    "400": _answer("The request is not what this path takes.", _ERROR),
    "401": _answer("No token, or one that opens nothing.", _ERROR),
    "503": _answer("The primary is not ready; nothing was done.", _ERROR),
}
_OF_A_TENANT: Final = {
    **_REFUSED,
    "403": _answer("The tenant is closed, or the token may only read.", _ERROR),
    "429": _answer("Too many requests with this token.", _ERROR, is_limited=True),
}
_OF_A_BODY: Final = {
    "408": _answer("The body did not come in time.", _ERROR),
    "413": _answer("The body is too large.", _ERROR),
}
_BY_TOKEN: Final = [{"token": list[str]()}]
_BY_ADMIN: Final = [{"admin": list[str]()}]


def _body(schema: Json) -> Json:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _parameter(name: str, description: str) -> Json:
    schema = {"type": "string", "minLength": 1, "maxLength": 100}
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def _admin(summary: str, good: Json, more: Json, *, status: str = "200", body: Json | None = None) -> Json:
    asked: Json = {"summary": summary, "security": _BY_ADMIN}
    if body is not None:
        asked["requestBody"] = _body(body)
    return {**asked, "responses": {status: good, **_REFUSED, **_OF_A_BODY, **more}}


_NO_SUCH: Final = _answer("There is none of this name.", _ERROR)
_NOT_NOW: Final = _answer("Its state, or another tenant, does not let this be done.", _ERROR)
_TENANT_NAME: Final = _parameter("name", "Of the tenant.")
_REVOKED: Final = _answer("It opens nothing from now on.", _of("Revoked"))

DOCUMENT: Final[Json] = {
    "openapi": "3.1.0",
    "info": {
        "title": "The gateway of a primary with tenants",
        "version": "1",
        "description": "Rows for programs that keep no replica, and what looks after tenants.",
    },
    "paths": {
        "/health": {
            "get": {"summary": "Whether the gateway runs", "responses": {"200": _answer("It does.", _of("Status"))}}
        },
        "/ready": {
            "get": {
                "summary": "Whether it can do its work",
                "responses": {"200": _answer("It can.", _of("Status")), "503": _answer("It cannot.", _ERROR)},
            }
        },
        "/metrics": {
            "get": {
                "summary": "Numbers for Prometheus",
                "security": _BY_ADMIN,
                "responses": {
                    "200": {
                        "description": "As Prometheus reads them.",
                        "content": {"text/plain": {"schema": {"type": "string"}}},
                    },
                    "401": _answer("No admin key, or a wrong one.", _ERROR),
                },
            }
        },
        "/v1/tenants/me": {
            "get": {
                "summary": "Who the caller is",
                "security": _BY_TOKEN,
                "responses": {
                    "200": _answer("Tenant, role and credential.", _of("Me"), is_limited=True),
                    **_OF_A_TENANT,
                },
            }
        },
        "/sync/batch": {
            "post": {
                "summary": "Write rows, by table",
                "description": "Sent again with the same request_id, it is answered as before and writes nothing.",
                "security": _BY_TOKEN,
                "requestBody": _body(_of("Batch")),
                "responses": {
                    "200": _answer("An outcome for each row.", _of("BatchAnswer"), is_limited=True),
                    **_OF_A_TENANT,
                    **_OF_A_BODY,
                    "409": _answer("The request_id was used for another request.", _ERROR),
                },
            }
        },
        "/admin/tenants": {
            "get": _admin("Every tenant there is or was", _answer("By name.", _of("Tenants")), {}),
            "post": _admin(
                "Make a tenant",
                _answer("It is made.", _of("Tenant")),
                {"409": _NOT_NOW},
                status="201",
                body=_of("NewTenant"),
            ),
        },
        "/admin/tenants/{name}": {
            "parameters": [_TENANT_NAME],
            "get": _admin("One tenant", _answer("It is.", _of("Tenant")), {"404": _NO_SUCH}),
        },
        **{
            f"/admin/tenants/{{name}}/{deed}": {
                "parameters": [_TENANT_NAME],
                "post": _admin(summary, _answer("It is done.", _of("Tenant")), {"404": _NO_SUCH, "409": _NOT_NOW}),
            }
            for deed, summary in (("suspend", "Close a tenant; its data are kept"), ("resume", "Open it again"))
        },
        **{
            f"/admin/{things}/{{id}}": {
                "parameters": [_parameter("id", "As td sqld lists it.")],
                "delete": _admin(f"Revoke one of the {things}", _REVOKED, {"404": _NO_SUCH}),
            }
            for things in ("tokens", "keys")
        },
    },
    "components": {
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer", "description": "A token, an API key, or one of a sign-in."},
            "admin": {"type": "http", "scheme": "bearer", "description": "The admin key of the gateway."},
        },
        "schemas": {
            "Status": _closed(["status"], status={"const": "ok"}),
            "Error": _closed(
                ["error"],
                error=_closed(
                    ["code", "message", "hint"],
                    code={"type": "string"},
                    message={"type": "string"},
                    hint={"type": "string"},
                ),
            ),
            "Me": _object(
                ["tenant", "role", "credential", "requests_per_minute"],
                tenant={"type": "string"},
                role={"enum": ["rw", "ro"]},
                requests_per_minute={"type": "integer", "minimum": 1},
                credential=_object(
                    ["kind", "id", "subject", "expires_at"],
                    kind={"enum": ["token", "api_key", "signed_in"]},
                    id={"type": "string"},
                    subject={"type": "string"},
                    expires_at={"type": "integer"},
                ),
            ),
            "Row": {
                "oneOf": [
                    _closed(
                        ["op", "fields"],
                        op={"const": Op.INSERT.value},
                        id={"type": "string", "description": "Empty or left out: one is made."},
                        fields={"type": "object"},
                    ),
                    _closed(
                        ["op", "id", "updated_at", "fields"],
                        op={"const": Op.UPDATE.value},
                        id={"type": "string", "minLength": 1},
                        updated_at={"type": "string", "minLength": 1, "description": "Of the row as you read it."},
                        fields={"type": "object"},
                    ),
                    _closed(
                        ["op", "id", "updated_at"],
                        op={"const": Op.DELETE.value},
                        id={"type": "string", "minLength": 1},
                        updated_at={"type": "string", "minLength": 1, "description": "Of the row as you read it."},
                    ),
                ]
            },
            "Batch": _closed(
                ["request_id", "rows"],
                request_id={"type": "string", "pattern": "^[A-Za-z0-9._:-]{8,100}$"},
                rows={
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": TABLES_MAX,
                    "additionalProperties": {"type": "array", "minItems": 1, "maxItems": ROWS_MAX, "items": _of("Row")},
                },
            ),
            "BatchAnswer": _closed(
                ["request_id", "rows"],
                request_id={"type": "string"},
                rows={"type": "object", "additionalProperties": {"type": "array", "items": _of("Outcome")}},
            ),
            "Outcome": _closed(
                ["id", "outcome"],
                id={"type": "string"},
                outcome={"enum": [result.value for result in Result]},
                updated_at={"type": "string"},
                current={"type": ["object", "null"]},
                error=_closed(["code", "message"], code={"type": "string"}, message={"type": "string"}),
            ),
            "Tenant": _closed(
                ["name", "state", "organisation", "created_at"],
                name={"type": "string"},
                state={"enum": ["creating", "active", "suspended", "deleting", "deleted"]},
                organisation={"type": ["string", "null"]},
                created_at={"type": "integer"},
            ),
            "Tenants": _closed(["tenants"], tenants={"type": "array", "items": _of("Tenant")}),
            "NewTenant": _closed(
                ["name"],
                name={"type": "string", "pattern": "^[a-z][a-z0-9-]{0,37}[a-z0-9]$"},
                organisation={"type": ["string", "null"], "pattern": "^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$"},
            ),
            "Revoked": _closed(
                ["id", "tenant", "revoked_at"],
                id={"type": "string"},
                tenant={"type": "string"},
                revoked_at={"type": "integer"},
            ),
        },
    },
}
