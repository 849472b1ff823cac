"""Trend: the scorecard's scores and sales, day by day."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta

from domain import figures, scores, tier
from domain.counters import DIMENSIONS, Dimension
from domain.days import Window, days_between, window
from domain.rules import Rules
from domain.shops import money
from domain.totals import DayTotals, Totals, histogram, rolling_totals

TREND_DAYS_MAX: Final = 400

_BY_DAY: Final = Meta(max_length=TREND_DAYS_MAX)

TrendDates: TypeAlias = Annotated[list[date], _BY_DAY]
TrendSales: TypeAlias = Annotated[list[str], _BY_DAY]


class DimensionTrend(msgspec.Struct, frozen=True):
    """One dimension as of each day; `score` is null where there is none yet."""

    score: Annotated[list[float | None], _BY_DAY]
    count: Annotated[list[int], _BY_DAY]


class Trend(msgspec.Struct, frozen=True):
    """Lists of one length, one entry a day; `sales` are those of the tier's window."""

    dates: TrendDates
    description: DimensionTrend
    service: DimensionTrend
    logistics: DimensionTrend
    sales: TrendSales


def trend_span(start: date, end: date, rules: Rules) -> Window:
    """Return the days whose totals `trend` needs."""
    length = max(rules.rating_window_days, rules.sales_window_days)
    return window(end, length + (end - start).days)


def trend(days: DayTotals, start: date, end: date, currency: str, rules: Rules) -> Trend:
    """Return scores and sales as of each day from `start` to `end`, both included."""
    ends = window(end, (end - start).days + 1)
    rating_totals = list(rolling_totals(days, ends, rules.rating_window_days))
    sales_totals = rolling_totals(days, ends, rules.sales_window_days)
    return Trend(
        dates=list(days_between(start, end)),
        sales=[money(tier.sales(totals, rules), currency) for totals in sales_totals],
        **{name: _dimension_trend(rating_totals, name, rules) for name in DIMENSIONS},
    )


def _dimension_trend(
    window_totals: Sequence[Totals], dimension: Dimension, rules: Rules
) -> DimensionTrend:
    histograms = [histogram(totals, dimension) for totals in window_totals]
    return DimensionTrend(
        score=[figures.score(scores.score(ratings, rules)) for ratings in histograms],
        count=[ratings.count for ratings in histograms],
    )
