"""Plan: no more ratings than it takes, and no fewer."""

from datetime import date
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import figures
from domain.plan import Goal, Plan, PlannedScore, Tolerance, plan
from domain.rules import Rules
from tests.domain.builders import SPAN, day, day_totals, rated, rules, short_rules, stars_of, sum_of


def goal(target: str, stars: int = 5, by: int = 0) -> Goal:
    """Return a target to reach by a day, with ratings of so many stars."""
    return Goal(target=Fraction(target), by=day(by), stars=stars)


def planned(histogram: tuple[int, ...], wanted: Goal, scoring: Rules | None = None) -> Plan:
    """Return the plan of ratings in `description` as of day 0, their day."""
    return plan({day(0): rated(*histogram)}, day(0), "description", wanted, scoring or rules())


def test_fifty_fives_lift_a_hundred_ratings() -> None:
    """A target of 4.8 needs (480 - 470) / 0.2 = 50 more fives."""
    result = planned((0, 0, 5, 20, 75), goal("4.8"))
    assert (result.status, result.needed) == ("ok", 50)
    assert result.at == PlannedScore(150, 720, 4.8)
    assert result.tolerance == Tolerance(0, 0, 0, 0)


def test_a_good_score_tolerates_some_low_ratings() -> None:
    """The tolerance is 70 stars by the distance of each star from the target.

    N = 1000, S = 4870, T = 4.8: 70 / 3.8, 70 / 2.8, 70 / 1.8, 70 / 0.8.
    """
    result = planned((0, 0, 0, 130, 870), goal("4.8"))
    assert (result.status, result.needed) == ("ok", 0)
    assert result.tolerance == Tolerance(18, 25, 38, 87)


@pytest.mark.parametrize(
    ("histogram", "wanted", "min_ratings", "status", "needed"),
    [
        ((), goal("4.8"), 1, "ok", 1),
        ((), goal("4.8"), 50, "ok", 50),
        ((0, 0, 0, 0, 20), goal("4.8"), 50, "ok", 30),
        ((0, 0, 0, 0, 9), goal("5"), 1, "ok", 0),
        ((0, 0, 0, 1, 9), goal("5"), 1, "impossible", None),
        ((0, 0, 0, 1, 0), goal("4.5", stars=4), 1, "impossible", None),
        ((0, 0, 0, 0, 10), goal("4.5", stars=4), 20, "ok", 10),
        ((0, 0, 0, 0, 10), goal("4.6", stars=4), 20, "impossible", None),
        ((0, 0, 0, 0, 10), goal("4", stars=1), 12, "ok", 2),
        ((), goal("4", stars=4), 3, "ok", 3),
        ((), goal("1", stars=1), 1, "ok", 1),
        ((1,), goal("1", stars=3), 1, "ok", 0),
        ((1,), goal("4.99999"), 1, "ok", 399_999),
    ],
)
def test_a_plan_is_possible_or_not(
    histogram: tuple[int, ...], wanted: Goal, min_ratings: int, status: str, needed: int | None
) -> None:
    """A goal includes `min_ratings`; stars below the target may reach it."""
    result = planned(histogram, wanted, rules(min_ratings=min_ratings))
    assert (result.status, result.needed) == (status, needed)
    assert (result.at is None) == (needed is None)


def test_a_target_is_taken_exactly() -> None:
    """The target 4.8 is reached by exactly 96/20."""
    assert planned((1, 0, 0, 0, 19), goal("4.8")).needed == 0
    assert planned((1, 0, 0, 0, 19), goal("4.80001")).needed == 1


def test_stars_that_reach_the_target_are_tolerated_for_ever() -> None:
    """No number of fours takes a score below 4; threes do."""
    result = planned((0, 0, 0, 0, 10), goal("4"))
    assert result.tolerance == Tolerance(3, 5, 10, None)


def test_ratings_that_will_have_left_do_not_count() -> None:
    """Ratings that leave the window before the day of the goal do not count."""
    days = {day(0): rated(100), day(1): rated(0, 0, 0, 0, 4), day(2): rated(100)}
    scoring = rules(rating_window_days=3)
    result = plan(days, day(1), "description", goal("4.8", by=3), scoring)
    assert result.at == PlannedScore(4, 20, 5.0)
    gone = plan(days, day(1), "description", goal("4.8", by=365), scoring)
    assert gone.at == PlannedScore(1, 5, 5.0)


_goals = st.builds(
    lambda target, stars, by: goal(str(target), stars, by),
    st.decimals(1, 5, places=2),
    st.integers(1, 5),
    st.integers(SPAN, SPAN + 10),
)


@given(day_totals, _goals, short_rules)
def test_a_plan_takes_the_least_that_works(
    days: dict[date, list[int]], wanted: Goal, scoring: Rules
) -> None:
    """The needed ratings reach the goal, fewer do not; impossible means no number does."""
    as_of = SPAN - 1
    result = plan(days, day(as_of), "service", wanted, scoring)
    by = (wanted.by - day(0)).days
    count, stars = stars_of(sum_of(days, by - scoring.rating_window_days + 1, as_of), "service")

    def works(n: int) -> bool:
        enough = count + n >= scoring.min_ratings
        return enough and stars + wanted.stars * n >= wanted.target * (count + n)

    if result.needed is None:
        assert result.status == "impossible"
        assert not any(works(n) for n in range(200))
        return
    assert works(result.needed)
    assert result.needed == 0 or not works(result.needed - 1)
    assert result.at is not None
    assert (result.at.count, result.at.sum) == (
        count + result.needed,
        stars + wanted.stars * result.needed,
    )
    assert result.at.score == figures.score(Fraction(result.at.sum, result.at.count))


@given(day_totals, _goals, short_rules)
def test_a_tolerance_is_the_most_that_keeps_the_target(
    days: dict[date, list[int]], wanted: Goal, scoring: Rules
) -> None:
    """The tolerance leaves the score at the target, one rating more does not."""
    as_of = SPAN - 1
    tolerance = msgspec.to_builtins(plan(days, day(as_of), "service", wanted, scoring))["tolerance"]
    by = (wanted.by - day(0)).days
    count, stars = stars_of(sum_of(days, by - scoring.rating_window_days + 1, as_of), "service")

    def holds(k: int, n: int) -> bool:
        return stars + k * n >= wanted.target * (count + n)

    assert list(tolerance) == ["1", "2", "3", "4"]
    for key, count_max in tolerance.items():
        if int(key) >= wanted.target:
            assert count_max is None
        elif not holds(int(key), 0):
            assert count_max == 0
        else:
            assert holds(int(key), count_max)
            assert not holds(int(key), count_max + 1)
