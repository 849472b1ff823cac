"""The windows of one day: which days' totals count towards the scores as of that day."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

import msgspec

from domain.days import days_before
from domain.rules import Rules
from domain.totals import FIELDS, RATING_FIELDS, SALES_FIELDS, Totals, add, nothing


class Windows(msgspec.Struct, frozen=True):
    """First days of the windows that end on `end`; listings' steps have counted since ever."""

    rating_start: date
    sales_start: date
    end: date


def windows(end: date, rules: Rules) -> Windows:
    """The windows of a day under these rules."""
    return _windows(end, rules.rating_window_days, rules.sales_window_days)


def windows_before(day: date, rules: Rules) -> Windows:
    """The windows of a day without that day itself: those of its running totals."""
    found = windows(day, rules)
    return Windows(found.rating_start, found.sales_start, days_before(day, 1))


@lru_cache(1024)
def _windows(end: date, rating_days: int, sales_days: int) -> Windows:
    return Windows(
        rating_start=days_before(end, rating_days - 1),
        sales_start=days_before(end, sales_days - 1),
        end=end,
    )


def window_totals(days: Mapping[date, Totals], of: Windows) -> list[int]:
    """What these days add to the windows, each field over its own window."""
    found = nothing()
    for day, totals in days.items():
        if day > of.end:
            continue
        counted = totals
        for start, fields in ((of.rating_start, _RATINGS), (of.sales_start, _SALES)):
            if day < start:
                counted = [0 if index in fields else n for index, n in enumerate(counted)]
        add(found, counted)
    return found


_RATINGS, _SALES = (
    {FIELDS.index(field) for field in fields} for fields in (RATING_FIELDS, SALES_FIELDS)
)
