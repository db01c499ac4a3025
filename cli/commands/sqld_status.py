"""`td sqld status`: how a server is, at a glance."""

from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from cli.errors import FailedChecksError
from cli.invocation import Invocation
from cli.serving import StateDir, serving
from cli.text import aligned, short_moment

if TYPE_CHECKING:
    from sqld.status import Problem, ServerStatus


def status(call: Invocation, *, state: StateDir = None) -> None:
    """Show what of a server answers, its tenants, and what is not well.

    It ends with an error where something is not as it should be, so that a timer can ask it.
    """
    # Only who serves pays for it.
    from sqld.status import look, problems_of  # noqa: PLC0415 - see above

    with serving(state) as here:
        seen = look(here.state, here.registry, here.vault)
    problems = problems_of(seen, now=datetime.now(UTC))
    call.emit(lambda: _document(seen, problems), lambda: _lines(seen, problems))
    if problems:
        raise FailedChecksError(tuple(problem.text for problem in problems), problems[0].hint)


def _document(seen: "ServerStatus", problems: "list[Problem]") -> dict[str, Any]:
    last = seen.last_backup
    return {
        "ok": not problems,
        "state": str(seen.directory),
        "td": version("replica-toolkit"),
        "parts": [
            {"name": part.name, "address": part.address, "answers": part.answers, "version": part.version}
            for part in seen.parts
        ],
        "tenants": [
            {"name": tenant.name, "state": tenant.state.value, "bytes": tenant.bytes, "change": tenant.change}
            for tenant in seen.tenants
        ],
        "read_replicas": [
            {"address": replica.address, "answers": replica.answers, "behind": replica.behind}
            for replica in seen.read_replicas
        ],
        "last_backup": None if last is None else {"folder": str(last.folder), "made_at": last.made_at},
        "free_bytes": seen.free_bytes,
        "disk_bytes": seen.disk_bytes,
        "problems": [{"text": problem.text, "hint": problem.hint} for problem in problems],
    }


def _lines(seen: "ServerStatus", problems: "list[Problem]") -> list[str]:
    last = seen.last_backup
    parts = [
        ("ok" if part.answers else "NO", part.name, part.address, (part.version or "").removeprefix("sqld "))
        for part in seen.parts
    ]
    tenants = [
        (f"  {tenant.name}", tenant.state.value, _size(tenant.bytes), _number("change", tenant.change))
        for tenant in seen.tenants
    ]
    replicas = [
        ("ok" if replica.answers else "NO", "read replica", replica.address, _number("behind", replica.behind))
        for replica in seen.read_replicas
    ]
    return [
        str(seen.directory),
        *aligned([*parts, *replicas]),
        f"tenants {len(seen.tenants)}",
        *aligned(tenants),
        f"disk: {seen.free_bytes >> 20} MiB free of {seen.disk_bytes >> 20}",
        "last backup: none" if last is None else f"last backup: {short_moment(last.made_at)}, in {last.folder}",
        *(f"NO  {problem.text}; {problem.hint}" for problem in problems),
    ]


def _size(size: int | None) -> str:
    return "no database" if size is None else f"{size} bytes"


def _number(name: str, number: int | None) -> str:
    return f"{name} unknown" if number is None else f"{name} {number}"
