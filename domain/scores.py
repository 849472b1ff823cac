"""The score of one dimension: its value, its status and its interval."""

from fractions import Fraction
from math import sqrt
from typing import Literal

import msgspec

from domain import figures
from domain.counters import STARS
from domain.figures import quotient
from domain.rules import Rules
from domain.totals import Histogram

Status = Literal["none", "insufficient", "ok"]

_STANDARD_ERRORS = 1.959964


class Interval(msgspec.Struct, frozen=True):
    """A 95 % credible interval of a mean score, within [1, 5]."""

    low: float
    high: float


def status(count: int, rules: Rules) -> Status:
    """Return whether so many ratings make a score, or why not."""
    if not count:
        return "none"
    return "ok" if count >= rules.min_ratings else "insufficient"


def mean(ratings: Histogram) -> Fraction | None:
    """Return the stars per rating, exactly; None without ratings."""
    return quotient(ratings.sum, ratings.count)


def score(ratings: Histogram, rules: Rules) -> Fraction | None:
    """Return the mean where its status is `ok`, else None."""
    return mean(ratings) if status(ratings.count, rules) == "ok" else None


def interval(ratings: Histogram) -> Interval | None:
    """Return the posterior mean of the score ± 1.959964 standard deviations.

    The posterior is Dirichlet with a prior of half a rating per star: `a_k = n_k + 1/2`,
    `A = sum(a_k)`, `m = sum(k a_k) / A`, `v = (sum(k^2 a_k) / A - m^2) / (A + 1)`.
    """
    if not ratings.count:
        return None
    # Every weight is doubled, so that the sums are integers until the root is taken.
    weights = [2 * n + 1 for n in msgspec.structs.astuple(ratings)]
    total = sum(weights)
    first = sum(k * weight for k, weight in zip(STARS, weights, strict=True))
    second = sum(k * k * weight for k, weight in zip(STARS, weights, strict=True))
    middle = first / total
    variance = 2 * (total * second - first * first) / (total * total * (total + 2))
    half_width = _STANDARD_ERRORS * sqrt(variance)
    return Interval(low=_bound(middle - half_width), high=_bound(middle + half_width))


def _bound(value: float) -> float:
    clipped = min(max(value, float(STARS[0])), float(STARS[-1]))
    return figures.rounded(Fraction(clipped), figures.SCORE_DIGITS)
