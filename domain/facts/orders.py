"""Orders and refunds: their events, their facts, and the sales that they add."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from domain.days import day_of
from domain.events import Amount, Envelope, EventData
from domain.facts.aggregate import ProjectedAggregate, Projection, SaleDays
from domain.facts.fact import Fact, FactKind, KnownShop, admit_instant, convert_amount
from domain.names import Id, Region

Quantity = Annotated[int, Meta(ge=1, le=1_000_000)]


class Line(msgspec.Struct, frozen=True, gc=False):
    """One listing in an order; `amount` is for the whole quantity, in the shop's currency."""

    listing_id: Id
    quantity: Quantity
    amount: Amount


class PaidOrder(EventData, frozen=True, gc=False):
    """An order when it is paid."""

    order_id: Id
    buyer_id: Id
    lines: Annotated[list[Line], Meta(min_length=1, max_length=200)]
    region: Region | None = None


class RefundedOrder(EventData, frozen=True, gc=False):
    """Money paid back on an order."""

    refund_id: Id
    order_id: Id
    amount: Amount


class OrderPaid(Envelope, frozen=True, gc=False, tag="order.paid"):
    """See `PaidOrder`."""

    data: PaidOrder


class OrderRefunded(Envelope, frozen=True, gc=False, tag="order.refunded"):
    """See `RefundedOrder`."""

    data: RefundedOrder


Event: TypeAlias = OrderPaid | OrderRefunded


class Order(Fact, frozen=True, gc=False):
    """A paid order; its lines as three lists of one length, amounts in minor units."""

    order_id: str
    buyer_id: str
    region: str | None
    listing_ids: list[str]
    quantities: list[int]
    amounts: list[int]


class Refund(Fact, frozen=True, gc=False):
    """Money paid back, in minor units."""

    refund_id: str
    order_id: str
    amount: int


def _admit_order(event: OrderPaid, shop: KnownShop, last: datetime) -> Order:
    data = event.data
    amounts = [
        convert_amount(shop, line.amount, f"/data/lines/{index}/amount")
        for index, line in enumerate(data.lines)
    ]
    time = admit_instant(event.time, last)
    return Order(
        shop_key=shop.shop_key,
        revision=data.revision or 0,
        time=time,
        day=day_of(time, shop.time_zone),
        order_id=data.order_id,
        buyer_id=data.buyer_id,
        region=data.region,
        listing_ids=[line.listing_id for line in data.lines],
        quantities=[line.quantity for line in data.lines],
        amounts=amounts,
    )


def project(facts: Sequence[Fact], shop: KnownShop, sale_days: SaleDays) -> Projection:
    """Return the amounts and units that the facts of one order add."""
    counts: defaultdict[tuple[date, str], int] = defaultdict(int)
    units: defaultdict[tuple[str, date], int] = defaultdict(int)
    for fact in facts:
        match fact:
            case Order():
                counts[fact.day, "paid"] += sum(fact.amounts)
                for listing_id, quantity in zip(fact.listing_ids, fact.quantities, strict=True):
                    units[listing_id, fact.day] += quantity
            case Refund():
                counts[fact.day, "refunded"] += fact.amount
    return Projection(counts, units)


ORDERS = ProjectedAggregate(
    "order_id",
    (
        FactKind(
            Order, "orders", identity=("order_id",), events={OrderPaid: {}}, admit=_admit_order
        ),
        FactKind(Refund, "refunds", identity=("refund_id",), events={OrderRefunded: {}}),
    ),
    project,
)
