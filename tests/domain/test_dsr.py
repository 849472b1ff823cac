"""DSR: the mean of the counted ratings, its interval and its change."""

from datetime import date
from fractions import Fraction
from math import sqrt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import figures, scores
from domain.counters import DIMENSIONS, Dimension
from domain.days import window
from domain.dsr import dsr, dsr_detail
from domain.peers import PeerStatistics
from domain.rules import Rules
from domain.totals import Histogram
from tests.domain.builders import (
    SPAN,
    day,
    day_totals,
    rated,
    rules,
    short_rules,
    stars_of,
    sum_of,
    totals,
)


@pytest.mark.parametrize(
    ("histogram", "score"),
    [
        ((1, 0, 0, 0, 19), 4.8),
        ((0, 2, 0, 0, 48), 4.88),
        ((2, 0, 0, 18, 80), 4.74),
        ((1, 0, 1, 3, 45), 4.82),
        ((0, 0, 0, 1, 9), 4.9),
        ((0, 0, 0, 1, 8), 4.88889),
        ((1, 0, 0, 0, 0), 1.0),
        ((0, 0, 0, 0, 10**9), 5.0),
    ],
)
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_a_score_is_stars_over_ratings(
    histogram: tuple[int, ...], score: float, dimension: Dimension
) -> None:
    """Each dimension is the mean of its own ratings, at 5 decimals."""
    ratings = rated(*histogram, dimension=dimension)
    result = getattr(dsr(ratings, window(day(0), 180), rules()), dimension)
    assert (result.status, result.score, result.histogram) == ("ok", score, Histogram(*histogram))
    assert (result.count, result.sum) == stars_of(ratings, dimension)


@pytest.mark.parametrize(
    ("count", "min_ratings", "status", "score"),
    [
        (0, 1, "none", None),
        (0, 50, "none", None),
        (49, 50, "insufficient", None),
        (50, 50, "ok", 4.0),
        (1, 1, "ok", 4.0),
    ],
)
def test_a_score_takes_enough_ratings(
    count: int, min_ratings: int, status: str, score: float | None
) -> None:
    """Below `min_ratings` there is a count and a sum but no score."""
    brief = dsr(rated(0, 0, 0, count), window(day(0), 9), rules(min_ratings=min_ratings))
    description = brief.description
    assert (description.status, description.score) == (status, score)
    assert (description.count, description.sum) == (count, 4 * count)


@given(day_totals, st.integers(0, SPAN - 1), short_rules)
def test_scores_stay_within_one_and_five(
    days: dict[date, list[int]], number: int, scoring: Rules
) -> None:
    """Scores and their intervals are between 1 and 5."""
    detail = dsr_detail(days, day(number), scoring, None)
    for name in DIMENSIONS:
        dimension = getattr(detail, name)
        assert (dimension.score is None) == (dimension.status != "ok")
        assert (dimension.interval is None) == (dimension.count == 0)
        if dimension.interval is not None:
            assert 1 <= dimension.interval.low < dimension.interval.high <= 5
        if dimension.score is not None:
            assert 1 <= dimension.score <= 5


@pytest.mark.parametrize(
    ("histogram", "low", "high"),
    [
        ((0, 0, 0, 0, 1), 2.18710, 4.95576),
        ((1, 0, 0, 0, 0), 1.04424, 3.81290),
        ((0, 0, 0, 0, 10**6), 4.99999, 5.0),
        ((1, 0, 0, 0, 1), 1.57953, 4.42047),
    ],
)
def test_an_interval_is_worked_by_hand(histogram: tuple[int, ...], low: float, high: float) -> None:
    """Intervals equal those worked by hand.

    For a single 5: a = (½, ½, ½, ½, 1½), m = 12.5/3.5, v = (52.5/3.5 - m²)/4.5, m ± 1.959964 √v.
    """
    interval = scores.interval(Histogram(*histogram))
    assert interval == scores.Interval(low, high)


@given(st.lists(st.integers(0, 5000), min_size=5, max_size=5).filter(any))
def test_an_interval_follows_its_formula(counts: list[int]) -> None:
    """Intervals equal their formula in exact fractions, with a floating-point root."""
    prior = [n + Fraction(1, 2) for n in counts]
    total = sum(prior)
    mean = sum(k * a for k, a in enumerate(prior, start=1)) / total
    square = sum(k * k * a for k, a in enumerate(prior, start=1)) / total
    half_width = 1.959964 * sqrt((square - mean**2) / (total + 1))
    interval = scores.interval(Histogram(*counts))
    assert interval is not None
    assert interval.low == pytest.approx(max(1.0, float(mean) - half_width), abs=0.0000051)
    assert interval.high == pytest.approx(min(5.0, float(mean) + half_width), abs=0.0000051)


def test_an_interval_narrows_with_more_ratings() -> None:
    """A hundred times the ratings with the same mean give a narrower interval."""
    few, many = (scores.interval(Histogram(n, 0, 0, 0, 11 * n)) for n in (1, 100))
    assert few is not None
    assert many is not None
    assert few.low < many.low < 4.66667 < many.high < few.high


def test_a_score_falls_when_a_five_leaves() -> None:
    """A score changes by the ratings that leave, without any new rating."""
    scoring = rules(rating_window_days=10)
    days = {day(0): rated(0, 0, 0, 0, 1), day(5): rated(0, 0, 0, 1, 8)}
    assert dsr_detail(days, day(9), scoring, None).description.score == 4.9
    after = dsr_detail(days, day(10), scoring, None).description
    assert (after.score, after.change.day) == (4.88889, -0.01111)


@given(day_totals, st.integers(0, SPAN + 20), short_rules)
def test_change_is_the_difference_of_exact_scores(
    days: dict[date, list[int]], number: int, scoring: Rules
) -> None:
    """Change is from 1, 7 and 30 days before; null where either is not ok."""
    detail = dsr_detail(days, day(number), scoring, None)

    def exact(at: int, name: str) -> Fraction | None:
        count, stars = stars_of(sum_of(days, at - scoring.rating_window_days + 1, at), name)
        return Fraction(stars, count) if count >= scoring.min_ratings else None

    for name in DIMENSIONS:
        dimension = getattr(detail, name)
        now = exact(number, name)
        assert dimension.score == figures.score(now)
        for change, ago in zip(
            (dimension.change.day, dimension.change.week, dimension.change.month),
            (1, 7, 30),
            strict=True,
        ):
            then = exact(number - ago, name)
            expected = None if now is None or then is None else figures.score(now - then)
            assert change == expected


def test_uncounted_are_ratings_of_the_window() -> None:
    """Late, capped and removed ratings of the window and of no other day."""
    days = {
        day(0): totals(late=9, capped=9, removed=9),
        day(1): totals(late=1, removed=2),
        day(2): totals(capped=4, removed=1),
    }
    detail = dsr_detail(days, day(2), rules(rating_window_days=2), None)
    assert msgspec.to_builtins(detail.uncounted) == {"late": 1, "capped": 4, "removed": 3}


def test_peers_are_compared_unless_ratings_are_replayed() -> None:
    """Without statistics there are no peers; without a snapshot the status says so."""
    days = {day(0): rated(0, 0, 0, 0, 1)}
    assert dsr_detail(days, day(0), rules(), None).description.peers is None
    detail = dsr_detail(days, day(0), rules(), PeerStatistics())
    assert detail.description.peers is not None
    assert detail.description.peers.status == "no_snapshot"
    assert detail.service.peers is not None
    assert detail.service.peers.status == "no_score"
