"""Listings: when they are on sale, edited, counted in stock, and which of them sold."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from domain import days, totals
from domain.events import Envelope
from domain.facts.aggregate import (
    AffectedKeys,
    Aggregate,
    ListingKey,
    Recording,
    Shops,
    Stored,
)
from domain.facts.fact import Fact, FactKind, KnownShop, instant
from domain.names import Id, Title

OnHand = Annotated[int, Meta(ge=0, le=1_000_000_000)]

Steps = dict[date, tuple[int, int]]
"""By day, how much the listings on sale, and those of them that sold, rise or fall."""


class PublishedListing(msgspec.Struct, frozen=True, gc=False):
    """A listing goes on sale."""

    listing_id: Id
    title: Title | None = None


class NamedListing(msgspec.Struct, frozen=True, gc=False):
    """A listing that was edited or withdrawn."""

    listing_id: Id


class CountedStock(msgspec.Struct, frozen=True, gc=False):
    """Units of a listing in stock."""

    listing_id: Id
    on_hand: OnHand


class ListingPublished(Envelope, frozen=True, gc=False, tag="listing.published"):
    """See `PublishedListing`."""

    data: PublishedListing


class ListingEdited(Envelope, frozen=True, gc=False, tag="listing.edited"):
    """See `NamedListing`."""

    data: NamedListing


class ListingWithdrawn(Envelope, frozen=True, gc=False, tag="listing.withdrawn"):
    """See `NamedListing`."""

    data: NamedListing


class StockCounted(Envelope, frozen=True, gc=False, tag="stock.counted"):
    """See `CountedStock`."""

    data: CountedStock


Event = ListingPublished | ListingEdited | ListingWithdrawn | StockCounted


class ListingEvent(Fact, frozen=True, gc=False):
    """A listing was `published`, `edited` or `withdrawn`."""

    listing_id: str
    time: datetime
    kind: str
    day: date
    title: str | None


class StockCount(Fact, frozen=True, gc=False):
    """Units of a listing in stock when they were counted."""

    listing_id: str
    time: datetime
    day: date
    on_hand: int


def _listing_event(
    event: ListingPublished | ListingEdited | ListingWithdrawn,
    shop: KnownShop,
    last: datetime,
) -> ListingEvent:
    time = instant(event.time, last)
    return ListingEvent(
        shop_key=shop.shop_key,
        listing_id=event.data.listing_id,
        time=time,
        kind=str(event.__struct_config__.tag).removeprefix("listing."),
        day=days.day_of(time, shop.time_zone),
        title=event.data.title if isinstance(event, ListingPublished) else None,
    )


def _stock_count(event: StockCounted, shop: KnownShop, last: datetime) -> StockCount:
    time = instant(event.time, last)
    return StockCount(
        shop_key=shop.shop_key,
        listing_id=event.data.listing_id,
        time=time,
        day=days.day_of(time, shop.time_zone),
        on_hand=event.data.on_hand,
    )


def on_sale_runs(events: Iterable[ListingEvent]) -> list[tuple[date, date | None]]:
    """Return when a listing was on sale at the end of the day: `[from, until)`, or still is.

    At the same instant a withdrawal holds over a publication; edits play no part.
    """
    last_of_day: dict[date, ListingEvent] = {}
    for event in sorted(events, key=_order):
        if event.kind != "edited":
            last_of_day[event.day] = event
    runs: list[tuple[date, date | None]] = []
    since: date | None = None
    for day, event in sorted(last_of_day.items()):
        if event.kind == "published" and since is None:
            since = day
        elif event.kind == "withdrawn" and since is not None:
            runs.append((since, day))
            since = None
    if since is not None:
        runs.append((since, None))
    return runs


def steps(
    events: Iterable[ListingEvent], sale_days: Sequence[date], sold_window_days: int
) -> Steps:
    """Return what one listing adds to the shop's counts, day by day.

    `sale_days` rise. A sale counts on its day and the `sold_window_days - 1` days after it.
    """
    found: Steps = {}

    def step(day: date, on_sale: int, sold: int) -> None:
        before = found.get(day, (0, 0))
        found[day] = (before[0] + on_sale, before[1] + sold)

    sold_runs = _sold_runs(sale_days, sold_window_days)
    starts = [start for start, _ in sold_runs]
    for start, end in on_sale_runs(events):
        step(start, 1, 0)
        if end is not None:
            step(end, -1, 0)
        first = max(bisect_right(starts, start) - 1, 0)
        for sold_from, sold_until in sold_runs[first:]:
            if end is not None and sold_from >= end:
                break
            since = max(start, sold_from)
            until = sold_until if end is None else min(end, sold_until)
            if since < until:
                step(since, 0, 1)
                step(until, 0, -1)
    return {day: step for day, step in found.items() if step != (0, 0)}


def _sold_runs(sale_days: Sequence[date], sold_window_days: int) -> list[tuple[date, date]]:
    length = timedelta(days=sold_window_days)
    runs: list[tuple[date, date]] = []
    for day in sale_days:
        if runs and day <= runs[-1][1]:
            runs[-1] = (runs[-1][0], day + length)
        else:
            runs.append((day, day + length))
    return runs


def _order(event: ListingEvent) -> tuple[object, ...]:
    return event.time, event.kind == "withdrawn"


def affect_listing(key: ListingKey, day: date, keys: AffectedKeys) -> None:
    """Note that a listing changes from a day on."""
    keys.aggregates[ListingEvent].add(key)
    keys.add_listing(key, day)


def _affect(fact: ListingEvent, keys: AffectedKeys) -> None:
    affect_listing((fact.shop_key, fact.listing_id), fact.day, keys)


def _affect_stock(fact: StockCount, keys: AffectedKeys) -> None:
    keys.facts[StockCount].add((fact.shop_key, fact.listing_id, fact.time))


def _record(recording: Recording, stored: Stored, shops: Shops) -> None:
    sold_on: defaultdict[ListingKey, set[date]] = defaultdict(set)
    for shop_key, listing_id, day in recording.units:
        sold_on[shop_key, listing_id].add(day)
    events: defaultdict[ListingKey, list[ListingEvent]] = defaultdict(list)
    for fact in recording.facts:
        if isinstance(fact, ListingEvent):
            events[fact.shop_key, fact.listing_id].append(fact)
    events_before: defaultdict[ListingKey, list[ListingEvent]] = defaultdict(list)
    for fact in stored.facts.values():
        if isinstance(fact, ListingEvent):
            events_before[fact.shop_key, fact.listing_id].append(fact)

    for key in sold_on.keys() | events.keys():
        days_before_this = stored.sale_days.get(key, [])
        days_after = sorted(sold_on[key].union(days_before_this))
        if key not in events and len(days_after) == len(days_before_this):
            continue
        shop_key = key[0]
        length = shops[shop_key].rules.sold_window_days
        before = steps(events_before[key], days_before_this, length)
        after = steps(events_before[key] + events[key], days_after, length)
        for moved, sign in ((before, -1), (after, 1)):
            for day, (on_sale, sold) in moved.items():
                into = recording.day(shop_key, day)
                into[totals.ON_SALE] += sign * on_sale
                into[totals.SOLD] += sign * sold


def _record_nothing(recording: Recording, stored: Stored, shops: Shops) -> None:
    """Change no total: stock is read as it was counted."""


LISTING_EVENTS = FactKind(
    ListingEvent,
    "listing_events",
    ("listing_id", "kind", "time"),
    ("listing_id",),
    dict.fromkeys((ListingPublished, ListingEdited, ListingWithdrawn), _listing_event),
)
STOCK_COUNTS = FactKind(
    StockCount,
    "stock_counts",
    ("listing_id", "time"),
    ("listing_id",),
    {StockCounted: _stock_count},
)
AGGREGATE = Aggregate((LISTING_EVENTS,), _affect, _record)
STOCK = Aggregate((STOCK_COUNTS,), _affect_stock, _record_nothing)
