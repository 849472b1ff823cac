"""Change (环比): what a score was, what it is, and what the ratings in between did to it."""

from datetime import date
from fractions import Fraction

import msgspec

from domain import figures, scores
from domain.counters import DIMENSIONS, Dimension
from domain.days import Window, days_before, window
from domain.figures import difference
from domain.rules import Rules
from domain.totals import DayTotals, Totals, histogram, over, summed


class Flow(msgspec.Struct, frozen=True):
    """Counted ratings that entered or left the window, and what that did to the score."""

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
    """Return the scores as of `end` against those as of `start`, which is earlier."""
    length = rules.rating_window_days
    gap = (end - start).days
    # Both windows are of one length, so what enters and what leaves spans equally many days: those
    # between the two ends, or whole windows where these lie further apart than that.
    moved = min(gap, length)
    kept = over(days, window(start, length - moved))
    entered = over(days, window(end, moved))
    left = over(days, window(days_before(end, max(gap, length)), moved))
    return Change(
        **{name: _dimension_change(name, kept, entered, left) for name in DIMENSIONS},
    )


def _dimension_change(
    dimension: Dimension, kept: Totals, entered: Totals, left: Totals
) -> DimensionChange:
    def mean(*parts: Totals) -> Fraction | None:
        return scores.mean(histogram(summed(parts), dimension))

    def flow(totals: Totals, effect: Fraction | None) -> Flow:
        ratings = histogram(totals, dimension)
        return Flow(sum=ratings.sum, count=ratings.count, effect=figures.score(effect))

    before, after = mean(kept, left), mean(kept, entered)
    effects = _effects(before, mean(kept, left, entered), mean(kept), after)
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
    """Return what entering and leaving did, each averaged over both orders, so that they add up."""
    if before is None or entered_first is None or left_first is None or after is None:
        return None, None
    entering = ((entered_first - before) + (after - left_first)) / 2
    return entering, after - before - entering
