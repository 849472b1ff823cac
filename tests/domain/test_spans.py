"""Spans: what is read of a shop's days for an answer over time is all that the answer needs."""

from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.change import change, change_span
from domain.days import Window
from domain.dsr import detail_span, dsr_detail
from domain.forecast import forecast, forecast_span
from domain.plan import Goal, plan, plan_span
from domain.rules import Rules
from domain.trend import trend, trend_span
from tests.domain.builders import SPAN, day, day_totals, short_rules

Days = Mapping[date, list[int]]
Computation = Callable[[Days, date, date, Rules], object]

ANSWERS: dict[str, tuple[Computation, Callable[[date, date, Rules], Window]]] = {
    "change": (change, change_span),
    "dsr": (
        lambda days, start, _, rules: dsr_detail(days, start, rules, None),
        lambda start, _, rules: detail_span(start, rules),
    ),
    "forecast": (
        lambda days, start, end, rules: forecast(days, start, (end - start).days or 1, rules),
        lambda start, _, rules: forecast_span(start, rules),
    ),
    "plan": (
        lambda days, start, end, rules: plan(
            days, start, "logistics", Goal(Fraction(9, 2), end, 5), rules
        ),
        lambda start, _, rules: plan_span(start, rules),
    ),
    "trend": (lambda days, start, end, rules: trend(days, start, end, "CNY", rules), trend_span),
}


@pytest.mark.parametrize("name", ANSWERS)
@given(day_totals, st.integers(-5, SPAN + 20), st.just(0) | st.integers(1, 40), short_rules)
def test_the_span_holds_every_day_that_is_needed(
    name: str, days: dict[date, list[int]], number: int, later: int, rules: Rules
) -> None:
    """Days outside the span change nothing."""
    answer, span_of = ANSWERS[name]
    start, end = day(number), day(number + later)
    span = span_of(start, end, rules)
    within = {when: row for when, row in days.items() if span.start <= when <= span.end}
    assert answer(within, start, end, rules) == answer(days, start, end, rules)
