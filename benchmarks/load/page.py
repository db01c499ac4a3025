"""The figures of the load as tables and plots for docs/performance.md. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from benchmarks.ground import show
from benchmarks.load.backlog import Backlog
from benchmarks.load.figures import Figures
from benchmarks.load.plot import Axis, Line, draw

_COLUMNS: Final = (
    "syncs/s",
    "visible p50",
    "visible p99",
    "a sync p50",
    "a sync p99",
    "late p99",
    "requests",
    "KB up",
    "KB down",
    "cores: primary",
    "read replica",
    "clients",
    "meter",
    "others",
    "errors",
    "lost",
)
_SECONDS: Final = Axis("seconds", lambda value: f"{value:g}")
_LEAST: Final = 0.001


def tables(
    clients: Sequence[Figures],
    beside: Sequence[tuple[str, Figures]],
    stored: Sequence[Figures],
    pending: Sequence[Backlog],
) -> str:
    """All tables, with the plots where they belong."""
    parts = [
        "### Clients",
        _table("clients", [*((str(each.load.clients), each) for each in clients), *beside]),
        "![latency by clients](plots/load-latency.svg)",
        "![CPU by clients](plots/load-cpu.svg)",
        "### Rows stored",
        _table("rows stored", [(f"{each.load.rows:,}", each) for each in stored]),
        "![a sync by rows stored](plots/load-stored.svg)",
        "### Mutations pending",
        _pending(pending),
        "![a sync by mutations pending](plots/load-pending.svg)",
    ]
    return "\n\n".join(parts)


def _table(first: str, rows: Sequence[tuple[str, Figures]]) -> str:
    head = f"| {first} | {' | '.join(_COLUMNS)} |\n|{'---|' * (len(_COLUMNS) + 1)}"
    return "\n".join([head, *(f"| {name} | {' | '.join(_cells(each))} |" for name, each in rows)])


def _cells(each: Figures) -> list[str]:
    traffic, used = each.traffic, each.used
    errors = [f"{code} {count}" for code, count in sorted(each.errors.items())]
    if traffic.turned_away:
        errors.append(f"429 × {traffic.turned_away}")
    cores = (used.primary, used.read_replica, used.clients, used.meter, used.others)
    return [
        f"{each.ended_a_s:.1f}",
        *map(show, (each.visible_p50, each.visible_p99, each.sync_p50, each.sync_p99, each.late_p99)),
        f"{each.each_sync(traffic.hrana):.1f} + {each.each_sync(traffic.pulls):.1f}",
        f"{each.each_sync(traffic.bytes_up) / 1e3:.0f}",
        f"{each.each_sync(traffic.bytes_down) / 1e3:.0f}",
        *(f"{number:.2f}" for number in cores),
        ", ".join(errors) or "none",
        f"0 of {each.verdict.acknowledged:,}" if each.verdict.holds else f"**{each.verdict}**",
    ]


def _pending(rows: Sequence[Backlog]) -> str:
    head = (
        "| pending | one sync | a mutation | Hrana requests | KB up | KB down | CPU of the primary |\n"
        "|---|---|---|---|---|---|---|"
    )
    body = [
        f"| {each.pending:,} | {show(each.taken_s)} | {show(each.taken_s / each.pending)} | {each.traffic.hrana} "
        f"| {each.traffic.bytes_up / 1e3:,.0f} | {each.traffic.bytes_down / 1e3:,.0f} | {show(each.primary_s)} |"
        for each in rows
    ]
    return "\n".join([head, *body])


def plots(clients: Sequence[Figures], stored: Sequence[Figures], pending: Sequence[Backlog]) -> dict[str, str]:
    """Each plot by the name of its file."""
    count = Axis("clients, each writing one transaction a second", lambda value: f"{value:.0f}")
    rows = Axis("rows stored", lambda value: f"{value:,.0f}")
    waiting = Axis("mutations pending", lambda value: f"{value:,.0f}")
    cores = Axis("cores", lambda value: f"{value:g}")
    backlog = [(each.pending, each.taken_s) for each in pending]
    return {
        "load-latency.svg": draw(
            "From commit to visible elsewhere, and a sync",
            count,
            _SECONDS,
            [
                Line("visible, p50", [(each.load.clients, each.visible_p50) for each in clients]),
                Line("visible, p99", [(each.load.clients, each.visible_p99) for each in clients]),
                Line("a sync, p50", [(each.load.clients, each.sync_p50) for each in clients]),
                Line("a sync, p99", [(each.load.clients, each.sync_p99) for each in clients]),
            ],
        ),
        "load-cpu.svg": draw(
            "CPU: the primary, and all clients together",
            count,
            cores,
            [
                Line("the primary", [(each.load.clients, max(_LEAST, each.used.primary)) for each in clients]),
                Line("all clients", [(each.load.clients, max(_LEAST, each.used.clients)) for each in clients]),
            ],
        ),
        "load-stored.svg": draw(
            "A sync, as the database grows",
            rows,
            _SECONDS,
            [
                Line("a sync, p50", [(each.load.rows, each.sync_p50) for each in stored]),
                Line("a sync, p99", [(each.load.rows, each.sync_p99) for each in stored]),
            ],
        ),
        "load-pending.svg": draw("One sync of a backlog", waiting, _SECONDS, [Line("the whole sync", backlog)]),
    }
