"""Plots as SVG: lines over logarithmic axes, drawn by hand so that they need nothing. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_WIDTH: Final = 640
_HEIGHT: Final = 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 78, 190, 44, 52
# Told apart by those who do not see all colours as well (Okabe and Ito), and by dashes.
_STYLES: Final = (("#0072b2", ""), ("#0072b2", "6 4"), ("#d55e00", ""), ("#d55e00", "6 4"), ("#009e73", ""))


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: what it shows, and how a value of it is written."""

    label: str
    write: Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plot; values must be above zero."""

    name: str
    points: Sequence[tuple[float, float]]


def draw(title: str, x: Axis, y: Axis, lines: Sequence[Line]) -> str:
    """An SVG document. The marks of the x axis are the values that were measured."""
    xs = sorted({point[0] for line in lines for point in line.points})
    ys = [point[1] for line in lines for point in line.points]
    low, high = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))
    high = max(high, low + 1)
    span = math.log10(xs[-1] / xs[0]) or 1.0

    def at_x(value: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * math.log10(value / xs[0]) / span

    def at_y(value: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * (math.log10(value) - low) / (high - low)

    marks = [10.0**power for power in range(low, high + 1)]
    look = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12" fill="#222"'
    middle_x, middle_y = (_LEFT + _WIDTH - _RIGHT) / 2, (_TOP + _HEIGHT - _BOTTOM) / 2
    turned = f'transform="translate(16 {middle_y:.0f}) rotate(-90)"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {look}>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="24" font-size="15" font-weight="bold">{escape(title)}</text>',
        *(_mark_y(at_y(mark), y.write(mark)) for mark in marks),
        *(_mark_x(at_x(value), x.write(value)) for value in xs),
        f'<text x="{middle_x:.0f}" y="{_HEIGHT - 12}" text-anchor="middle">{escape(x.label)}</text>',
        f'<text {turned} text-anchor="middle">{escape(y.label)}</text>',
    ]
    for number, line in enumerate(lines):
        parts += _line(line, _STYLES[number], _TOP + 14 + 22 * number, at_x, at_y)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _mark_y(at: float, text: str) -> str:
    return (
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="#ddd"/>'
        f'<text x="{_LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{escape(text)}</text>'
    )


def _mark_x(at: float, text: str) -> str:
    bottom = _HEIGHT - _BOTTOM
    return (
        f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{bottom}" stroke="#eee"/>'
        f'<text x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{escape(text)}</text>'
    )


def _line(
    line: Line, style: tuple[str, str], key_y: float, at_x: Callable[[float], float], at_y: Callable[[float], float]
) -> Iterator[str]:
    """The line, its points, and its entry in the key."""
    colour, dashes = style
    stroke = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"'
    places = [(at_x(x), at_y(y)) for x, y in line.points]
    yield f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}" {stroke}/>'
    for x, y in places:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
    key_x = _WIDTH - _RIGHT + 16
    yield f'<line x1="{key_x}" x2="{key_x + 26}" y1="{key_y}" y2="{key_y}" {stroke}/>'
    yield f'<text x="{key_x + 32}" y="{key_y + 4}">{escape(line.name)}</text>'
