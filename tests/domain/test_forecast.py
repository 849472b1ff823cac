"""Forecast: silent days only take away, steady days bring what recent ones brought."""

from datetime import date
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import figures
from domain.counters import DIMENSIONS
from domain.forecast import forecast, forecast_span
from domain.rules import Rules
from tests.domain.builders import SPAN, day, day_totals, rated, rules, short_rules, stars_of, sum_of


def test_ratings_leave_one_day_after_the_other() -> None:
    """A two of day 0 and a five of day 2 in a window of 4 days, as of day 2."""
    days = {day(0): rated(0, 1), day(2): rated(0, 0, 0, 0, 1)}
    found = forecast(days, day(2), 4, rules(rating_window_days=4))
    assert found.dates == [day(3), day(4), day(5), day(6)]
    assert found.silent.description == [3.5, 5.0, 5.0, None]
    assert found.silent.service == [None] * 4


def test_a_steady_day_brings_a_28th_of_the_last_28() -> None:
    """A two and a five bring 7/28 stars a day; the first is 27 days old and still counts."""
    days = {day(0): rated(0, 1), day(27): rated(0, 0, 0, 0, 1)}
    found = forecast(days, day(27), 3, rules(rating_window_days=2))
    first, second, third = (
        Fraction(28 * 5 + 7, 28 + 2),
        Fraction(2 * 7, 2 * 2),
        Fraction(2 * 7, 2 * 2),
    )
    assert found.steady.description == [figures.score(x) for x in (first, second, third)]
    later = forecast(days, day(28), 1, rules(rating_window_days=2))
    assert later.steady.description == [5.0]


@pytest.mark.parametrize("min_ratings", [1, 1000])
def test_min_ratings_do_not_matter(min_ratings: int) -> None:
    """A forecast is told however few ratings there are."""
    found = forecast({day(0): rated(1)}, day(0), 1, rules(min_ratings=min_ratings))
    assert found.silent.description == [1.0]


_number = st.integers(0, SPAN + 10)
_ahead = st.integers(1, 40)


@given(day_totals, _number, _ahead, short_rules)
def test_a_silent_day_is_the_window_without_the_future(
    days: dict[date, list[int]], number: int, ahead: int, under: Rules
) -> None:
    """As of each coming day the score is that of the window's days up to today alone."""
    found = forecast(days, day(number), ahead, under)
    assert found.dates == [day(number + n) for n in range(1, ahead + 1)]
    for n in range(1, ahead + 1):
        left = sum_of(days, number + n - under.rating_window_days + 1, number)
        for name in DIMENSIONS:
            count, stars = stars_of(left, name)
            expected = figures.score(figures.quotient(stars, count))
            assert getattr(found.silent, name)[n - 1] == expected


@given(day_totals, _number, _ahead, short_rules)
def test_a_steady_day_is_the_window_with_a_made_up_future(
    days: dict[date, list[int]], number: int, ahead: int, under: Rules
) -> None:
    """With 1/28 of the last 28 days' totals put on every coming day, windows sum as ever."""
    recent = sum_of(days, number - 27, number)
    made = {
        **{when: [28 * x for x in found] for when, found in days.items() if when <= day(number)},
        **{day(number + n): recent for n in range(1, ahead + 1)},
    }
    found = forecast(days, day(number), ahead, under)
    for n in range(1, ahead + 1):
        there = sum_of(made, number + n - under.rating_window_days + 1, number + n)
        for name in DIMENSIONS:
            count, stars = stars_of(there, name)
            score = getattr(found.steady, name)[n - 1]
            assert score == figures.score(figures.quotient(stars, count))
            assert score is None or 1 <= score <= 5


@given(day_totals, _number, _ahead, short_rules)
def test_the_span_holds_every_day_that_is_needed(
    days: dict[date, list[int]], number: int, ahead: int, under: Rules
) -> None:
    """Days outside the span change nothing."""
    span = forecast_span(day(number), under)
    within = {when: found for when, found in days.items() if span.start <= when <= span.end}
    assert forecast(within, day(number), ahead, under) == forecast(days, day(number), ahead, under)


def test_the_answer_has_the_members_of_the_contract() -> None:
    """Dates, then both outlooks with a list a dimension."""
    found = msgspec.to_builtins(forecast({}, day(0), 2, rules()))
    assert list(found) == ["dates", "silent", "steady"]
    assert list(found["silent"]) == list(found["steady"]) == list(DIMENSIONS)
