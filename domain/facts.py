"""Facts: events admitted for a shop, in the form in which they are kept.

A fact is what its event said, with instants, minor units and the shop's days in place of texts.
Two facts of one `identity` are the same fact if they are equal, else they contradict each other.
Fields stand in the order of the stored columns.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, TypeAlias

import msgspec

from domain import days, events
from domain.errors import EventRefused
from domain.rules import Rules
from domain.shops import minor_units

Identity: TypeAlias = tuple[object, ...]


class KnownShop(msgspec.Struct, frozen=True):
    """What recording a shop's events must know of it."""

    shop_key: int
    currency: str
    time_zone: str
    rules: Rules


class Fact(msgspec.Struct, frozen=True, gc=False):
    """Something that happened in a shop."""

    shop_key: int

    @property
    def identity(self) -> Identity:
        """What makes two deliveries the same fact, over all facts; each kind adds its ids."""
        return type(self), self.shop_key


class Rating(Fact, frozen=True, gc=False):
    """One buyer's stars for one order; `month` is the first day of its month of completion."""

    review_id: str
    buyer_id: str
    month: date
    time: datetime
    completed_at: datetime | None
    day: date
    description: int | None
    service: int | None
    logistics: int | None
    order_id: str
    listing_id: str | None
    comment: str | None

    @property
    def identity(self) -> Identity:
        """See `Fact`."""
        return Rating, self.shop_key, self.review_id

    @property
    def scores(self) -> tuple[int | None, int | None, int | None]:
        """Stars by dimension, in the order of `DIMENSIONS`."""
        return self.description, self.service, self.logistics


class Moderation(Fact, frozen=True, gc=False):
    """The marketplace took a rating out (`removes`) or put it back in."""

    review_id: str
    time: datetime
    removes: bool
    reason: str | None
    note: str | None

    @property
    def identity(self) -> Identity:
        """See `Fact`."""
        return Moderation, self.shop_key, self.review_id, self.removes, self.time


class Order(Fact, frozen=True, gc=False):
    """A paid order; its lines as three lists of one length, amounts in minor units."""

    order_id: str
    buyer_id: str
    time: datetime
    day: date
    region: str | None
    listing_ids: list[str]
    quantities: list[int]
    amounts: list[int]

    @property
    def identity(self) -> Identity:
        """See `Fact`."""
        return Order, self.shop_key, self.order_id


class Refund(Fact, frozen=True, gc=False):
    """Money given back, in minor units."""

    refund_id: str
    order_id: str
    time: datetime
    day: date
    amount: int

    @property
    def identity(self) -> Identity:
        """See `Fact`."""
        return Refund, self.shop_key, self.refund_id


class ListingEvent(Fact, frozen=True, gc=False):
    """A listing was `published`, `edited` or `withdrawn`."""

    listing_id: str
    time: datetime
    kind: str
    day: date
    title: str | None

    @property
    def identity(self) -> Identity:
        """See `Fact`."""
        return ListingEvent, self.shop_key, self.listing_id, self.kind, self.time


class StockCount(Fact, frozen=True, gc=False):
    """Units of a listing in stock when they were counted."""

    listing_id: str
    time: datetime
    day: date
    on_hand: int

    @property
    def identity(self) -> Identity:
        """See `Fact`."""
        return StockCount, self.shop_key, self.listing_id, self.time


def admit(event: events.Event, shop: KnownShop, last: datetime) -> Fact:
    """The fact that a well-formed event states of this shop; `last` is the last instant it may be.

    Raises EventRefused: `invalid` for an amount that does not fit the shop's currency, else
    `time_out_of_range`.
    """
    return _ADMIT[event.__struct_config__.tag](event, shop, last)


def _rating(event: events.ReviewPosted, shop: KnownShop, last: datetime) -> Rating:
    data = event.data
    time = _instant(event.time, last)
    completed_at = None
    if data.completed_at is not None:
        completed_at = _instant(data.completed_at, last, "/data/completed_at")
    return Rating(
        shop_key=shop.shop_key,
        review_id=data.review_id,
        buyer_id=data.buyer_id,
        month=days.month_of(completed_at or time, shop.time_zone),
        time=time,
        completed_at=completed_at,
        day=days.day_of(time, shop.time_zone),
        description=data.scores.description,
        service=data.scores.service,
        logistics=data.scores.logistics,
        order_id=data.order_id,
        listing_id=data.listing_id,
        comment=data.comment,
    )


