"""`td sqld tenant`: the tenants of your primary."""

import time
from typing import Annotated, Any

import typer

from cli.errors import UsageError
from cli.invocation import Invocation, command, shared_options
from cli.serving import Serving, StateDir, serving, span_s, stamp, stamp_or_none
from cli.text import aligned, short_moment
from sqld.registry import Key, Tenant, TenantState
from sqld.state_errors import AdminUnreachableError

app = typer.Typer(name="tenant", help="Keep teams apart: a database and a key of its own for each.")

Name = Annotated[str, typer.Argument(help="The tenant.", metavar="NAME")]


shared_options(app)


@command(app, "create")
def create(
    call: Invocation,
    name: Annotated[str, typer.Argument(help="What to call it: a-z, 0-9 and -.", metavar="NAME")],
    *,
    organisation: Annotated[
        str | None,
        typer.Option("--organisation", help="Whose people it is for, where they sign in by WorkOS.", metavar="ID"),
    ] = None,
    state: StateDir = None,
) -> None:
    """Make a tenant with an empty database, or finish making it."""
    with serving(state) as here:
        tenant = here.tenancy().create(name, organisation=organisation)
    _emit(call, tenant, "tenant_created", "CREATED")
    call.say(f"let somebody in: td sqld token mint --tenant {name} --role rw --for NAME")


@command(app, "list")
def list_(
    call: Invocation,
    *,
    deleted: Annotated[bool, typer.Option("--deleted", help="Those that are gone, too.")] = False,
    state: StateDir = None,
) -> None:
    """List the tenants."""
    with serving(state) as here:
        found = [tenant for tenant in here.registry.tenants.all() if deleted or tenant.state != TenantState.DELETED]
    call.emit(
        lambda: [_document(tenant) for tenant in found],
        lambda: aligned([(tenant.name, tenant.state.value, tenant.organisation or "") for tenant in found]),
    )


@command(app, "show")
def show(call: Invocation, name: Name, *, state: StateDir = None) -> None:
    """Show a tenant: its keys, what opens it, and how large it is."""
    with serving(state) as here:
        document = _shown(here, here.registry.tenants.get(name))
    call.emit(lambda: document, lambda: _shown_lines(document))


@command(app, "rotate-key")
def rotate_key(
    call: Invocation,
    name: Name,
    *,
    overlap: Annotated[
        str,
        typer.Option("--overlap", help="How long tokens of the old key still hold; 0m ends them all.", metavar="TIME"),
    ] = "7d",
    state: StateDir = None,
) -> None:
    """Give a tenant a new key, and let the old one hold for a while."""
    overlap_s = span_s("--overlap", overlap)
    with serving(state) as here:
        key = here.tenancy().rotate_key(name, overlap_s=overlap_s)
        before = [key for key in here.registry.keys.of(name) if key.state == "previous"]
    until = stamp_or_none(max((key.not_after or 0 for key in before), default=None))
    call.emit(
        lambda: {"action": "key_rotated", "tenant": name, "key": _key(key), "old_keys_hold_until": until},
        lambda: [f"ROTATED the key of {name}; the new one is {key.id}"],
    )
    if until is None:
        call.say("every token that was signed before is refused now; API keys are not concerned")
    else:
        call.say(f"tokens that were signed before hold until {short_moment(until)} at the longest; mint new ones")


@command(app, "suspend")
def suspend(call: Invocation, name: Name, *, state: StateDir = None) -> None:
    """Close a tenant to everybody, and keep all of it."""
    with serving(state) as here:
        tenant = here.tenancy().suspend(name)
    _emit(call, tenant, "tenant_suspended", "SUSPENDED")


@command(app, "resume")
def resume(call: Invocation, name: Name, *, state: StateDir = None) -> None:
    """Open a suspended tenant as it was."""
    with serving(state) as here:
        tenant = here.tenancy().resume(name)
    _emit(call, tenant, "tenant_resumed", "RESUMED")


@command(app, "delete")
def delete(
    call: Invocation,
    name: Name,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Delete its database, for good.")] = False,
    state: StateDir = None,
) -> None:
    """Delete a tenant with its database and all that opens it."""
    with serving(state) as here:
        if not yes:
            here.registry.tenants.get(name)
            raise UsageError(
                f"this would delete the database of {name} for good",
                "take a backup first (td sqld backup), then say --yes; td sqld tenant suspend only closes it",
            )
        tenant = here.tenancy().delete(name)
    _emit(call, tenant, "tenant_deleted", "DELETED")


def _emit(call: Invocation, tenant: Tenant, action: str, word: str) -> None:
    call.emit(lambda: {"action": action, **_document(tenant)}, lambda: [f"{word} {tenant.name}"])


def _document(tenant: Tenant) -> dict[str, Any]:
    return {
        "name": tenant.name,
        "namespace": tenant.namespace,
        "state": tenant.state.value,
        "organisation": tenant.organisation,
        "created_at": stamp(tenant.created_at),
    }


def _key(key: Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "state": key.state.value,
        "created_at": stamp(key.created_at),
        "not_after": stamp_or_none(key.not_after),
    }


def _shown(here: Serving, tenant: Tenant) -> dict[str, Any]:
    registry, now = here.registry, time.time()
    return {
        **_document(tenant),
        "keys": [_key(key) for key in registry.keys.of(tenant.name)],
        "tokens": sum(token.holds(now) for token in registry.tokens.of(tenant.name)),
        "api_keys": sum(key.holds(now) for key in registry.api_keys.of(tenant.name)),
        "database": _database(here, tenant),
    }


def _database(here: Serving, tenant: Tenant) -> dict[str, Any] | None:
    """What sqld tells of its database; None where it does not run, or there is none."""
    admin = here.state.admin(here.vault)
    try:
        settings, stats = admin.settings(tenant.namespace), admin.stats(tenant.namespace)
    except AdminUnreachableError:
        return None
    if settings is None or stats is None:
        return None
    return {
        "bytes": stats.get("storage_bytes_used"),
        "replication_index": stats.get("replication_index"),
        "durability_mode": settings.get("durability_mode"),
        "max_db_size": settings.get("max_db_size"),
        "is_open": not settings.get("block_reads"),
    }


def _shown_lines(document: dict[str, Any]) -> list[str]:
    database = document["database"]
    told = (
        "unknown: sqld does not run, or has none"
        if database is None
        else f"{database['bytes']} bytes, change {database['replication_index']}, {database['durability_mode']}"
    )
    rows = [
        ("state", document["state"]),
        ("organisation", document["organisation"] or "none"),
        ("made", short_moment(document["created_at"])),
        ("opened by", f"tokens {document['tokens']}, API keys {document['api_keys']}"),
        ("database", told),
        *((f"key {key['id']}", _key_line(key)) for key in document["keys"]),
    ]
    return [document["name"], *aligned([(f"  {name}", text) for name, text in rows])]


def _key_line(key: dict[str, Any]) -> str:
    holds = f", holds until {short_moment(key['not_after'])}" if key["state"] == "previous" else ""
    return f"{key['state']}{holds}, made {short_moment(key['created_at'])}"
