"""What somebody who holds things of alpha, or nothing at all, may try.

Each credential here opens nothing; each trick comes with a token of alpha that holds, and aims at beta.
"""

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

import jwt

from auth.api_keys import new_api_key
from auth.tokens import Role, SigningKey, mint
from sqld.gateway.primary_tokens import PrimaryTokens
from tests.sqld.gateway.site import Site, in_base64


def _claims(**changes: Any) -> dict[str, Any]:  # any JSON
    now = int(time.time())
    whole = {"id": "alpha", "a": "rw", "exp": now + 600, "iat": now, "jti": str(uuid.uuid4()), "sub": "test"}
    return {name: value for name, value in {**whole, **changes}.items() if value is not None}


def _signed(key: SigningKey, claims: dict[str, Any], **header: Any) -> str:  # as a JWT has it
    return jwt.encode(claims, key.private_key(), algorithm="EdDSA", headers={"kid": key.key_id, **header})


def _unsigned(claims: dict[str, Any], **header: Any) -> str:  # the same
    parts = (json.dumps({"typ": "JWT", **header}), json.dumps(claims))
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)


def _recorded_id(site: Site) -> str:
    """The id of a token of alpha that holds."""
    return str(jwt.decode(site.token("alpha"), options={"verify_signature": False})["jti"])


def _tampered(site: Site) -> str:
    head, _, signature = site.token("alpha").split(".")
    forged = _unsigned(_claims(id="beta")).split(".")[1]
    return f"{head}.{forged}.{signature}"


def _confused(site: Site) -> str:
    """Signed by HMAC with the public key, which everybody may know (RFC 8725 section 2.1)."""
    key = site.key("alpha")
    signing_input = _unsigned(_claims(), alg="HS256", kid=key.key_id)
    mac = hmac.new(key.public_pem.encode(), signing_input.encode(), hashlib.sha256).digest()
    return f"{signing_input}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def _revoked(site: Site) -> str:
    token = site.token("alpha")
    token_id = jwt.decode(token, options={"verify_signature": False})["jti"]
    site.registry.tokens.revoke(token_id, now=int(time.time()))
    return token


def _revoked_api_key(site: Site) -> str:
    made = site.api_key("alpha")
    site.registry.api_keys.revoke(made.record.id, now=int(time.time()))
    return made.api_key


def _expired(site: Site) -> str:
    key, past = site.key("alpha"), time.time() - 7200
    return mint(
        key, tenant="alpha", role=Role.RW, ttl_s=600, token_id=_recorded_id(site), subject="test", clock=lambda: past
    )


def _of_the_gateway(site: Site) -> str:
    """The very token that the gateway shows to sqld."""
    return PrimaryTokens(site.registry, site.key, site.clock).token("alpha", Role.RW)


def _with_own_key_inside(site: Site) -> str:
    own = SigningKey.generate()
    x = base64.urlsafe_b64encode(own.private_key().public_key().public_bytes_raw()).decode().rstrip("=")
    return _signed(own, _claims(), kid=site.key("alpha").key_id, jwk={"kty": "OKP", "crv": "Ed25519", "x": x})


def _closed_tenant(site: Site, make: Callable[[str], str]) -> str:
    """What opened a tenant that was closed after it was made."""
    name = f"closed-{uuid.uuid4().hex[:8]}"
    site.add_tenant(name)
    credential = make(name)
    site.tenancy.suspend(name)
    return credential


