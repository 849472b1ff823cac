"""Plan: no more ratings than it takes, and no fewer."""

from datetime import date
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import figures
from domain.plan import Goal, Plan, PlannedScore, Tolerance, plan, plan_span
from domain.rules import Rules
from tests.domain.builders import SPAN, day, day_totals, rated, rules, short_rules, stars_of, sum_of


def goal(target: str, stars: int = 5, by: int = 0) -> Goal:
    """A target to have by a day, by ratings of so many stars."""
    return Goal(target=Fraction(target), by=day(by), stars=stars)


def planned(histogram: tuple[int, ...], wanted: Goal, under: Rules | None = None) -> Plan:
    """The plan in `description` as of day 0, when all ratings were given."""
    return plan({day(0): rated(*histogram)}, day(0), "description", wanted, under or rules())


def test_fifty_fives_lift_a_hundred_ratings() -> None:
    """N = 100, S = 470, T = 4.8: (480 - 470) / 0.2 = 50."""
    found = planned((0, 0, 5, 20, 75), goal("4.8"))
    assert (found.status, found.needed) == ("ok", 50)
    assert found.at == PlannedScore(150, 720, 4.8)
    assert found.tolerance == Tolerance(0, 0, 0, 0)


def test_a_good_score_bears_some_bad_ratings() -> None:
    """N = 1000, S = 4870, T = 4.8: 70 / 3.8, 70 / 2.8, 70 / 1.8, 70 / 0.8."""
    found = planned((0, 0, 0, 130, 870), goal("4.8"))
    assert (found.status, found.needed) == ("ok", 0)
    assert found.tolerance == Tolerance(18, 25, 38, 87)


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
    """Enough ratings for a score are part of the goal, and stars below the target may do."""
    found = planned(histogram, wanted, rules(min_ratings=min_ratings))
    assert (found.status, found.needed) == (status, needed)
    assert (found.at is None) == (needed is None)


def test_a_target_is_taken_exactly() -> None:
    """4.8 is reached by 96/20, which no float of 4.8 need be."""
    assert planned((1, 0, 0, 0, 19), goal("4.8")).needed == 0
    assert planned((1, 0, 0, 0, 19), goal("4.80001")).needed == 1


def test_stars_that_reach_the_target_are_tolerated_for_ever() -> None:
    """No number of fours takes a score below 4; threes do."""
    found = planned((0, 0, 0, 0, 10), goal("4"))
    assert found.tolerance == Tolerance(3, 5, 10, None)


def test_what_will_have_left_does_not_count() -> None:
    """By day 3 of a window of 3 days the ratings of day 0 are gone, those of day 1 are not."""
    days = {day(0): rated(100), day(1): rated(0, 0, 0, 0, 4), day(2): rated(100)}
    under = rules(rating_window_days=3)
    found = plan(days, day(1), "description", goal("4.8", by=3), under)
    assert found.at == PlannedScore(4, 20, 5.0)
    gone = plan(days, day(1), "description", goal("4.8", by=365), under)
    assert gone.at == PlannedScore(1, 5, 5.0)


_goals = st.builds(
    lambda target, stars, by: goal(str(target), stars, by),
    st.decimals(1, 5, places=2),
    st.integers(1, 5),
    st.integers(SPAN, SPAN + 10),
)


@given(day_totals, _goals, short_rules)
def test_a_plan_takes_the_least_that_works(
    days: dict[date, list[int]], wanted: Goal, under: Rules
) -> None:
    """So many ratings reach the goal and one fewer does not; impossible is so for any number."""
    as_of = SPAN - 1
    found = plan(days, day(as_of), "service", wanted, under)
    by = (wanted.by - day(0)).days
    count, stars = stars_of(sum_of(days, by - under.rating_window_days + 1, as_of), "service")

    def works(n: int) -> bool:
        enough = count + n >= under.min_ratings
        return enough and stars + wanted.stars * n >= wanted.target * (count + n)

    if found.needed is None:
        assert found.status == "impossible"
        assert not any(works(n) for n in range(200))
        return
    assert works(found.needed)
    assert found.needed == 0 or not works(found.needed - 1)
    assert found.at is not None
    assert (found.at.count, found.at.sum) == (
        count + found.needed,
        stars + wanted.stars * found.needed,
    )
    assert found.at.score == figures.score(Fraction(found.at.sum, found.at.count))


@given(day_totals, _goals, short_rules)
def test_a_tolerance_is_the_most_that_can_be_borne(
    days: dict[date, list[int]], wanted: Goal, under: Rules
) -> None:
    """With so many the score still holds and with one more it is below, unless it was already."""
    as_of = SPAN - 1
    found = msgspec.to_builtins(plan(days, day(as_of), "service", wanted, under))["tolerance"]
    by = (wanted.by - day(0)).days
    count, stars = stars_of(sum_of(days, by - under.rating_window_days + 1, as_of), "service")

    def holds(k: int, n: int) -> bool:
        return stars + k * n >= wanted.target * (count + n)

    assert list(found) == ["1", "2", "3", "4"]
    for key, borne in found.items():
        if int(key) >= wanted.target:
            assert borne is None
        elif not holds(int(key), 0):
            assert borne == 0
        else:
            assert holds(int(key), borne)
            assert not holds(int(key), borne + 1)


@given(day_totals, st.integers(0, SPAN - 1), st.integers(0, 20), short_rules)
def test_the_span_holds_every_day_that_is_needed(
    days: dict[date, list[int]], number: int, ahead: int, under: Rules
) -> None:
    """Days outside the span change nothing."""
    wanted = goal("4.5", by=number + ahead)
    span = plan_span(day(number), under)
    within = {when: found for when, found in days.items() if span.start <= when <= span.end}
    assert plan(within, day(number), "logistics", wanted, under) == plan(
        days, day(number), "logistics", wanted, under
    )
