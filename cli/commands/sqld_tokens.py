"""`td sqld token` and `td sqld key`: what opens a tenant, handed out and taken back."""

import time
from typing import Annotated, Any

import typer

from auth.tokens import Role
from cli.invocation import Invocation, command, shared_options
from cli.serving import Serving, StateDir, serving, span_s, stamp, stamp_or_none
from cli.text import aligned, short_moment
from sqld.minting import make_api_key, mint_token, revoke_api_key, revoke_token
from sqld.registry import ApiKey, TenantState, Token

tokens = typer.Typer(name="token", help="Let people and machines in, and out again: signed tokens.")
keys = typer.Typer(name="key", help="Let programs in by a gateway, and out again: API keys.")

Tenant = Annotated[str, typer.Option("--tenant", help="What it opens.", metavar="NAME")]
SomeTenant = Annotated[
    str | None, typer.Option("--tenant", help="Only those of this tenant.", show_default=False, metavar="NAME")
]
RoleOf = Annotated[
    Role, typer.Option("--role", help="rw: read and write; ro: only read.", show_default=False, metavar="ROLE")
]
Lifetime = Annotated[str, typer.Option("--ttl", help="How long it holds, as 12h or 30d.", metavar="TIME")]
All = Annotated[bool, typer.Option("--all", help="Those that hold no more, too.")]


shared_options(tokens)
shared_options(keys)


@command(tokens, "mint")
def mint(
    call: Invocation,
    *,
    tenant: Tenant,
    role: RoleOf,
    subject: Annotated[str, typer.Option("--for", help="Whom or what it is for.", metavar="NAME")],
    ttl: Lifetime = "30d",
    state: StateDir = None,
) -> None:
    """Make a token, and print it once: only its digest is kept."""
    ttl_s = span_s("--ttl", ttl)
    with serving(state) as here:
        made = mint_token(here.registry, here.vault, tenant=tenant, role=role, ttl_s=ttl_s, subject=subject)
        document = {**_token(made.record, _state_of_token(here, made.record)), "token": made.token}
    call.emit(lambda: document, lambda: [made.token])
    call.say(f"{_said(made.record.id, document)}; take it back: td sqld token revoke {made.record.id}")


@command(tokens, "list")
def list_tokens(call: Invocation, *, tenant: SomeTenant = None, all_: All = False, state: StateDir = None) -> None:
    """List the tokens that were made; none of them can be shown again."""
    with serving(state) as here:
        _see_that_it_is_there(here, tenant)
        documents = [_token(token, _state_of_token(here, token)) for token in here.registry.tokens.of(tenant)]
    _emit_list(call, documents, "subject", all_=all_)


@command(tokens, "revoke")
def revoke_one_token(
    call: Invocation,
    token_id: Annotated[str, typer.Argument(help="The id of the token, or its beginning.", metavar="ID")],
    *,
    state: StateDir = None,
) -> None:
    """Let a token open nothing any more."""
    with serving(state) as here:
        token = revoke_token(here.registry, token_id, now=int(time.time()))
        document = _token(token, _state_of_token(here, token))
    call.emit(lambda: {"action": "token_revoked", **document}, lambda: [f"REVOKED {token.id} of {token.tenant}"])
    rotate = f"td sqld tenant rotate-key {token.tenant} --overlap 0m"
    call.say(f"the gateway refuses it from now on; to end it in sqld itself: {rotate}")


@command(keys, "create")
def create_key(
    call: Invocation,
    *,
    tenant: Tenant,
    role: RoleOf,
    name: Annotated[str, typer.Option("--for", help="Which program it is for.", metavar="NAME")],
    ttl: Lifetime = "90d",
    state: StateDir = None,
) -> None:
    """Make an API key, and print it once: only its digest is kept."""
    ttl_s = span_s("--ttl", ttl)
    with serving(state) as here:
        made = make_api_key(here.registry, tenant=tenant, role=role, ttl_s=ttl_s, name=name)
        document = {**_api_key(made.record, _state_of_key(here, made.record)), "api_key": made.api_key}
    call.emit(lambda: document, lambda: [made.api_key])
    call.say(f"{_said(made.record.id, document)}; take it back: td sqld key revoke {made.record.id}")


@command(keys, "list")
def list_keys(call: Invocation, *, tenant: SomeTenant = None, all_: All = False, state: StateDir = None) -> None:
    """List the API keys that were made; none of them can be shown again."""
    with serving(state) as here:
        _see_that_it_is_there(here, tenant)
        documents = [_api_key(key, _state_of_key(here, key)) for key in here.registry.api_keys.of(tenant)]
    _emit_list(call, documents, "name", all_=all_)


@command(keys, "revoke")
def revoke_key(
    call: Invocation,
    key_id: Annotated[str, typer.Argument(help="The id of the API key, or its beginning.", metavar="ID")],
    *,
    state: StateDir = None,
) -> None:
    """Let an API key open nothing any more."""
    with serving(state) as here:
        key = revoke_api_key(here.registry, key_id, now=int(time.time()))
        document = _api_key(key, _state_of_key(here, key))
    call.emit(lambda: {"action": "api_key_revoked", **document}, lambda: [f"REVOKED {key.id} of {key.tenant}"])


def _see_that_it_is_there(here: Serving, tenant: str | None) -> None:
    if tenant is not None:
        here.registry.tenants.get(tenant)


def _emit_list(call: Invocation, documents: list[dict[str, Any]], who: str, *, all_: bool) -> None:
    shown = [document for document in documents if all_ or document["state"] == "holds"]
    call.emit(
        lambda: shown,
        lambda: aligned(
            [
                (one["id"], one["tenant"], one["role"], one["state"], short_moment(one["expires_at"]), one[who])
                for one in shown
            ]
        ),
    )


def _said(made_id: str, document: dict[str, Any]) -> str:
    return f"{made_id}: {document['role']} on {document['tenant']} until {short_moment(document['expires_at'])}"


def _state_of_token(here: Serving, token: Token) -> str:
    is_closed = token.key_id not in here.registry.keys.verifying(now=time.time())
    return _state(token, is_closed=is_closed)


def _state_of_key(here: Serving, key: ApiKey) -> str:
    return _state(key, is_closed=here.registry.tenants.get(key.tenant).state is not TenantState.ACTIVE)


def _state(one: Token | ApiKey, *, is_closed: bool) -> str:
    if one.revoked_at is not None:
        return "revoked"
    if not one.holds(time.time()):
        return "expired"
    return "closed" if is_closed else "holds"


def _token(token: Token, state: str) -> dict[str, Any]:
    return {
        "id": token.id,
        "tenant": token.tenant,
        "role": token.role.value,
        "subject": token.subject,
        "state": state,
        "created_at": stamp(token.created_at),
        "expires_at": stamp(token.expires_at),
        "revoked_at": stamp_or_none(token.revoked_at),
    }


def _api_key(key: ApiKey, state: str) -> dict[str, Any]:
    return {
        "id": key.id,
        "tenant": key.tenant,
        "role": key.role.value,
        "name": key.name,
        "state": state,
        "created_at": stamp(key.created_at),
        "expires_at": stamp(key.expires_at),
        "revoked_at": stamp_or_none(key.revoked_at),
        "last_used_at": stamp_or_none(key.last_used_at),
    }
