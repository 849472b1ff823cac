"""Listings: on sale or not, sold or not, and the shares made of that."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from tests.reference.arithmetic import RATE_DIGITS, Window, day_of, rounded, window_ending
from tests.reference.facts import ListingEvent, ShopFacts
from tests.reference.rules import Json, Rules

VIEWS = ("all", "on_sale", "zero_payment", "slow")


@dataclass(frozen=True)
class Sale:
    """Units of one listing paid on a day."""

    day: date
    units: int


@dataclass(frozen=True)
class Listing:
    """A listing as of a day; `sales` are all up to then."""

    listing_id: str
    title: str | None
    published_on: date | None
    first_published_on: date | None
    edited_on: date | None
    sales: tuple[Sale, ...]
    stock: int | None

    @property
    def on_sale(self) -> bool:
        """Return whether the last event of the listing published it."""
        return self.published_on is not None

    def units_in(self, window: Window) -> int:
        """Return the units paid in the window."""
        return sum(sale.units for sale in self.sales if sale.day in window)

    def shown(self, as_of: date, rules: Rules) -> Json:
        """Return the listing as an item of `/listings`."""
        units = self.units_in(window_ending(as_of, rules.sold_window_days))
        return {
            "listing_id": self.listing_id,
            "title": self.title,
            "on_sale": self.on_sale,
            "published_on": _day_text(self.published_on),
            "first_published_on": _day_text(self.first_published_on),
            "age_days": None if self.published_on is None else (as_of - self.published_on).days,
            "edited_on": _day_text(self.edited_on),
            "last_sold_on": _day_text(max((sale.day for sale in self.sales), default=None)),
            "units_sold": units,
            "stock": self.stock,
            "rate": rounded(Fraction(units, self.stock), RATE_DIGITS) if self.stock else None,
        }


def _day_text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def listings_as_of(facts: ShopFacts, as_of: date, zone: ZoneInfo) -> list[Listing]:
    """Return every listing that an event up to the day names, by id."""
    events = [event for event in facts.listing_events if day_of(event.time, zone) <= as_of]
    return [
        _listing(listing_id, facts, as_of, zone)
        for listing_id in sorted({event.listing_id for event in events})
    ]


def _listing(listing_id: str, facts: ShopFacts, as_of: date, zone: ZoneInfo) -> Listing:
    events = [
        event
        for event in facts.listing_events
        if event.listing_id == listing_id and day_of(event.time, zone) <= as_of
    ]
    published = [event for event in events if event.type == "listing.published"]
    edited = [event for event in events if event.type == "listing.edited"]
    titled = [event for event in published if event.title is not None]
    counts = [
        count
        for count in facts.stock_counts
        if count.listing_id == listing_id and day_of(count.time, zone) <= as_of
    ]
    last_titled = max(titled, key=lambda event: event.time, default=None)
    last_counts = {
        count.location: max(count.on_hand, 0) for count in sorted(counts, key=lambda c: c.time)
    }
    run_start = _start_of_run(events)
    return Listing(
        listing_id=listing_id,
        title=None if last_titled is None else last_titled.title,
        published_on=None if run_start is None else day_of(run_start, zone),
        first_published_on=min((day_of(event.time, zone) for event in published), default=None),
        edited_on=max((day_of(event.time, zone) for event in edited), default=None),
        sales=tuple(
            Sale(day_of(order.time, zone), line.quantity)
            for order in facts.orders
            for line in order.lines
            if line.listing_id == listing_id and not line.gift and day_of(order.time, zone) <= as_of
        ),
        stock=sum(last_counts.values()) if last_counts else None,
    )


def _start_of_run(events: Iterable[ListingEvent]) -> datetime | None:
    """Return when the present run on sale began, or None without any."""
    run_start: datetime | None = None
    types = ("listing.published", "listing.withdrawn")
    moves = [event for event in events if event.type in types]
    for event in sorted(moves, key=lambda move: (move.time, types.index(move.type))):
        if event.type == "listing.withdrawn":
            run_start = None
        elif run_start is None:
            run_start = event.time
    return run_start


def is_zero_payment(listing: Listing, as_of: date, rules: Rules) -> bool:
    """Return whether a listing on sale, young (or old) enough, has not sold lately."""
    if listing.published_on is None:
        return False
    young = listing.published_on in window_ending(as_of, rules.zero_payment_published_days)
    return (
        young == (rules.zero_payment_published == "within")
        and listing.units_in(window_ending(as_of, rules.zero_payment_no_sale_days)) == 0
    )


def is_slow(listing: Listing, as_of: date, rules: Rules) -> bool:
    """Return whether a listing long on sale has neither sold nor been edited."""
    recent = window_ending(as_of, rules.slow_days)
    return (
        listing.published_on is not None
        and listing.published_on not in recent
        and listing.units_in(recent) == 0
        and (listing.edited_on is None or listing.edited_on not in recent)
    )


def in_view(listing: Listing, view: str, as_of: date, rules: Rules) -> bool:
    """Return whether a view of `/listings` shows the listing."""
    return {
        "all": True,
        "on_sale": listing.on_sale,
        "zero_payment": is_zero_payment(listing, as_of, rules),
        "slow": is_slow(listing, as_of, rules),
    }[view]


def sell_through(
    facts: ShopFacts, listings: Iterable[Listing], as_of: date, window_days: int, zone: ZoneInfo
) -> Json:
    """Return the share of the listings on sale that sold, and what sold unlisted."""
    window = window_ending(as_of, window_days)
    listings = list(listings)
    sold_ids = {
        line.listing_id
        for order in facts.orders
        if day_of(order.time, zone) in window
        for line in order.lines
        if not line.gift
    }
    on_sale = [listing for listing in listings if listing.on_sale]
    sold = [listing for listing in on_sale if listing.units_in(window) > 0]
    return {
        "status": "ok" if on_sale else "none",
        "rate": rounded(Fraction(len(sold), len(on_sale)), RATE_DIGITS) if on_sale else None,
        "sold": len(sold),
        "on_sale": len(on_sale),
        "unlisted_sold": len(sold_ids - {listing.listing_id for listing in listings}),
        "window": window.shown(),
    }
