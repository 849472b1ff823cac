"""Plots as SVG: lines over a logarithmic axis, readable on light and on dark pages."""

import math
from collections.abc import Iterable, Sequence
from html import escape

import msgspec

_WIDTH, _HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 220, 40, 50
_COLOURS = ("#2f7ed8", "#d9822b", "#3a9a5b", "#a5529e", "#c23b3b", "#7a7a2f")


Line = tuple[str, Sequence[tuple[float, float]]]
"""A name and points."""


class Axis(msgspec.Struct, frozen=True):
    """A logarithmic axis from the first to the last position in pixels."""

    low: float
    high: float
    first: float
    last: float

    def at(self, value: float) -> float:
        """Where a value lies."""
        share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return self.first + share * (self.last - self.first)

    def ticks(self) -> list[float]:
        """1, 2 and 5 of each power of ten, thinned out where they would crowd."""
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        steps = (1, 2, 5) if len(powers) <= 4 else (1,)
        found = [step * 10.0**power for power in powers for step in steps]
        return [tick for tick in found if self.low <= tick <= self.high]


def plot(title: str, x_label: str, y_label: str, lines: Sequence[Line]) -> str:
    """One SVG of named lines of points; values must be positive."""
    points = [point for _, line in lines for point in line]
    x_axis = _axis([x for x, _ in points], _LEFT, _WIDTH - _RIGHT)
    y_axis = _axis([y for _, y in points], _HEIGHT - _BOTTOM, _TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"',
        'font-family="sans-serif" font-size="12" fill="#888">',
        _text(_LEFT, 22, title, size=15),
        _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 12, x_label, anchor="middle"),
        _text(12, _TOP - 8, y_label),
        *_grid(x_axis, y_axis),
    ]
    for number, (name, line) in enumerate(lines):
        colour = _COLOURS[number % len(_COLOURS)]
        placed = [(x_axis.at(x), y_axis.at(y)) for x, y in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.extend(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in placed
        )
        y = _TOP + 10 + 20 * number
        parts.append(f'<circle cx="{_WIDTH - _RIGHT + 20}" cy="{y - 4}" r="5" fill="{colour}"/>')
        parts.append(_text(_WIDTH - _RIGHT + 32, y, name))
    return "\n".join([*parts, "</svg>\n"])


def _axis(values: Sequence[float], first: float, last: float) -> Axis:
    low, high = min(values) / 1.2, max(values) * 1.2
    return Axis(low, high, first, last)


def _grid(x_axis: Axis, y_axis: Axis) -> Iterable[str]:
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    stroke = 'stroke="#888" stroke-opacity="0.25"'
    for tick in x_axis.ticks():
        x = x_axis.at(tick)
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom}" {stroke}/>'
        yield _text(x, bottom + 16, _short(tick), anchor="middle")
    for tick in y_axis.ticks():
        y = y_axis.at(tick)
        yield f'<line x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" {stroke}/>'
        yield _text(_LEFT - 6, y + 4, _short(tick), anchor="end")


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">'
        f"{escape(text)}</text>"
    )


def _short(value: float) -> str:
    for bound, unit in ((1e6, "M"), (1e3, "k")):
        if value >= bound:
            return f"{value / bound:g}{unit}"
    return f"{value:g}"
