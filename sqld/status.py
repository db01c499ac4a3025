"""How a server is: what answers, what its tenants hold, how far its read replicas are, and when it was last backed up.

Always true: looking changes nothing, waits for nobody longer than a few seconds, and tells also where parts are down.
"""

import http.client
import shutil
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from auth.errors import AuthError
from auth.vault import Vault
from sqld._health import is_healthy
from sqld.admin import Admin
from sqld.data_dir import database_of
from sqld.errors import SqldError
from sqld.registry import Registry, TenantState
from sqld.server_backup import LastBackup, last_backup
from sqld.state import ADMIN_KEY, Settings, State, read_key
from sqld.state_errors import AdminUnreachableError

_LOOPBACK: Final = "127.0.0.1"
TIMEOUT_S: Final = 3.0
_BACKUP_AGE_MAX: Final = timedelta(days=2)
_FREE_SHARE_MIN: Final = 0.1
# What a read replica may be behind while people write; it is fetched at once.
_BEHIND_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class PartStatus:
    """A process of the server.

    version: what it says of itself, where it does. distrust: what is wrong with its certificate, where that is why it
    cannot be asked.
    """

    name: str
    address: str
    answers: bool
    version: str | None = None
    distrust: str | None = None


@dataclass(frozen=True, slots=True)
class TenantStatus:
    """A tenant. bytes: on the disk, with its log; None without a database. change: the number of its last change."""

    name: str
    state: TenantState
    bytes: int | None
    change: int | None


@dataclass(frozen=True, slots=True)
class ReadReplicaStatus:
    """A read replica. behind: how many changes the tenant that is behind most lacks; None where that is not known."""

    address: str
    answers: bool
    behind: int | None


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """Everything that was seen. free_bytes, disk_bytes: of the disk that it is on."""

    directory: Path
    parts: Sequence[PartStatus]
    tenants: Sequence[TenantStatus]
    read_replicas: Sequence[ReadReplicaStatus]
    last_backup: LastBackup | None
    free_bytes: int
    disk_bytes: int
    admin_problem: str | None


@dataclass(frozen=True, slots=True)
class Problem:
    """What is not as it should be, and what to do about it."""

    text: str
    hint: str


def look(state: State, registry: Registry, vault: Vault, *, timeout_s: float = TIMEOUT_S) -> ServerStatus:
    """See how a server is. timeout_s: for each that is asked. Raises StateMissingError, StateError, RegistryError."""
    settings = state.settings()
    admin_key, problem = _admin_key(vault)
    admin = None if admin_key is None else Admin(settings.admin_port, admin_key, timeout_s=timeout_s)
    tenants = []
    for tenant in registry.tenants.all():
        if tenant.state is TenantState.DELETED:
            continue
        change = None
        try:
            change = None if admin is None else _change(admin, tenant.namespace)
        except AdminUnreachableError:
            # That it does not answer is told of the part; it is not waited for again for each tenant.
            admin = None
        except SqldError as error:
            problem = problem or str(error)
        size = _bytes_of(state.data_dir / database_of(tenant.namespace).parent)
        tenants.append(TenantStatus(tenant.name, tenant.state, size, change))
    disk = shutil.disk_usage(state.directory)
    return ServerStatus(
        directory=state.directory,
        parts=_parts(settings, timeout_s),
        tenants=tenants,
        read_replicas=[_read_replica(address, admin_key, tenants, timeout_s) for address in settings.read_replicas],
        last_backup=last_backup(state),
        free_bytes=disk.free,
        disk_bytes=disk.total,
        admin_problem=problem,
    )


def problems_of(status: ServerStatus, *, now: datetime) -> list[Problem]:
    """What of it is not as it should be, the worst first."""
    found = [_part_problem(part) for part in status.parts if not part.answers]
    if status.admin_problem is not None and status.parts[0].answers:
        found.append(Problem(f"sqld cannot be asked: {status.admin_problem}", "see td sqld tenant list"))
    found += [
        Problem(f"the tenant {tenant.name} has no database", "td sqld restore brings back one that a backup holds")
        for tenant in status.tenants
        if tenant.bytes is None and tenant.state in (TenantState.ACTIVE, TenantState.SUSPENDED)
    ]
    for replica in status.read_replicas:
        if not replica.answers:
            found.append(Problem(f"the read replica at {replica.address} does not answer", "start it again"))
        elif replica.behind is not None and replica.behind > _BEHIND_MAX:
            found.append(
                Problem(f"the read replica at {replica.address} is {replica.behind} changes behind", "see its log")
            )
    if status.free_bytes < _FREE_SHARE_MIN * status.disk_bytes:
        found.append(Problem(f"the disk has {status.free_bytes >> 20} MiB left", "make room before writes are refused"))
    if problem := _backup_problem(status.last_backup, now):
        found.append(problem)
    return found


