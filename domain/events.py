"""What is reported of a shop: CloudEvents on their way in, one Struct a type.

Decoding a Struct of this file checks shape, types and bounds. What depends on the shop or the
clock (whether the shop is known, its currency, the time) is checked by `domain.facts`.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from domain.names import Comment, EventText, Id, Name, Region, Title

Instant = Annotated[datetime, Meta(tz=True)]
Stars = Annotated[int, Meta(ge=1, le=5)]
Quantity = Annotated[int, Meta(ge=1, le=1_000_000)]
OnHand = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Amount = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]*)(\.[0-9]+)?$(?!\n)")]
Reason = Literal["malicious", "violating_trade", "force_majeure", "other"]


class Scores(msgspec.Struct, frozen=True, gc=False):
    """Stars of one rating; at least one dimension."""

    description: Stars | None = None
    service: Stars | None = None
    logistics: Stars | None = None

    def __post_init__(self) -> None:
        if self.description is None and self.service is None and self.logistics is None:
            raise ValueError("Expected at least one of `description`, `service`, `logistics`")


class PostedReview(msgspec.Struct, frozen=True, gc=False):
    """A buyer's rating of one order."""

    review_id: Id
    order_id: Id
    buyer_id: Id
    scores: Scores
    listing_id: Id | None = None
    completed_at: Instant | None = None
    comment: Comment | None = None


class ModeratedReview(msgspec.Struct, frozen=True, gc=False):
    """The marketplace takes a rating out, or puts it back."""

    review_id: Id
    reason: Reason | None = None
    note: Comment | None = None


class Line(msgspec.Struct, frozen=True, gc=False):
    """One listing in an order; `amount` is for the whole quantity, in the shop's currency."""

    listing_id: Id
    quantity: Quantity
    amount: Amount


class PaidOrder(msgspec.Struct, frozen=True, gc=False):
    """An order when it is paid."""

    order_id: Id
    buyer_id: Id
    lines: Annotated[list[Line], Meta(min_length=1, max_length=200)]
    region: Region | None = None


class RefundedOrder(msgspec.Struct, frozen=True, gc=False):
    """Money given back on an order."""

    refund_id: Id
    order_id: Id
    amount: Amount


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


class Attributes(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """CloudEvents attributes that every event carries; `subject` is the shop."""

    specversion: Literal["1.0"]
    id: EventText
    source: EventText
    subject: Name
    time: Instant


class AnyEvent(Attributes, frozen=True, gc=False, kw_only=True):
    """An event of whatever type, its data not looked at."""

    type: str
    data: msgspec.Raw


class Envelope(Attributes, frozen=True, gc=False, tag_field="type"):
    """What the events of this service have in common; `type` tells them apart."""


class ReviewPosted(Envelope, frozen=True, gc=False, tag="review.posted"):
    """See `PostedReview`."""

    data: PostedReview


class ReviewRemoved(Envelope, frozen=True, gc=False, tag="review.removed"):
    """See `ModeratedReview`."""

    data: ModeratedReview


class ReviewRestored(Envelope, frozen=True, gc=False, tag="review.restored"):
    """See `ModeratedReview`."""

    data: ModeratedReview


class OrderPaid(Envelope, frozen=True, gc=False, tag="order.paid"):
    """See `PaidOrder`."""

    data: PaidOrder


class OrderRefunded(Envelope, frozen=True, gc=False, tag="order.refunded"):
    """See `RefundedOrder`."""

    data: RefundedOrder


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


Event = (
    ReviewPosted
    | ReviewRemoved
    | ReviewRestored
    | OrderPaid
    | OrderRefunded
    | ListingPublished
    | ListingEdited
    | ListingWithdrawn
    | StockCounted
)
"""Any event this service takes, told apart by `type`."""