def _moderation(
    event: events.ReviewRemoved | events.ReviewRestored, shop: KnownShop, last: datetime
) -> Moderation:
    data = event.data
    return Moderation(
        shop_key=shop.shop_key,
        review_id=data.review_id,
        time=_instant(event.time, last),
        removes=isinstance(event, events.ReviewRemoved),
        reason=data.reason,
        note=data.note,
    )


def _order(event: events.OrderPaid, shop: KnownShop, last: datetime) -> Order:
    data = event.data
    amounts = [
        _minor_units(line.amount, shop, f"/data/lines/{index}/amount")
        for index, line in enumerate(data.lines)
    ]
    time = _instant(event.time, last)
    return Order(
        shop_key=shop.shop_key,
        order_id=data.order_id,
        buyer_id=data.buyer_id,
        time=time,
        day=days.day_of(time, shop.time_zone),
        region=data.region,
        listing_ids=[line.listing_id for line in data.lines],
        quantities=[line.quantity for line in data.lines],
        amounts=amounts,
    )


def _refund(event: events.OrderRefunded, shop: KnownShop, last: datetime) -> Refund:
    data = event.data
    amount = _minor_units(data.amount, shop, "/data/amount")
    time = _instant(event.time, last)
    return Refund(
        shop_key=shop.shop_key,
        refund_id=data.refund_id,
        order_id=data.order_id,
        time=time,
        day=days.day_of(time, shop.time_zone),
        amount=amount,
    )


def _listing_event(
    event: events.ListingPublished | events.ListingEdited | events.ListingWithdrawn,
    shop: KnownShop,
    last: datetime,
) -> ListingEvent:
    time = _instant(event.time, last)
    return ListingEvent(
        shop_key=shop.shop_key,
        listing_id=event.data.listing_id,
        time=time,
        kind=_LISTING_KINDS[event.__struct_config__.tag],
        day=days.day_of(time, shop.time_zone),
        title=event.data.title if isinstance(event, events.ListingPublished) else None,
    )


def _stock_count(event: events.StockCounted, shop: KnownShop, last: datetime) -> StockCount:
    time = _instant(event.time, last)
    return StockCount(
        shop_key=shop.shop_key,
        listing_id=event.data.listing_id,
        time=time,
        day=days.day_of(time, shop.time_zone),
        on_hand=event.data.on_hand,
    )


def _instant(sent: datetime, last: datetime, pointer: str = "/time") -> datetime:
    """The instant in UTC: those of other offsets take ten times as long to compare."""
    try:
        instant = sent.astimezone(UTC)
        if days.FIRST_INSTANT <= instant <= last:
            return instant
    except OverflowError:
        pass
    raise EventRefused(
        "time_out_of_range",
        pointer,
        "Expected an instant from 2000-01-01T00:00Z to ten minutes past now",
    )


def _minor_units(amount: str, shop: KnownShop, pointer: str) -> int:
    try:
        return minor_units(amount, shop.currency)
    except ValueError as error:
        raise EventRefused("invalid", pointer, str(error)) from None


_LISTING_KINDS = {
    events.ListingPublished.__struct_config__.tag: "published",
    events.ListingEdited.__struct_config__.tag: "edited",
    events.ListingWithdrawn.__struct_config__.tag: "withdrawn",
}

_ADMIT: dict[object, Callable[[Any, KnownShop, datetime], Fact]] = {
    kind.__struct_config__.tag: admitted
    for kind, admitted in (
        (events.ReviewPosted, _rating),
        (events.ReviewRemoved, _moderation),
        (events.ReviewRestored, _moderation),
        (events.OrderPaid, _order),
        (events.OrderRefunded, _refund),
        (events.ListingPublished, _listing_event),
        (events.ListingEdited, _listing_event),
        (events.ListingWithdrawn, _listing_event),
        (events.StockCounted, _stock_count),
    )
}
"""By type, not by class: events of a batch are of classes made from these."""
