"""The windows of one day: which days' totals count towards the scores as of that day."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import msgspec

from domain.counters import COLUMNS_OF, WindowName
from domain.days import ONE_DAY, days_before
from domain.rules import Rules
from domain.totals import Totals, add, zero_totals

_RATINGS, _SALES = COLUMNS_OF["rating"], COLUMNS_OF["sales"]
_NO_RATINGS, _NO_SALES = zero_totals()[_RATINGS], zero_totals()[_SALES]


class Windows(msgspec.Struct, frozen=True):
    """First days of the windows that end on `end`; the window `ever` has no first day."""

    rating_start: date
    sales_start: date
    end: date

    def start_of(self, window: WindowName) -> date:
        """Return the first day of a window."""
        starts = {"rating": self.rating_start, "sales": self.sales_start, "ever": date.min}
        return starts[window]


def windows(end: date, rules: Rules) -> Windows:
    """Return the windows of a day under these rules."""
    return _windows(end, rules.rating_window_days, rules.sales_window_days)


def windows_before(day: date, rules: Rules) -> Windows:
    """Return the windows of a day's running totals, which leave the day out."""
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
    with_day = _windows(day, rating_days, sales_days)
    return Windows(with_day.rating_start, with_day.sales_start, days_before(day, 1))


def window_totals(days: Mapping[date, Totals], of: Windows) -> list[int]:
    """Sum the totals of days, each counter over its own window."""
    sums = zero_totals()
    for day, totals in days.items():
        if day <= of.end:
            add(sums, _count_day(day, totals, of))
    return sums


class Move(NamedTuple):
    """Days, the last not included, that enter (1) or leave (-1) the same windows."""

    start: date
    until: date
    signs: dict[WindowName, int]
    """The sign for each window; 0 where the days neither enter nor leave."""


def moves(before: Windows, after: Windows) -> list[Move]:
    """Return the days that enter and leave between two sets of windows."""
    boundaries = sorted(
        {
            boundary
            for of in (before, after)
            for boundary in (of.rating_start, of.sales_start, of.end + ONE_DAY)
        }
    )
    # The window `ever` has no first day, so nothing moves before the first boundary.
    spans = [Move(*span, _signs(span[0], before, after)) for span in pairwise(boundaries)]
    return [move for move in spans if any(move.signs.values())]


def _signs(day: date, before: Windows, after: Windows) -> dict[WindowName, int]:
    is_before, is_after = day <= before.end, day <= after.end
    return {
        "rating": (is_after and day >= after.rating_start)
        - (is_before and day >= before.rating_start),
        "sales": (is_after and day >= after.sales_start)
        - (is_before and day >= before.sales_start),
        "ever": is_after - is_before,
    }


def _count_day(day: date, totals: Totals, of: Windows) -> Totals:
    """Return the totals that a day adds to windows ending on it or later."""
    if day >= of.rating_start and day >= of.sales_start:
        return totals
    counted = list(totals)
    if day < of.rating_start:
        counted[_RATINGS] = _NO_RATINGS
    if day < of.sales_start:
        counted[_SALES] = _NO_SALES
    return counted
