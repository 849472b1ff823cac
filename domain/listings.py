"""Listings, each with its time on sale and its sales, and the views that select them."""

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
    """Conditions that every listing of a view meets; `is_in` decides which others do not belong.

    `published` holds a first and a last day, between which the listing was published. From
    `unsold_from` and `unedited_from` on there is no sale and no edit. Null sets no condition.
    """

    published: tuple[date, date] | None = None
    unsold_from: date | None = None
    unedited_from: date | None = None


class ListingFacts(msgspec.Struct, frozen=True):
    """Facts of a listing up to a day: its events, its sales, its stock.

    `units_sold` counts the sold window; `stock` is null where it was never counted.
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


def build_listing(facts: ListingFacts, as_of: date) -> Listing:
    """Return a listing as of a day, from its facts up to then.

    A publication while the listing is on sale changes no day; at one instant a withdrawal holds.
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


def is_in(view: View, listing: Listing, as_of: date, rules: Rules) -> bool:
    """Return whether a listing belongs to a view of the shop's listings."""
    match view:
        case "all":
            return True
        case "on_sale":
            return listing.on_sale
        case "zero_payment":
            return _is_zero_payment(listing, as_of, rules)
        case "slow":
            return _is_slow(listing, as_of, rules)


def listing_filter(view: View, as_of: date, rules: Rules) -> ListingFilter:
    """Return the conditions that storage can check for a view."""
    match view:
        case "all":
            return ListingFilter()
        case "on_sale":
            return ListingFilter(published=(date.min, as_of))
        case "zero_payment":
            limits = rules.zero_payment
            cutoff = days_before(as_of, limits.published_days)
            within = limits.published == "within"
            return ListingFilter(
                published=(cutoff + ONE_DAY, as_of) if within else (date.min, cutoff),
                unsold_from=days_before(as_of, limits.no_sale_days) + ONE_DAY,
            )
        case "slow":
            cutoff = days_before(as_of, rules.slow_days)
            since = cutoff + ONE_DAY
            return ListingFilter(
                published=(date.min, cutoff), unsold_from=since, unedited_from=since
            )


def has_sold(listing: Listing, as_of: date, days: int) -> bool:
    """Return whether the listing sold in the last so many days."""
    return listing.last_sold_on is not None and listing.last_sold_on > days_before(as_of, days)


def _is_zero_payment(listing: Listing, as_of: date, rules: Rules) -> bool:
    limits = rules.zero_payment
    if listing.published_on is None or has_sold(listing, as_of, limits.no_sale_days):
        return False
    cutoff = days_before(as_of, limits.published_days)
    if limits.published == "within":
        return listing.published_on > cutoff
    return listing.published_on <= cutoff


def _is_slow(listing: Listing, as_of: date, rules: Rules) -> bool:
    cutoff = days_before(as_of, rules.slow_days)
    return (
        listing.published_on is not None
        and listing.published_on <= cutoff
        and not has_sold(listing, as_of, rules.slow_days)
        and (listing.edited_on is None or listing.edited_on <= cutoff)
    )
