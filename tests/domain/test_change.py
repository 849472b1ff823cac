"""Change: the ratings that entered and left explain the difference of scores."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import figures
from domain.change import change
from domain.counters import DIMENSIONS
from domain.rules import Rules
from tests.domain.builders import SPAN, day, day_totals, rated, rules, short_rules, stars_of, sum_of


def test_a_score_falls_because_fives_left() -> None:
    """Without ratings that enter, the effect of leaving is the whole change."""
    days = {day(0): rated(0, 0, 0, 0, 1), day(5): rated(0, 0, 0, 1, 8)}
    result = change(days, day(9), day(10), rules(rating_window_days=10))
    assert msgspec.to_builtins(result.description) == {
        "before": 4.9,
        "after": 4.88889,
        "delta": -0.01111,
        "entered": {"sum": 0, "count": 0, "effect": 0.0},
        "left": {"sum": 5, "count": 1, "effect": -0.01111},
    }


def test_effects_are_averaged_over_both_orders() -> None:
    """Entering does -4/3 or -2, leaving 0 or -2/3, where a 1 replaces a 5."""
    days = {
        day(0): rated(0, 0, 0, 0, 1),
        day(1): rated(0, 0, 0, 0, 1),
        day(2): rated(1),
    }
    description = change(days, day(1), day(2), rules(rating_window_days=2)).description
    assert (description.before, description.after, description.delta) == (5.0, 3.0, -2.0)
    assert (description.entered.effect, description.left.effect) == (-1.66667, -0.33333)


@pytest.mark.parametrize("min_ratings", [1, 100])
def test_min_ratings_do_not_matter(min_ratings: int) -> None:
    """Change shows scores of any number of ratings."""
    days = {day(0): rated(0, 0, 0, 1), day(1): rated(0, 0, 0, 0, 1)}
    description = change(days, day(0), day(1), rules(min_ratings=min_ratings)).description
    assert (description.before, description.after, description.delta) == (4.0, 4.5, 0.5)


@pytest.mark.parametrize(
    ("days", "before", "after", "delta"),
    [
        ({}, None, None, None),
        ({5: rated(0, 1)}, None, 2.0, None),
        ({0: rated(0, 1)}, 2.0, None, None),
        ({0: rated(0, 1), 5: rated(0, 0, 1)}, 2.0, 3.0, 1.0),
    ],
)
def test_without_ratings_at_any_step_there_are_no_effects(
    days: dict[int, list[int]], before: float | None, after: float | None, delta: float | None
) -> None:
    """No ratings before, after, or in between, when all leave before any enters."""
    totals = {day(number): row for number, row in days.items()}
    description = change(totals, day(1), day(5), rules(rating_window_days=3)).description
    assert (description.before, description.after, description.delta) == (before, after, delta)
    assert (description.entered.effect, description.left.effect) == (None, None)


_days = st.integers(0, SPAN + 10)
_gap = st.integers(1, 30)


@given(day_totals, _days, _gap, short_rules)
def test_what_entered_less_what_left_is_the_change(
    days: dict[date, list[int]], start: int, gap: int, scoring: Rules
) -> None:
    """Counts and sums of both windows differ by what entered and left alone."""
    end, length = start + gap, scoring.rating_window_days
    result = change(days, day(start), day(end), scoring)
    old = sum_of(days, start - length + 1, start)
    new = sum_of(days, end - length + 1, end)
    entered = sum_of(days, max(start + 1, end - length + 1), end)
    left = sum_of(days, start - length + 1, min(start, end - length))
    for name in DIMENSIONS:
        dimension = getattr(result, name)
        assert (dimension.entered.count, dimension.entered.sum) == stars_of(entered, name)
        assert (dimension.left.count, dimension.left.sum) == stars_of(left, name)
        for index, moved in enumerate(("count", "sum")):
            assert stars_of(new, name)[index] - stars_of(old, name)[index] == getattr(
                dimension.entered, moved
            ) - getattr(dimension.left, moved)


@given(day_totals, _days, _gap, short_rules)
def test_exact_effects_add_up_to_delta(
    days: dict[date, list[int]], start: int, gap: int, scoring: Rules
) -> None:
    """Each effect is the mean of two orders; unrounded, both sum to the difference."""
    end, length = start + gap, scoring.rating_window_days
    result = change(days, day(start), day(end), scoring)
    old = sum_of(days, start - length + 1, start)
    new = sum_of(days, end - length + 1, end)
    for name in DIMENSIONS:
        dimension = getattr(result, name)
        before, after = stars_of(old, name), stars_of(new, name)
        both = _plus(before, (dimension.entered.count, dimension.entered.sum))
        remained = _plus(before, (-dimension.left.count, -dimension.left.sum))
        means = [_mean(stars) for stars in (before, both, remained, after)]
        assert (dimension.before, dimension.after) == (
            figures.score(means[0]),
            figures.score(means[3]),
        )
        if None in means:
            assert (dimension.entered.effect, dimension.left.effect) == (None, None)
            continue
        mean_before, mean_both, mean_remained, mean_after = (
            mean for mean in means if mean is not None
        )
        entering = (mean_both - mean_before + mean_after - mean_remained) / 2
        leaving = (mean_remained - mean_before + mean_after - mean_both) / 2
        assert entering + leaving == mean_after - mean_before
        assert dimension.delta == figures.score(mean_after - mean_before)
        assert dimension.entered.effect == figures.score(entering)
        assert dimension.left.effect == figures.score(leaving)


def _plus(a: Sequence[int], b: Sequence[int]) -> tuple[int, int]:
    return a[0] + b[0], a[1] + b[1]


def _mean(stars: Sequence[int]) -> Fraction | None:
    return Fraction(stars[1], stars[0]) if stars[0] else None
