"""The windows of one day: which days' totals count towards the scores as of that day."""

from collections.abc import Mapping
from datetime import date

import msgspec

from domain.days import days_before
from domain.rules import Rules
from domain.totals import FIELDS, LISTING_FIELDS, RATING_FIELDS, SALES_FIELDS, Totals, nothing


class Windows(msgspec.Struct, frozen=True):
    """First days of the windows that end on `end`; listings' steps have counted since ever."""

    rating_start: date
    sales_start: date
    end: date


def windows(end: date, rules: Rules) -> Windows:
    """The windows of a day under these rules."""
    return Windows(
        rating_start=days_before(end, rules.rating_window_days - 1),
        sales_start=days_before(end, rules.sales_window_days - 1),
        end=end,
    )


def windows_before(day: date, rules: Rules) -> Windows:
    """The windows of a day without that day itself: those of its running totals."""
    return msgspec.structs.replace(windows(day, rules), end=days_before(day, 1))


def window_totals(days: Mapping[date, Totals], of: Windows) -> list[int]:
    """What these days add to the windows, each field over its own window."""
    found = nothing()
    for day, totals in days.items():
        if day > of.end:
            continue
        for start, fields in (
            (of.rating_start, _RATINGS),
            (of.sales_start, _SALES),
            (date.min, _LISTINGS),
        ):
            if day >= start:
                for index in fields:
                    found[index] += totals[index]
    return found


_RATINGS, _SALES, _LISTINGS = (
    [FIELDS.index(field) for field in fields]
    for fields in (RATING_FIELDS, SALES_FIELDS, LISTING_FIELDS)
)