def _part_problem(part: PartStatus) -> Problem:
    if part.distrust is not None:
        return Problem(
            f"the certificate of {part.name} at {part.address} is not trusted: {part.distrust}",
            "have it renewed and start nginx again; where you have a CA of your own, SSL_CERT_FILE names it",
        )
    return Problem(f"{part.name} does not answer at {part.address}", "start it; its log tells why it ended")


def _backup_problem(last: LastBackup | None, now: datetime) -> Problem | None:
    hint = "td sqld backup DIR makes one; a timer should"
    if last is None:
        return Problem("it was never backed up", hint)
    if not last.folder.is_dir():
        return Problem(f"the last backup is not where it was put, in {last.folder}", hint)
    made_at = datetime.fromisoformat(last.made_at)
    if now - made_at > _BACKUP_AGE_MAX:
        return Problem(f"the last backup is of {made_at.astimezone(UTC):%Y-%m-%d}", hint)
    return None


def _admin_key(vault: Vault) -> tuple[str | None, str | None]:
    try:
        return read_key(vault, ADMIN_KEY), None
    except (AuthError, SqldError) as error:
        return None, str(error)


def _change(admin: Admin, namespace: str) -> int | None:
    stats = admin.stats(namespace)
    index = None if stats is None else stats.get("replication_index")
    return index if isinstance(index, int) else None


def _bytes_of(folder: Path) -> int | None:
    if not (folder / "data").is_file():
        return None
    sizes = 0
    for path in folder.rglob("*"):
        try:
            sizes += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            # sqld tidies up meanwhile.
            continue
    return sizes


def _parts(settings: Settings, timeout_s: float) -> list[PartStatus]:
    primary, gateway = (f"http://{_LOOPBACK}:{port}" for port in (settings.http_port, settings.gateway_port))
    is_up = is_healthy(_LOOPBACK, settings.http_port, timeout_s=timeout_s)
    version = _get(primary, "/version", timeout_s) if is_up else None
    parts = [
        PartStatus("sqld", primary, version is not None, version),
        PartStatus("the gateway", gateway, _get(gateway, "/health", timeout_s) is not None),
    ]
    if settings.public_url is not None:
        parts.append(_public_address(settings.public_url, timeout_s))
    return parts


def _public_address(url: str, timeout_s: float) -> PartStatus:
    name = "the public address"
    try:
        return PartStatus(name, url, _ask(url, "/ready", timeout_s) is not None)
    except ssl.SSLCertVerificationError as error:
        return PartStatus(name, url, answers=False, distrust=error.verify_message)
    except (OSError, http.client.HTTPException, ValueError):
        return PartStatus(name, url, answers=False)


def _get(url: str, path: str, timeout_s: float) -> str | None:
    """The body of the answer, if it is a good one."""
    try:
        return _ask(url, path, timeout_s)
    except (OSError, http.client.HTTPException, ValueError):
        return None


def _ask(url: str, path: str, timeout_s: float) -> str | None:
    """The same. Raises OSError, ValueError and what `http.client` has where there is no answer."""
    where = urlsplit(url)
    connection: http.client.HTTPConnection
    if where.scheme == "https":
        trust = ssl.create_default_context()
        connection = http.client.HTTPSConnection(where.netloc, timeout=timeout_s, context=trust)
    else:
        connection = http.client.HTTPConnection(where.netloc, timeout=timeout_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read(1_000).decode(errors="replace").strip()
    finally:
        connection.close()
    return body if answer.status == 200 else None


def _read_replica(
    address: str, admin_key: str | None, tenants: Sequence[TenantStatus], timeout_s: float
) -> ReadReplicaStatus:
    host, _, port = address.rpartition(":")
    if admin_key is None:
        return ReadReplicaStatus(address, answers=False, behind=None)
    admin = Admin(int(port), admin_key, host=host.strip("[]"), timeout_s=timeout_s)
    behind: int | None = None
    try:
        for tenant in tenants:
            stats = admin.stats(tenant.name)
            index = 0 if stats is None else stats.get("replication_index") or 0
            if tenant.change is not None:
                behind = max(behind or 0, tenant.change - index)
    except AdminUnreachableError:
        return ReadReplicaStatus(address, answers=False, behind=None)
    except SqldError:
        return ReadReplicaStatus(address, answers=True, behind=None)
    return ReadReplicaStatus(address, answers=True, behind=behind)
