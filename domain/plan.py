"""Plan: the good ratings that a target needs, and the low ratings that it tolerates."""

from datetime import date
from fractions import Fraction
from math import ceil, floor
from typing import Literal

import msgspec

from domain import figures
from domain.counters import Dimension
from domain.days import Window, window
from domain.rules import Rules
from domain.totals import DayTotals, Histogram, histogram, sum_window


class PlannedScore(msgspec.Struct, frozen=True):
    """A dimension after the needed ratings."""

    count: int
    sum: int
    score: float


class Tolerance(
    msgspec.Struct,
    frozen=True,
    rename={"ones": "1", "twos": "2", "threes": "3", "fours": "4"},
):
    """How many ratings of 1, 2, 3 or 4 stars leave the score at the target or above.

    Null for stars at or above the target, which never lower the score below the target.
    """

    ones: int | None
    twos: int | None
    threes: int | None
    fours: int | None


class Plan(msgspec.Struct, frozen=True):
    """Ratings `needed` for the target; null, as is `at`, where the target is impossible."""

    status: Literal["ok", "impossible"]
    needed: int | None
    at: PlannedScore | None
    tolerance: Tolerance


class Goal(msgspec.Struct, frozen=True):
    """An exact score of 1 to 5 to reach `by` a day, with ratings of so many `stars`."""

    target: Fraction
    by: date
    stars: int


def plan_span(as_of: date, rules: Rules) -> Window:
    """Return the days whose totals `plan` needs."""
    return window(as_of, rules.rating_window_days)


def plan(days: DayTotals, as_of: date, dimension: Dimension, goal: Goal, rules: Rules) -> Plan:
    """Return the ratings that reach the goal from a day's totals.

    N ratings with S stars known as of the day are still in the window on the day of the goal. With
    more stars than the target `n = max(0, min_ratings - N, ceil((target N - S) / (stars -
    target)))`; with no more `n = max(0, min_ratings - N)` where the score is then at the target or
    above, else the goal is impossible.
    """
    days_left = rules.rating_window_days - (goal.by - as_of).days
    remaining = histogram(sum_window(days, window(as_of, days_left)), dimension)
    needed = _needed(remaining, goal, rules)
    return Plan(
        status="impossible" if needed is None else "ok",
        needed=needed,
        at=None if needed is None else _planned(remaining, needed, goal.stars),
        tolerance=Tolerance(*(_tolerance(remaining, stars, goal.target) for stars in range(1, 5))),
    )


def _needed(remaining: Histogram, goal: Goal, rules: Rules) -> int | None:
    count, total = remaining.count, remaining.sum
    to_score = max(0, rules.min_ratings - count)
    if goal.stars > goal.target:
        return max(to_score, ceil((goal.target * count - total) / (goal.stars - goal.target)))
    if total + goal.stars * to_score >= goal.target * (count + to_score):
        return to_score
    return None


def _planned(remaining: Histogram, needed: int, stars: int) -> PlannedScore:
    count, total = remaining.count + needed, remaining.sum + stars * needed
    return PlannedScore(
        count=count,
        sum=total,
        score=figures.rounded(Fraction(total, count), figures.SCORE_DIGITS),
    )


def _tolerance(remaining: Histogram, stars: int, target: Fraction) -> int | None:
    """Return `floor((S - target N) / (target - stars))`, at least 0."""
    if stars >= target:
        return None
    return max(0, floor((remaining.sum - target * remaining.count) / (target - stars)))