CREDENTIALS: Final[dict[str, Callable[[Site], str]]] = {
    "nothing": lambda _: "",
    "garbage": lambda _: "a.b.c",
    "only dots": lambda _: "..",
    "very long": lambda _: "x" * 9_000,
    "expired": _expired,
    "expired API key": lambda site: site.api_key("alpha", ago_s=3600).api_key,
    "revoked": _revoked,
    "revoked API key": _revoked_api_key,
    "API key that nobody made": lambda _: new_api_key(),
    "API key cut off": lambda site: site.api_key("alpha").api_key[:-1],
    "of a tenant that is suspended": lambda site: _closed_tenant(site, site.token),
    "API key of a tenant that is suspended": lambda site: _closed_tenant(site, lambda name: site.api_key(name).api_key),
    "unsigned": lambda site: _unsigned(_claims(), alg="EdDSA", kid=site.key("alpha").key_id) + ".",
    "alg none": lambda site: _unsigned(_claims(), alg="none", kid=site.key("alpha").key_id) + ".",
    "alg none with a signature": lambda site: (
        _unsigned(_claims(), alg="none", kid=site.key("alpha").key_id) + "." + site.token("alpha").split(".")[2]
    ),
    "HMAC with the public key": _confused,
    "its own key inside": _with_own_key_inside,
    "empty claims": lambda site: _signed(site.key("alpha"), {}),
    "without a tenant": lambda site: _signed(site.key("alpha"), _claims(id=None)),
    "without an end": lambda site: _signed(site.key("alpha"), _claims(exp=None)),
    "without a role": lambda site: _signed(site.key("alpha"), _claims(a=None)),
    "a role that is none": lambda site: _signed(site.key("alpha"), _claims(a="admin")),
    "permissions beside": lambda site: _signed(site.key("alpha"), _claims(p={"rw": {"ns": ["beta"]}})),
    "another tenant by alpha's key": lambda site: _signed(site.key("alpha"), _claims(id="beta")),
    "beta's key named, alpha's used": lambda site: _signed(
        site.key("alpha"), _claims(id="beta"), kid=site.key("beta").key_id
    ),
    "signed by a stranger": lambda site: _signed(SigningKey.generate(), _claims(), kid=site.key("alpha").key_id),
    "a key that nobody knows": lambda _: _signed(SigningKey.generate(), _claims()),
    "claims tampered with": _tampered,
    "never written down": lambda site: _signed(site.key("alpha"), _claims()),
    "other claims under a known id": lambda site: _signed(
        site.key("alpha"), _claims(jti=_recorded_id(site), exp=int(time.time()) + 86_400)
    ),
    "from the future": lambda site: _signed(site.key("alpha"), _claims(iat=int(time.time()) + 900)),
    "of the gateway itself": _of_the_gateway,
}

BETA: Final = in_base64("beta")
HEADERS: Final[dict[str, list[tuple[str, str]]]] = {
    "namespace": [("x-namespace-bin", BETA)],
    "namespace, written otherwise": [("X_Namespace_Bin", BETA), ("X-NAMESPACE-BIN", BETA)],
    "namespace twice": [("x-namespace-bin", in_base64("alpha")), ("x-namespace-bin", BETA)],
    "namespace as text": [("x-namespace", "beta"), ("x-namespace-bin", "beta")],
    "host": [("Host", "beta.localhost")],
    "host of one word": [("Host", "beta")],
    "forwarded host": [("X-Forwarded-Host", "beta.localhost"), ("Forwarded", "host=beta.localhost")],
    "what the gateway says to nginx": [
        ("X-Replica-Namespace", BETA),
        ("X-Replica-Tenant", "beta"),
        ("X-Replica-Token", "beta"),
    ],
    "what nginx says to the gateway": [
        ("X-Replica-Path", "/health"),
        ("X-Original-URI", "/health"),
        ("X-Original-URL", "/health"),
        ("X-Rewrite-URL", "/health"),
        ("X-Replica-Refusal", ""),
    ],
    "what sqld says to sqld": [("x-proxy-authorization", "full_access"), ("x-namespace-bin", BETA)],
    "headers to be dropped on the way": [
        ("Connection", "x-namespace-bin, authorization, x-authorization, host"),
        ("x-namespace-bin", BETA),
    ],
    "an upgrade": [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("x-namespace-bin", BETA)],
    "another method": [("X-HTTP-Method-Override", "DELETE"), ("x-namespace-bin", BETA)],
}

PATHS: Final = (
    "//v3/pipeline",
    "/./v3/pipeline",
    "/v3/./pipeline",
    "/v3//pipeline",
    "/v3/pipeline/",
    "/v3/../v3/pipeline",
    "/v3/%70ipeline",
    "/v3%2fpipeline",
    "/v3/pipeline%00",
    "/v3/pipeline;beta",
    "/v3/pipeline?namespace=beta&x-namespace-bin=" + BETA,
    "/V3/PIPELINE",
    "/beta/v3/pipeline",
    "/dev/beta/v3/pipeline",
    "http://beta.localhost/v3/pipeline",
    "http://beta/v3/pipeline",
    "/v1/batch",
    "/",
    "/console",
    "/v1/namespaces/beta/config",
    "/v1/namespaces/beta/create",
    "/proxy.Proxy/Execute",
    "/proxy.Proxy/ProgramReq",
    "/wal_log.ReplicationLog/../proxy.Proxy/Execute",
    "/replication_log_proxy.ReplicationLogProxy/Hello",
    "/_authorize",
    "/_no_method",
    "/_not_understood",
    "/%5fauthorize",
    "/_gateway/authorize",
    "/_gateway/refusal",
    "/admin/../_gateway/authorize",
    "/admin/%2e%2e/_gateway/authorize",
    "/admin/..%2f_gateway/authorize",
    "/admin//../_gateway/authorize",
    "/admin/%252e%252e/_gateway/authorize",
    "/v3/pipeline%0d%0ax-namespace-bin:%20" + BETA,
)
