"""Rows of the table: two sides measured in turn, their ratio, and the target it has to reach."""

from collections.abc import Sequence
from statistics import median
from typing import Literal

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row; `values` are ratios, one for each repeat, or figures that are bounded themselves."""

    number: str
    what: str
    unit: str = ""
    values: list[float]
    tops: list[float] = []
    bottoms: list[float] = []
    sides: str = ""
    """The unit of both sides of a ratio."""
    target: float | None = None
    must_be: Literal["at least", "at most"] = "at least"
    why_not: str = ""
    """Why it was not measured."""

    @property
    def median(self) -> float:
        """The figure that counts."""
        return median(self.values) if self.values else 0.0

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None without a target or a figure."""
        if self.target is None or not self.values:
            return None
        if self.must_be == "at least":
            return self.median >= self.target
        return self.median <= self.target


def ratio(
    number: str,
    what: str,
    tops: Sequence[float],
    bottoms: Sequence[float],
    *,
    sides: str,
    target: float | None = None,
    must_be: Literal["at least", "at most"] = "at least",
) -> Row:
    """A row of two sides that were measured in turn, repeat by repeat."""
    return Row(
        number=number,
        what=what,
        values=[top / bottom for top, bottom in zip(tops, bottoms, strict=True)],
        tops=list(tops),
        bottoms=list(bottoms),
        sides=sides,
        target=target,
        must_be=must_be,
    )


def markdown(rows: Sequence[Row]) -> str:
    """Rows as a table; spread is the lowest and the highest repeat."""
    lines = [
        "| # | ratio | this | reference | median | spread | target | reached |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines.extend(_line(row) for row in rows)
    return "\n".join(lines)


def _line(row: Row) -> str:
    if not row.values:
        head = f"| {row.number} | {row.what}"
        return f"{head} | | | not measured: {row.why_not} | | {_bound(row)} | |"
    unit = "" if row.tops else f" {row.unit}"
    reached = {True: "yes", False: "**no**", None: ""}[row.reached]
    return (
        f"| {row.number} | {row.what} | {_side(row.tops, row.sides)} "
        f"| {_side(row.bottoms, row.sides)} | {figure(row.median)}{unit} "
        f"| {figure(min(row.values))} to {figure(max(row.values))} | {_bound(row)} | {reached} |"
    )


def _side(figures: Sequence[float], unit: str) -> str:
    return f"{figure(median(figures))} {unit}" if figures else ""


def _bound(row: Row) -> str:
    if row.target is None:
        return ""
    return f"{'≥' if row.must_be == 'at least' else '≤'} {figure(row.target)}"


def figure(value: float) -> str:
    """A number with about three digits that count."""
    if value >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
