"""DSR: the three scores of a shop, in brief for the scorecard and in detail."""

from datetime import date

import msgspec

from domain import figures, scores
from domain.counters import DIMENSIONS, Dimension
from domain.days import Window, days_before, window
from domain.figures import SCORE_DIGITS, difference
from domain.peers import Peers, PeerStatistics, compare
from domain.rules import Rules
from domain.scores import Interval, Status
from domain.totals import CAPPED, LATE, REMOVED, DayTotals, Histogram, Totals, histogram, sum_window

_WEEK = 7
_MONTH = 30


class DimensionScore(msgspec.Struct, frozen=True):
    """One dimension over a window; `score` is null unless `status` is `ok`."""

    status: Status
    score: float | None
    count: int
    sum: int
    histogram: Histogram


class Dsr(msgspec.Struct, frozen=True):
    """Detailed seller rating of a scorecard."""

    window: Window
    description: DimensionScore
    service: DimensionScore
    logistics: DimensionScore


class RecentChange(msgspec.Struct, frozen=True):
    """The score less that of 1, 7 and 30 days before; null where either is not `ok`."""

    day: float | None
    week: float | None
    month: float | None


class DimensionDetail(DimensionScore, frozen=True):
    """A dimension with its interval, its peers (null under other rules) and its change."""

    interval: Interval | None
    peers: Peers | None
    change: RecentChange


class Uncounted(msgspec.Struct, frozen=True):
    """Numbers of ratings (not of dimensions) of the window that do not count, by reason."""

    late: int
    capped: int
    removed: int


class DsrDetail(msgspec.Struct, frozen=True):
    """Detailed seller rating with everything that explains it."""

    window: Window
    uncounted: Uncounted
    description: DimensionDetail
    service: DimensionDetail
    logistics: DimensionDetail


def dsr(totals: Totals, span: Window, rules: Rules) -> Dsr:
    """Return the three scores of the rating window `span` from its totals."""
    return Dsr(span, *[_dimension_score(histogram(totals, name), rules) for name in DIMENSIONS])


def detail_span(as_of: date, rules: Rules) -> Window:
    """Return the days whose totals `dsr_detail` needs."""
    return window(as_of, rules.rating_window_days + _MONTH)


def dsr_detail(
    days: DayTotals, as_of: date, rules: Rules, peers: PeerStatistics | None
) -> DsrDetail:
    """Return the scores as of a day in detail; compare with `peers` unless None."""
    span = window(as_of, rules.rating_window_days)
    totals = sum_window(days, span)
    earlier = [
        sum_window(days, window(days_before(as_of, n), span.days)) for n in (1, _WEEK, _MONTH)
    ]

    def dimension(name: Dimension) -> DimensionDetail:
        ratings = histogram(totals, name)
        brief = _dimension_score(ratings, rules)
        score = scores.score(ratings, rules)
        before = [scores.score(histogram(then, name), rules) for then in earlier]
        return DimensionDetail(
            status=brief.status,
            score=brief.score,
            count=brief.count,
            sum=brief.sum,
            histogram=brief.histogram,
            interval=scores.interval(ratings),
            peers=None if peers is None else compare(score, peers, name, rules),
            change=RecentChange(*(figures.score(difference(score, then)) for then in before)),
        )

    return DsrDetail(
        window=span,
        uncounted=Uncounted(late=totals[LATE], capped=totals[CAPPED], removed=totals[REMOVED]),
        **{name: dimension(name) for name in DIMENSIONS},
    )


def _dimension_score(ratings: Histogram, rules: Rules) -> DimensionScore:
    count, total = ratings.count, ratings.sum
    status = scores.status(count, rules)
    score = figures.rounded_quotient(total, count, SCORE_DIGITS) if status == "ok" else None
    return DimensionScore(status, score, count, total, ratings)
