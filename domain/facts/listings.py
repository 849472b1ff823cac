"""Listings: when they are on sale, and which of them sold."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, TypeAlias

from msgspec import Meta

from domain.days import day_of
from domain.events import Envelope, EventData
from domain.facts.aggregate import (
    AffectedKeys,
    Batch,
    FactsByKind,
    ProjectedAggregate,
    Projection,
    SoldUnits,
)
from domain.facts.fact import Fact, FactKind, KnownShop, admit_instant
from domain.facts.orders import Order
from domain.names import Id, Title
from domain.steps import Steps

OnHand = Annotated[int, Meta(ge=-1_000_000_000, le=1_000_000_000)]


class PublishedListing(EventData, frozen=True, gc=False):
    """A listing goes on sale."""

    listing_id: Id
    title: Title | None = None


class NamedListing(EventData, frozen=True, gc=False):
    """A listing that was edited or withdrawn."""

    listing_id: Id


class CountedStock(EventData, frozen=True, gc=False):
    """Units of a listing in stock, at one location or where there is only one."""

    listing_id: Id
    on_hand: OnHand
    location: Id | None = None


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


Event: TypeAlias = ListingPublished | ListingEdited | ListingWithdrawn | StockCounted


class ListingEvent(Fact, frozen=True, gc=False):
    """A listing was `published`, `edited` or `withdrawn`."""

    listing_id: str
    kind: str
    title: str | None


class StockCount(Fact, frozen=True, gc=False):
    """Units of a listing at a location when they were counted; `location` may be empty."""

    listing_id: str
    location: str
    on_hand: int


def _admit_count(event: StockCounted, shop: KnownShop, last: datetime) -> StockCount:
    data = event.data
    time = admit_instant(event.time, last)
    return StockCount(
        shop_key=shop.shop_key,
        revision=data.revision or 0,
        time=time,
        day=day_of(time, shop.time_zone),
        listing_id=data.listing_id,
        location=data.location or "",
        on_hand=data.on_hand,
    )


def on_sale_runs(events: Iterable[ListingEvent]) -> list[tuple[date, date | None]]:
    """Return the runs of days, `[from, until)`, at whose end a listing was on sale.

    The last run may be open. At one instant a withdrawal holds over a publication. Edits do not
    matter.
    """
    last_of_day: dict[date, ListingEvent] = {}
    for event in sorted(events, key=_event_order):
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


def project(facts: Sequence[ListingEvent], shop: KnownShop, sold: SoldUnits) -> Projection:
    """Return the changes of `on_sale`, `sold` and `unlisted_sold` by one listing.

    A sale counts on its day and on the `sold_window_days - 1` days after; before the first event of
    the listing it is unlisted.
    """
    counts: defaultdict[tuple[date, str], int] = defaultdict(int)
    sold_on = sorted(day for day, units in sold.items() if units)
    sold_runs = _sold_runs(sold_on, shop.rules.sold_window_days)
    listed_on = min((event.day for event in facts), default=date.max)
    for sold_from, sold_until in sold_runs:
        if sold_from < listed_on:
            counts[sold_from, "unlisted_sold"] += 1
            counts[min(sold_until, listed_on), "unlisted_sold"] -= 1
    starts = [start for start, _ in sold_runs]
    for start, end in on_sale_runs(facts):
        counts[start, "on_sale"] += 1
        if end is not None:
            counts[end, "on_sale"] -= 1
        first = max(bisect_right(starts, start) - 1, 0)
        for sold_from, sold_until in sold_runs[first:]:
            if end is not None and sold_from >= end:
                break
            since = max(start, sold_from)
            until = sold_until if end is None else min(end, sold_until)
            if since < until:
                counts[since, "sold"] += 1
                counts[until, "sold"] -= 1
    return Projection({key: count for key, count in counts.items() if count})


def _sold_runs(sale_days: Iterable[date], sold_window_days: int) -> list[tuple[date, date]]:
    length = timedelta(days=sold_window_days)
    runs: list[tuple[date, date]] = []
    for day in sale_days:
        if runs and day <= runs[-1][1]:
            runs[-1] = (runs[-1][0], day + length)
        else:
            runs.append((day, day + length))
    return runs


def _event_order(event: ListingEvent) -> tuple[object, ...]:
    return event.time, event.kind == "withdrawn"


class _Listings(ProjectedAggregate):
    """Listings, which also change when they sell."""

    def affect(self, facts: FactsByKind, affected: AffectedKeys) -> Steps[None]:
        """Add the listings of these facts, also those that orders name."""
        yield from super().affect(facts, affected)
        affected.listing_events.update(
            (event.shop_key, event.listing_id, event.day) for event in facts.of(ListingEvent)
        )
        for order in facts.of(Order):
            affected.sale_days.update(
                (order.shop_key, listing_id, order.day) for listing_id in order.listing_ids
            )
            yield

    def record(self, batch: Batch) -> Steps[None]:
        """Add the change of each listing whose events or sale days change."""
        keys = {(event.shop_key, event.listing_id) for event in batch.moving(ListingEvent)}
        for shop_key, moved in batch.moved.items():
            for (listing_id, day), units in moved.units.items():
                yield
                after = moved.sale_days[listing_id][day]
                if (after == 0) != (after == units):
                    keys.add((shop_key, listing_id))
        yield from self.move(batch, keys)


LISTINGS = _Listings(
    "listing_id",
    (
        FactKind(
            ListingEvent,
            "listing_events",
            identity=("listing_id", "kind", "time"),
            events={
                ListingPublished: {"kind": "published"},
                ListingEdited: {"kind": "edited", "title": None},
                ListingWithdrawn: {"kind": "withdrawn", "title": None},
            },
        ),
        FactKind(
            StockCount,
            "stock_counts",
            identity=("listing_id", "location", "time"),
            events={StockCounted: {}},
            admit=_admit_count,
            is_projected=False,
        ),
    ),
    project,
)
