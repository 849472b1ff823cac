"""The windows of one day: which days' totals count towards the scores as of that day."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

import msgspec

from domain.counters import COLUMNS_OF, WindowName
from domain.days import ONE_DAY, days_before, days_between
from domain.rules import Rules
from domain.totals import Totals, add, nothing

_RATINGS, _SALES = COLUMNS_OF["rating"], COLUMNS_OF["sales"]
_NO_RATINGS, _NO_SALES = nothing()[_RATINGS], nothing()[_SALES]


class Windows(msgspec.Struct, frozen=True):
    """First days of the windows that end on `end`; listings' steps have counted since ever."""

    rating_start: date
    sales_start: date
    end: date


def windows(end: date, rules: Rules) -> Windows:
    """Return the windows of a day under these rules."""
    return _windows(end, rules.rating_window_days, rules.sales_window_days)


def windows_before(day: date, rules: Rules) -> Windows:
    """Return the windows of a day without that day itself: those of its running totals."""
    return _windows_before(day, rules.rating_window_days, rules.sales_window_days)


@lru_cache(1024)
def _windows(end: date, rating_days: int, sales_days: int) -> Windows:
    return Windows(
        rating_start=days_before(end, rating_days - 1),
        sales_start=days_before(end, sales_days - 1),
        end=end,
    )


@lru_cache(1024)
def _windows_before(day: date, rating_days: int, sales_days: int) -> Windows:
    whole = _windows(day, rating_days, sales_days)
    return Windows(whole.rating_start, whole.sales_start, days_before(day, 1))


def window_totals(days: Mapping[date, Totals], of: Windows) -> list[int]:
    """Sum what these days add to the windows, each counter over its own window."""
    sums = nothing()
    for day, totals in days.items():
        if day <= of.end:
            add(sums, _counted(day, totals, of))
    return sums


def signs(day: date, before: Windows, after: Windows) -> dict[WindowName, int]:
    """Tell whether a day enters each window (1), leaves it (-1) or does neither (0)."""
    is_before, is_after = day <= before.end, day <= after.end
    return {
        "rating": (is_after and day >= after.rating_start)
        - (is_before and day >= before.rating_start),
        "sales": (is_after and day >= after.sales_start)
        - (is_before and day >= before.sales_start),
        "ever": is_after - is_before,
    }


def days_to_move(before: Windows, after: Windows) -> list[date]:
    """List the days that are in one of both windows and not in the other."""
    borders = (
        (before.end + ONE_DAY, after.end + ONE_DAY),
        (before.rating_start, after.rating_start),
        (before.sales_start, after.sales_start),
    )
    days = {
        day
        for border in borders
        for day in days_between(min(border), max(border) - ONE_DAY)
        if any(signs(day, before, after).values())
    }
    return sorted(days)


def _counted(day: date, totals: Totals, of: Windows) -> Totals:
    """Return what a day up to the end of the windows adds to them."""
    if day >= of.rating_start and day >= of.sales_start:
        return totals
    counted = list(totals)
    if day < of.rating_start:
        counted[_RATINGS] = _NO_RATINGS
    if day < of.sales_start:
        counted[_SALES] = _NO_SALES
    return counted
