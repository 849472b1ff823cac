"""Listings one by one: on sale since when, sold how much, lying idle or not."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Literal

import msgspec

from domain import figures
from domain.days import ONE_DAY, days_before
from domain.facts.listings import ListingEvent
from domain.figures import quotient
from domain.rules import Rules

View = Literal["all", "on_sale", "zero_payment", "slow"]


class ListingFilter(msgspec.Struct, frozen=True):
    """What every listing of a view has, among others that `is_in` leaves out.

    A publication on one of the days from a first to a last one, and from a day on no sale, or no
    edit; null where the view does not ask for it.
    """

    published: tuple[date, date] | None = None
    unsold_from: date | None = None
    unedited_from: date | None = None


class ListingFacts(msgspec.Struct, frozen=True):
    """What is known of a listing by a day: its events, its sales, its stock.

    `units_sold` are those of the sold window, `stock` is null where it was never counted.
    """

    listing_id: str
    events: Sequence[ListingEvent]
    last_sold_on: date | None
    units_sold: int
    stock: int | None


class Listing(msgspec.Struct, frozen=True):
    """A listing as of a day; `published_on` and `age_days` are null when not on sale."""

    listing_id: str
    title: str | None
    on_sale: bool
    published_on: date | None
    first_published_on: date | None
    age_days: int | None
    edited_on: date | None
    last_sold_on: date | None
    units_sold: int
    stock: int | None
    rate: float | None


def listing(facts: ListingFacts, as_of: date) -> Listing:
    """Return a listing as of a day, from what was known by then.

    Publishing what is on sale already starts no new run; at the same instant a withdrawal holds.
    """
    published_on = first_published_on = edited_on = title = None
    for event in sorted(facts.events, key=lambda e: (e.time, e.kind == "withdrawn")):
        if event.kind == "published":
            published_on = published_on or event.day
            first_published_on = first_published_on or event.day
            title = title if event.title is None else event.title
        elif event.kind == "withdrawn":
            published_on = None
        else:
            edited_on = event.day
    rate: Fraction | None = quotient(facts.units_sold, facts.stock or 0)
    return Listing(
        listing_id=facts.listing_id,
        title=title,
        on_sale=published_on is not None,
        published_on=published_on,
        first_published_on=first_published_on,
        age_days=(as_of - published_on).days if published_on else None,
        edited_on=edited_on,
        last_sold_on=facts.last_sold_on,
        units_sold=facts.units_sold,
        stock=facts.stock,
        rate=figures.rate(rate),
    )


def is_in(view: View, found: Listing, as_of: date, rules: Rules) -> bool:
    """Whether a listing belongs to a view of the shop's listings."""
    match view:
        case "all":
            return True
        case "on_sale":
            return found.on_sale
        case "zero_payment":
            return _is_zero_payment(found, as_of, rules)
        case "slow":
            return _is_slow(found, as_of, rules)


def sieve(view: View, as_of: date, rules: Rules) -> ListingFilter:
    """Return what can be told of a view's listings without looking at each."""
    match view:
        case "all":
            return ListingFilter()
        case "on_sale":
            return ListingFilter(published=(date.min, as_of))
        case "zero_payment":
            limits = rules.zero_payment
            border = days_before(as_of, limits.published_days)
            within = limits.published == "within"
            return ListingFilter(
                published=(border + ONE_DAY, as_of) if within else (date.min, border),
                unsold_from=days_before(as_of, limits.no_sale_days) + ONE_DAY,
            )
        case "slow":
            border = days_before(as_of, rules.slow_days)
            since = border + ONE_DAY
            return ListingFilter(
                published=(date.min, border), unsold_from=since, unedited_from=since
            )


def has_sold(found: Listing, as_of: date, days: int) -> bool:
    """Whether the listing sold in the last so many days."""
    return found.last_sold_on is not None and found.last_sold_on > days_before(as_of, days)


def _is_zero_payment(found: Listing, as_of: date, rules: Rules) -> bool:
    limits = rules.zero_payment
    if found.published_on is None or has_sold(found, as_of, limits.no_sale_days):
        return False
    border = days_before(as_of, limits.published_days)
    if limits.published == "within":
        return found.published_on > border
    return found.published_on <= border


def _is_slow(found: Listing, as_of: date, rules: Rules) -> bool:
    border = days_before(as_of, rules.slow_days)
    return (
        found.published_on is not None
        and found.published_on <= border
        and not has_sold(found, as_of, rules.slow_days)
        and (found.edited_on is None or found.edited_on <= border)
    )
