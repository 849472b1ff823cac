"""Facts of a shop's events; they are equal when their contents are equal."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

DIMENSIONS = ("description", "service", "logistics")

Identity = tuple[str | datetime | None, ...]


@dataclass(frozen=True)
class Review:
    """`scores` follows the order of `DIMENSIONS`."""

    time: datetime
    review_id: str
    order_id: str | None
    buyer_id: str | None
    listing_id: str | None
    scores: tuple[int | None, ...]
    completed_at: datetime | None
    comment: str | None
    revision: int

    @property
    def identity(self) -> Identity:
        """Return the review id: a rating is posted once."""
        return "review.posted", self.review_id

    @property
    def completion(self) -> datetime:
        """Return the order's completion, or without one the time of the rating."""
        return self.completed_at or self.time


@dataclass(frozen=True)
class ReviewAction:
    """A removal or a restoral."""

    time: datetime
    review_id: str
    removes: bool
    reason: str | None
    note: str | None

    @property
    def identity(self) -> Identity:
        """Return type, id and instant: a removal and a restoral can share an instant."""
        return "review.removed" if self.removes else "review.restored", self.review_id, self.time


@dataclass(frozen=True)
class Line:
    """`amount` is in minor units, for the whole quantity; a gift does not count as sold."""

    listing_id: str
    quantity: int
    amount: int
    variant_id: str | None
    gift: bool


@dataclass(frozen=True)
class Order:
    """A paid order; `total` is what was paid in all, where it is given."""

    time: datetime
    order_id: str
    buyer_id: str | None
    lines: tuple[Line, ...]
    region: str | None
    total: int | None

    @property
    def identity(self) -> Identity:
        """Return the order id: an order is paid once."""
        return "order.paid", self.order_id

    @property
    def paid(self) -> int:
        """Return the total, or without one the sum of the lines."""
        return sum(line.amount for line in self.lines) if self.total is None else self.total


@dataclass(frozen=True)
class Refund:
    """`amount` is in minor units."""

    time: datetime
    refund_id: str
    order_id: str
    amount: int

    @property
    def identity(self) -> Identity:
        """Return the refund id: an order may have many refunds."""
        return "order.refunded", self.refund_id


@dataclass(frozen=True)
class ListingEvent:
    """`type` is `listing.published`, `listing.edited` or `listing.withdrawn`."""

    time: datetime
    type: str
    listing_id: str
    title: str | None

    @property
    def identity(self) -> Identity:
        """Return type, id and instant: each type happens once an instant."""
        return self.type, self.listing_id, self.time


@dataclass(frozen=True)
class StockCount:
    """What was at a location at an instant."""

    time: datetime
    listing_id: str
    location: str | None
    on_hand: int

    @property
    def identity(self) -> Identity:
        """Return ids and instant: a listing is counted once an instant at a location."""
        return "stock.counted", self.listing_id, self.location, self.time


Fact = Review | ReviewAction | Order | Refund | ListingEvent | StockCount


@dataclass(frozen=True)
class Version:
    """A revision of a fact; without a fact it retracts the earlier ones."""

    identity: Identity
    revision: int
    fact: Fact | None


def without_buyer(fact: Fact, stand_in: str) -> Fact:
    """Return a fact with another buyer, and without the buyer's texts."""
    match fact:
        case Review():
            return replace(fact, buyer_id=stand_in, comment=None)
        case Order():
            return replace(fact, buyer_id=stand_in)
        case ReviewAction():
            return replace(fact, note=None)
        case _:
            return fact


@dataclass(frozen=True)
class ShopFacts:
    """All that is known of one shop, sorted into kinds, in no particular order."""

    reviews: tuple[Review, ...]
    actions: tuple[ReviewAction, ...]
    orders: tuple[Order, ...]
    refunds: tuple[Refund, ...]
    listing_events: tuple[ListingEvent, ...]
    stock_counts: tuple[StockCount, ...]


def sort_into_kinds(facts: Iterable[Fact]) -> ShopFacts:
    """Sort facts by their kind."""
    known = tuple(facts)
    return ShopFacts(
        reviews=tuple(fact for fact in known if isinstance(fact, Review)),
        actions=tuple(fact for fact in known if isinstance(fact, ReviewAction)),
        orders=tuple(fact for fact in known if isinstance(fact, Order)),
        refunds=tuple(fact for fact in known if isinstance(fact, Refund)),
        listing_events=tuple(fact for fact in known if isinstance(fact, ListingEvent)),
        stock_counts=tuple(fact for fact in known if isinstance(fact, StockCount)),
    )
