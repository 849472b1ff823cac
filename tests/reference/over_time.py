"""Change, forecast and plan of one dimension."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from tests.reference.arithmetic import Window, score_or_null, window_ending
from tests.reference.ratings import Rating, Tally, rating_window, tally
from tests.reference.rules import Json, Rules

_STEADY_DAYS = 28


def short_changes(ratings: Sequence[Rating], dimension: str, as_of: date, rules: Rules) -> Json:
    """Return how far the score moved in a day, a week and thirty days."""
    now = tally(ratings, dimension, rating_window(as_of, rules)).score(rules)

    def since(days: int) -> float | None:
        earlier = as_of - timedelta(days=days)
        before = tally(ratings, dimension, rating_window(earlier, rules)).score(rules)
        return None if now is None or before is None else score_or_null(now - before)

    return {"day": since(1), "week": since(7), "month": since(30)}


def change(ratings: Sequence[Rating], dimension: str, start: date, end: date, rules: Rules) -> Json:
    """Return what entered and left between two days, and the effects of both."""
    old, new = rating_window(start, rules), rating_window(end, rules)
    before, after = tally(ratings, dimension, old), tally(ratings, dimension, new)
    entered = tally([rating for rating in ratings if rating.day not in old], dimension, new)
    left = tally([rating for rating in ratings if rating.day not in new], dimension, old)
    entered_effect, left_effect = _effects(before, entered, left)
    delta = None
    if before.mean is not None and after.mean is not None:
        delta = after.mean - before.mean
    return {
        "before": score_or_null(before.mean),
        "after": score_or_null(after.mean),
        "delta": score_or_null(delta),
        "entered": _moved(entered, entered_effect),
        "left": _moved(left, left_effect),
    }


def _moved(moved: Tally, effect: Fraction | None) -> Json:
    return {"sum": int(moved.sum), "count": int(moved.count), "effect": score_or_null(effect)}


def _effects(
    before: Tally, entered: Tally, left: Tally
) -> tuple[Fraction, Fraction] | tuple[None, None]:
    """Return the mean effects of both orders: enter then leave, leave then enter."""
    only_entered = before.plus(entered)
    only_left = before.plus(left, Fraction(-1))
    after = only_entered.plus(left, Fraction(-1))
    means = [moved.mean for moved in (before, only_entered, only_left, after)]
    known = [mean for mean in means if mean is not None]
    if len(known) < len(means):
        return None, None
    at_first, with_entered, without_left, at_last = known
    of_entered = ((with_entered - at_first) + (at_last - without_left)) / 2
    of_left = ((without_left - at_first) + (at_last - with_entered)) / 2
    return of_entered, of_left


@dataclass(frozen=True)
class Forecast:
    """Shown scores of the days to come, one each."""

    silent: list[float | None]
    steady: list[float | None]


def forecast(
    ratings: Sequence[Rating], dimension: str, as_of: date, days: int, rules: Rules
) -> Forecast:
    """Forecast scores without new ratings, and with as many as lately."""
    known = [rating for rating in ratings if rating.day <= as_of]
    recent = tally(known, dimension, window_ending(as_of, _STEADY_DAYS))
    silent, steady = [], []
    for future in Window(as_of + timedelta(days=1), as_of + timedelta(days=days)):
        window = rating_window(future, rules)
        remaining = tally(known, dimension, window)
        still_inside = [day for day in window if day > as_of]
        brought = Fraction(len(still_inside), _STEADY_DAYS)
        silent.append(score_or_null(remaining.mean))
        steady.append(score_or_null(remaining.plus(recent, brought).mean))
    return Forecast(silent, steady)


def plan(remaining: Tally, target: Fraction, stars: int, rules: Rules) -> Json:
    """Return how many ratings reach the target, and how many low ones fit."""
    count, total = remaining.count, remaining.sum
    needed = max(0, math.ceil(rules.min_ratings - count))
    if stars > target:
        needed = max(needed, math.ceil((target * count - total) / (stars - target)))
    new_count, new_sum = count + needed, total + stars * needed
    possible = new_sum >= target * new_count
    return {
        "status": "ok" if possible else "impossible",
        "needed": needed if possible else None,
        "at": {
            "count": int(new_count),
            "sum": int(new_sum),
            "score": score_or_null(new_sum / new_count),
        }
        if possible
        else None,
        "tolerance": {str(k): _tolerance(total - target * count, target - k) for k in range(1, 5)},
    }


def _tolerance(reserve: Fraction, cost: Fraction) -> int | None:
    """Return how many ratings of a cost the reserve covers."""
    return max(0, math.floor(reserve / cost)) if cost > 0 else None
