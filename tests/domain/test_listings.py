"""Listings: the conditions for storage leave out no listing of a view."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.facts.listings import ListingEvent
from domain.listings import ListingFacts, ListingFilter, View, build_listing, is_in, listing_filter
from domain.rules import Rules, ZeroPayment
from tests.domain.builders import day, listing_event, rules

DAYS = 5
VIEWS: tuple[View, ...] = ("all", "on_sale", "zero_payment", "slow")

_events = st.lists(
    st.builds(
        listing_event,
        st.integers(0, 2 * DAYS).map(lambda half: 12 * half),
        st.sampled_from(["published", "edited", "withdrawn"]),
    ),
    min_size=1,
    max_size=6,
)
_lengths = st.integers(1, DAYS)
_rules = st.builds(
    lambda published, published_days, no_sale_days, slow_days: rules(
        zero_payment=ZeroPayment(published, published_days, no_sale_days), slow_days=slow_days
    ),
    st.sampled_from(["within", "before"]),
    _lengths,
    _lengths,
    _lengths,
)


@pytest.mark.parametrize("view", VIEWS)
@settings(max_examples=500)
@given(_events, st.none() | st.integers(0, DAYS).map(day), _rules)
def test_every_listing_of_a_view_meets_its_conditions(
    view: View, events: list[ListingEvent], last_sold_on: date | None, under: Rules
) -> None:
    """Published, edited, withdrawn and sold on any days."""
    as_of = day(DAYS)
    facts = ListingFacts("l", events, last_sold_on, 0, None)
    if is_in(view, build_listing(facts, as_of), as_of, under):
        assert _passes(facts, listing_filter(view, as_of, under))


def _passes(facts: ListingFacts, conditions: ListingFilter) -> bool:
    sold, edited = facts.last_sold_on, [e.day for e in facts.events if e.kind == "edited"]
    published = [e.day for e in facts.events if e.kind == "published"]
    span = conditions.published
    return (
        (span is None or any(span[0] <= at <= span[1] for at in published))
        and (conditions.unsold_from is None or sold is None or sold < conditions.unsold_from)
        and (
            conditions.unedited_from is None
            or max(edited, default=date.min) < conditions.unedited_from
        )
    )
