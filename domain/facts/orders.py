"""Orders: what was paid for listings, and what was given back."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from domain import days
from domain.events import Amount, Envelope
from domain.facts.aggregate import AffectedKeys, Counts, Projection, Units, projected
from domain.facts.fact import Fact, FactKind, KnownShop, amount_of, instant
from domain.facts.listings import affect_listing
from domain.names import Id, Region
from domain.rules import Rules

Quantity = Annotated[int, Meta(ge=1, le=1_000_000)]


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


class OrderPaid(Envelope, frozen=True, gc=False, tag="order.paid"):
    """See `PaidOrder`."""

    data: PaidOrder


class OrderRefunded(Envelope, frozen=True, gc=False, tag="order.refunded"):
    """See `RefundedOrder`."""

    data: RefundedOrder


Event = OrderPaid | OrderRefunded


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


class Refund(Fact, frozen=True, gc=False):
    """Money given back, in minor units."""

    refund_id: str
    order_id: str
    time: datetime
    day: date
    amount: int


def _order(event: OrderPaid, shop: KnownShop, last: datetime) -> Order:
    data = event.data
    amounts = [
        amount_of(line.amount, shop, f"/data/lines/{index}/amount")
        for index, line in enumerate(data.lines)
    ]
    time = instant(event.time, last)
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


def _refund(event: OrderRefunded, shop: KnownShop, last: datetime) -> Refund:
    data = event.data
    amount = amount_of(data.amount, shop, "/data/amount")
    time = instant(event.time, last)
    return Refund(
        shop_key=shop.shop_key,
        refund_id=data.refund_id,
        order_id=data.order_id,
        time=time,
        day=days.day_of(time, shop.time_zone),
        amount=amount,
    )


def project(facts: Sequence[Fact], rules: Rules) -> Projection:  # noqa: ARG001 - others use it
    """Return what the facts of one order add to their shop."""
    counts: Counts = {}
    units: Units = {}
    for fact in facts:
        match fact:
            case Order():
                key = fact.day, "paid"
                counts[key] = counts.get(key, 0) + sum(fact.amounts)
                for listing_id, quantity in zip(fact.listing_ids, fact.quantities, strict=True):
                    sold = listing_id, fact.day
                    units[sold] = units.get(sold, 0) + quantity
            case Refund():
                key = fact.day, "refunded"
                counts[key] = counts.get(key, 0) + fact.amount
    return Projection(counts, units)


def _affect_listings(fact: Order | Refund, keys: AffectedKeys) -> None:
    if isinstance(fact, Order):
        for listing_id in fact.listing_ids:
            affect_listing((fact.shop_key, listing_id), fact.day, keys)


ORDERS = FactKind(Order, "orders", ("order_id",), ("order_id",), {OrderPaid: _order})
REFUNDS = FactKind(Refund, "refunds", ("refund_id",), ("order_id",), {OrderRefunded: _refund})
AGGREGATE = projected((ORDERS, REFUNDS), project, _affect_listings)
