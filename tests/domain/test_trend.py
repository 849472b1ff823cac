"""Trend: the scores and sales of each day."""

from datetime import date

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from domain import tier
from domain.counters import DIMENSIONS
from domain.days import window
from domain.dsr import dsr
from domain.rules import Rules
from domain.shops import money
from domain.trend import trend
from tests.domain.builders import SPAN, day, day_totals, rated, rules, short_rules, sum_of, totals


def test_scores_and_sales_come_and_go() -> None:
    """Windows of 2 and 3 days over a five, a one and two payments."""
    days = {
        day(0): rated(0, 0, 0, 0, 1),
        day(1): [a + b for a, b in zip(rated(1), totals(paid=1050), strict=True)],
        day(3): totals(paid=5),
    }
    scoring = rules(rating_window_days=2, sales_window_days=3)
    members = msgspec.to_builtins(trend(days, day(-1), day(4), "CNY", scoring))
    assert list(members) == ["dates", *DIMENSIONS, "sales"]
    assert members["dates"][::5] == ["2026-02-28", "2026-03-05"]
    assert members["description"] == {
        "score": [None, 5.0, 3.0, 1.0, None, None],
        "count": [0, 1, 2, 1, 0, 0],
    }
    assert members["sales"] == ["0.00", "0.00", "10.50", "10.50", "10.55", "0.05"]


_number = st.integers(-5, SPAN + 10)
_more = st.integers(0, 30)


@given(day_totals, _number, _more, short_rules)
def test_a_trend_equals_the_scorecards_of_its_days(
    days: dict[date, list[int]], start: int, more: int, scoring: Rules
) -> None:
    """Each day of a trend equals the scorecard of that day."""
    result = trend(days, day(start), day(start + more), "CNY", scoring)
    assert result.dates == [day(start + n) for n in range(more + 1)]
    for n in range(more + 1):
        end = start + n
        span = window(day(end), scoring.rating_window_days)
        card = dsr(sum_of(days, end - span.days + 1, end), span, scoring)
        for name in DIMENSIONS:
            dimension, brief = getattr(result, name), getattr(card, name)
            assert (dimension.score[n], dimension.count[n]) == (brief.score, brief.count)
        sold = tier.sales(sum_of(days, end - scoring.sales_window_days + 1, end), scoring)
        assert result.sales[n] == money(sold, "CNY")
