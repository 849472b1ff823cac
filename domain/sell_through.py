"""Sell-through: which listings are on sale, and which of those sold."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Literal

import msgspec

from domain import figures
from domain.days import Window
from domain.facts import ListingEvent

Steps = dict[date, tuple[int, int]]
"""By day, how much the listings on sale, and those of them that sold, rise or fall."""


class SellThrough(msgspec.Struct, frozen=True):
    """Of a shop's listings on sale, the share that sold in the window."""

    status: Literal["ok", "none"]
    rate: float | None
    sold: int
    on_sale: int
    window: Window


def sell_through(on_sale: int, sold: int, window: Window) -> SellThrough:
    """The shop's rate: `sold` of `on_sale` listings, 6 decimals."""
    return SellThrough(
        status="ok" if on_sale else "none",
        rate=figures.rounded_quotient(sold, on_sale, figures.RATE_DIGITS) if on_sale else None,
        sold=sold,
        on_sale=on_sale,
        window=window,
    )


def on_sale_runs(events: Iterable[ListingEvent]) -> list[tuple[date, date | None]]:
    """When one listing was on sale at the end of the day: `[from, until)`, the last may be open.

    At the same instant a withdrawal holds over a publication; edits play no part.
    """
    last_of_day: dict[date, ListingEvent] = {}
    for event in sorted(events, key=_order):
        if event.kind != "edited":
            last_of_day[event.day] = event
    runs: list[tuple[date, date | None]] = []
    since: date | None = None
    for day, event in sorted(last_of_day.items()):
        if event.kind == "published" and since is None:
            since = day
        elif event.kind == "withdrawn" and since is not None:
            runs.append((since, day))
            since = None
    if since is not None:
        runs.append((since, None))
    return runs


def steps(
    events: Iterable[ListingEvent], sale_days: Sequence[date], sold_window_days: int
) -> Steps:
    """What one listing adds to the shop's counts, day by day.

    `sale_days` rise. A sale counts on its day and the `sold_window_days - 1` days after it.
    """
    found: Steps = {}

    def step(day: date, on_sale: int, sold: int) -> None:
        before = found.get(day, (0, 0))
        found[day] = (before[0] + on_sale, before[1] + sold)

    sold_runs = _sold_runs(sale_days, sold_window_days)
    starts = [start for start, _ in sold_runs]
    for start, end in on_sale_runs(events):
        step(start, 1, 0)
        if end is not None:
            step(end, -1, 0)
        first = max(bisect_right(starts, start) - 1, 0)
        for sold_from, sold_until in sold_runs[first:]:
            if end is not None and sold_from >= end:
                break
            since = max(start, sold_from)
            until = sold_until if end is None else min(end, sold_until)
            if since < until:
                step(since, 0, 1)
                step(until, 0, -1)
    return {day: step for day, step in found.items() if step != (0, 0)}


def _sold_runs(sale_days: Sequence[date], sold_window_days: int) -> list[tuple[date, date]]:
    length = timedelta(days=sold_window_days)
    runs: list[tuple[date, date]] = []
    for day in sale_days:
        if runs and day <= runs[-1][1]:
            runs[-1] = (runs[-1][0], day + length)
        else:
            runs.append((day, day + length))
    return runs


def _order(event: ListingEvent) -> tuple[object, ...]:
    return event.time, event.kind == "withdrawn"
