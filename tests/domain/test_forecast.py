"""Forecast: in silent days ratings only leave, steady days bring the recent mean."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import figures
from domain.counters import DIMENSIONS
from domain.forecast import forecast
from domain.rules import Rules
from tests.domain.builders import SPAN, day, day_totals, rated, rules, short_rules, stars_of, sum_of


def test_ratings_leave_one_day_after_the_other() -> None:
    """Ratings of days 0 and 2 leave a window of 4 days."""
    days = {day(0): rated(0, 1), day(2): rated(0, 0, 0, 0, 1)}
    scores = forecast(days, day(2), 4, rules(rating_window_days=4))
    assert scores.dates == [day(3), day(4), day(5), day(6)]
    assert scores.silent.description == [3.5, 5.0, 5.0, None]
    assert scores.silent.service == [None] * 4


def test_a_steady_day_brings_a_28th_of_the_last_28() -> None:
    """A 2 and a 5 bring 7/28 stars a day, also from 27 days ago."""
    days = {day(0): rated(0, 1), day(27): rated(0, 0, 0, 0, 1)}
    scores = forecast(days, day(27), 3, rules(rating_window_days=2))
    first, second, third = (
        Fraction(28 * 5 + 7, 28 + 2),
        Fraction(2 * 7, 2 * 2),
        Fraction(2 * 7, 2 * 2),
    )
    assert scores.steady.description == [figures.score(x) for x in (first, second, third)]
    later = forecast(days, day(28), 1, rules(rating_window_days=2))
    assert later.steady.description == [5.0]


@pytest.mark.parametrize("min_ratings", [1, 1000])
def test_min_ratings_do_not_matter(min_ratings: int) -> None:
    """A forecast shows scores of any number of ratings."""
    scores = forecast({day(0): rated(1)}, day(0), 1, rules(min_ratings=min_ratings))
    assert scores.silent.description == [1.0]


_number = st.integers(0, SPAN + 10)
_ahead = st.integers(1, 40)


@given(day_totals, _number, _ahead, short_rules)
def test_a_silent_day_is_the_window_without_the_future(
    days: dict[date, list[int]], number: int, ahead: int, scoring: Rules
) -> None:
    """Each coming score is that of the window's days up to today."""
    scores = forecast(days, day(number), ahead, scoring)
    assert scores.dates == [day(number + n) for n in range(1, ahead + 1)]
    for n in range(1, ahead + 1):
        left = sum_of(days, number + n - scoring.rating_window_days + 1, number)
        for name in DIMENSIONS:
            count, stars = stars_of(left, name)
            expected = figures.score(figures.quotient(stars, count))
            assert getattr(scores.silent, name)[n - 1] == expected


@given(day_totals, _number, _ahead, short_rules)
def test_a_steady_day_is_the_window_with_a_made_up_future(
    days: dict[date, list[int]], number: int, ahead: int, scoring: Rules
) -> None:
    """Each coming day brings 1/28 of the last 28 days' totals."""
    recent = sum_of(days, number - 27, number)
    with_intake = {
        **{when: [28 * x for x in row] for when, row in days.items() if when <= day(number)},
        **{day(number + n): recent for n in range(1, ahead + 1)},
    }
    scores = forecast(days, day(number), ahead, scoring)
    for n in range(1, ahead + 1):
        there = sum_of(with_intake, number + n - scoring.rating_window_days + 1, number + n)
        for name in DIMENSIONS:
            count, stars = stars_of(there, name)
            score = getattr(scores.steady, name)[n - 1]
            assert score == figures.score(figures.quotient(stars, count))
            assert score is None or 1 <= score <= 5
