"""Forecast: the scores to come without new ratings, and with as many ratings as recently."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta

from domain import figures
from domain.counters import DIMENSIONS, Dimension
from domain.days import Window, days_between, window
from domain.figures import quotient
from domain.rules import Rules
from domain.totals import DayTotals, Totals, histogram, rolling_totals, sum_window

INTAKE_DAYS = 28
"""Days up to `as_of` whose mean is what a coming day brings."""


FORECAST_DAYS_MAX: Final = 180

_BY_DAY: Final = Meta(max_length=FORECAST_DAYS_MAX)

ForecastDates: TypeAlias = Annotated[list[date], _BY_DAY]
ForecastScores: TypeAlias = Annotated[list[float | None], _BY_DAY]


class Outlook(msgspec.Struct, frozen=True):
    """Scores of the coming days, whatever `min_ratings`; null where no rating is left."""

    description: ForecastScores
    service: ForecastScores
    logistics: ForecastScores


class Forecast(msgspec.Struct, frozen=True):
    """Scores of the days to come.

    `silent`: ratings only leave the window. `steady`: each day also brings the mean of the days
    before.
    """

    dates: ForecastDates
    silent: Outlook
    steady: Outlook


def forecast_span(as_of: date, rules: Rules) -> Window:
    """Return the days whose totals `forecast` needs."""
    return window(as_of, max(rules.rating_window_days, INTAKE_DAYS))


def forecast(days: DayTotals, as_of: date, ahead: int, rules: Rules) -> Forecast:
    """Forecast the scores of the `ahead` days after `as_of`."""
    length = rules.rating_window_days
    coming = window(as_of + timedelta(days=ahead), ahead)
    known = {day: totals for day, totals in days.items() if day <= as_of}
    remaining = list(rolling_totals(known, coming, length))
    intake = sum_window(known, window(as_of, INTAKE_DAYS))
    # A day's intake leaves again after the length of the window.
    brought = [min(day, length) for day in range(1, ahead + 1)]
    return Forecast(
        dates=list(days_between(coming.start, coming.end)),
        silent=_outlook(remaining, intake, [0] * ahead),
        steady=_outlook(remaining, intake, brought),
    )


def _outlook(remaining: Sequence[Totals], intake: Totals, brought: Sequence[int]) -> Outlook:
    """Return scores by day: of `remaining`, and of `brought` days with 1/28 of `intake` each."""

    def score(totals: Totals, intakes: int, name: Dimension) -> float | None:
        old, new = histogram(totals, name), histogram(intake, name)
        return figures.score(
            quotient(
                INTAKE_DAYS * old.sum + intakes * new.sum,
                INTAKE_DAYS * old.count + intakes * new.count,
            )
        )

    return Outlook(
        **{
            name: [
                score(totals, intakes, name)
                for totals, intakes in zip(remaining, brought, strict=True)
            ]
            for name in DIMENSIONS
        }
    )
