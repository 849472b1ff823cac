"""Plan: how many good ratings a target takes, and how many bad ones it can bear."""

from datetime import date
from fractions import Fraction
from math import ceil, floor
from typing import Literal

import msgspec

from domain import figures
from domain.counters import Dimension
from domain.days import Window, window
from domain.rules import Rules
from domain.totals import DayTotals, Histogram, histogram, over


class PlannedScore(msgspec.Struct, frozen=True):
    """A dimension once the ratings that are needed have come."""

    count: int
    sum: int
    score: float


class Tolerance(
    msgspec.Struct,
    frozen=True,
    rename={"ones": "1", "twos": "2", "threes": "3", "fours": "4"},
):
    """How many ratings of so few stars can come until the score is below the target.

    Null for stars at or above the target, which can never pull it below.
    """

    ones: int | None
    twos: int | None
    threes: int | None
    fours: int | None


class Plan(msgspec.Struct, frozen=True):
    """Ratings `needed` for the target; null, as is `at`, where it is out of reach."""

    status: Literal["ok", "impossible"]
    needed: int | None
    at: PlannedScore | None
    tolerance: Tolerance


class Goal(msgspec.Struct, frozen=True):
    """An exact score of 1 to 5 to have `by` a day, by ratings of so many `stars`."""

    target: Fraction
    by: date
    stars: int


def plan_span(as_of: date, rules: Rules) -> Window:
    """Return the days whose totals `plan` needs."""
    return window(as_of, rules.rating_window_days)


def plan(days: DayTotals, as_of: date, dimension: Dimension, goal: Goal, rules: Rules) -> Plan:
    """Return what it takes as of a day to reach the goal, once the ratings due to leave have left.

    Of those known as of the day N ratings with S stars remain. With more stars than the target
    `n = max(0, min_ratings - N, ceil((target N - S) / (stars - target)))`; with no more than that
    `n = max(0, min_ratings - N)` where the target still holds then, else it is impossible.
    """
    staying = rules.rating_window_days - (goal.by - as_of).days
    remaining = histogram(over(days, window(as_of, staying)), dimension)
    needed = _needed(remaining, goal, rules)
    return Plan(
        status="impossible" if needed is None else "ok",
        needed=needed,
        at=None if needed is None else _planned(remaining, needed, goal.stars),
        tolerance=Tolerance(*(_tolerance(remaining, stars, goal.target) for stars in range(1, 5))),
    )


def _needed(remaining: Histogram, goal: Goal, rules: Rules) -> int | None:
    count, total = remaining.count, remaining.sum
    for_a_score = max(0, rules.min_ratings - count)
    if goal.stars > goal.target:
        return max(for_a_score, ceil((goal.target * count - total) / (goal.stars - goal.target)))
    if total + goal.stars * for_a_score >= goal.target * (count + for_a_score):
        return for_a_score
    return None


def _planned(remaining: Histogram, needed: int, stars: int) -> PlannedScore:
    count, total = remaining.count + needed, remaining.sum + stars * needed
    return PlannedScore(
        count=count,
        sum=total,
        score=figures.rounded(Fraction(total, count), figures.SCORE_DIGITS),
    )


def _tolerance(remaining: Histogram, stars: int, target: Fraction) -> int | None:
    """`floor((S - target N) / (target - stars))`, and 0 where the score is below already."""
    if stars >= target:
        return None
    return max(0, floor((remaining.sum - target * remaining.count) / (target - stars)))
