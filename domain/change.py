"""Change (环比): a score before and after, and the effects of the ratings in between."""

from datetime import date
from fractions import Fraction

import msgspec

from domain import figures, scores
from domain.counters import DIMENSIONS, Dimension
from domain.days import Window, days_before, window
from domain.figures import difference
from domain.rules import Rules
from domain.totals import DayTotals, Totals, histogram, sum_days, sum_window


class Flow(msgspec.Struct, frozen=True):
    """Counted ratings that entered or left the window, and their effect on the score."""

    sum: int
    count: int
    effect: float | None


class DimensionChange(msgspec.Struct, frozen=True):
    """One dimension before and after; scores whatever `min_ratings`, null without ratings."""

    before: float | None
    after: float | None
    delta: float | None
    entered: Flow
    left: Flow


class Change(msgspec.Struct, frozen=True):
    """The three dimensions before and after."""

    description: DimensionChange
    service: DimensionChange
    logistics: DimensionChange


def change_span(start: date, end: date, rules: Rules) -> Window:
    """Return the days whose totals `change` needs."""
    return window(end, rules.rating_window_days + (end - start).days)


def change(days: DayTotals, start: date, end: date, rules: Rules) -> Change:
    """Compare the scores as of `end` with the scores as of `start`, which is earlier."""
    length = rules.rating_window_days
    gap = (end - start).days
    # Both windows have one length, so as many days enter as leave: the days between the two ends,
    # or a window's length where the ends are further apart.
    moved = min(gap, length)
    remained = sum_window(days, window(start, length - moved))
    entered = sum_window(days, window(end, moved))
    left = sum_window(days, window(days_before(end, max(gap, length)), moved))
    return Change(
        **{name: _dimension_change(name, remained, entered, left) for name in DIMENSIONS},
    )


def _dimension_change(
    dimension: Dimension, remained: Totals, entered: Totals, left: Totals
) -> DimensionChange:
    def mean(*parts: Totals) -> Fraction | None:
        return scores.mean(histogram(sum_days(parts), dimension))

    def flow(totals: Totals, effect: Fraction | None) -> Flow:
        ratings = histogram(totals, dimension)
        return Flow(sum=ratings.sum, count=ratings.count, effect=figures.score(effect))

    before, after = mean(remained, left), mean(remained, entered)
    effects = _effects(before, mean(remained, left, entered), mean(remained), after)
    return DimensionChange(
        before=figures.score(before),
        after=figures.score(after),
        delta=figures.score(difference(after, before)),
        entered=flow(entered, effects[0]),
        left=flow(left, effects[1]),
    )


def _effects(
    before: Fraction | None,
    entered_first: Fraction | None,
    left_first: Fraction | None,
    after: Fraction | None,
) -> tuple[Fraction | None, Fraction | None]:
    """Return the effects of entering and of leaving, averaged over both orders.

    The two effects add up to the whole change.
    """
    if before is None or entered_first is None or left_first is None or after is None:
        return None, None
    entering = ((entered_first - before) + (after - left_first)) / 2
    return entering, after - before - entering
