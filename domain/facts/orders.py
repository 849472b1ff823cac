"""Orders and refunds: their events, their facts, and the sales that they add."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import compress
from operator import not_
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from domain.days import day_of
from domain.errors import EventRefused
from domain.events import Amount, Envelope, EventData
from domain.facts.aggregate import ProjectedAggregate, Projection, SoldUnits
from domain.facts.fact import (
    Fact,
    FactKind,
    KnownShop,
    admit_instant,
    check_currency,
    convert_amount,
)
from domain.names import Id, Region
from domain.shops import AMOUNT_MAX, money

Quantity = Annotated[int, Meta(ge=1, le=1_000_000)]


class Line(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One listing in an order; `amount` is for the whole quantity, in the shop's currency.

    The units of a `gift` do not count as sold.
    """

    listing_id: Id
    quantity: Quantity
    amount: Amount
    variant_id: Id | None = None
    gift: bool | None = None


class PaidOrder(EventData, frozen=True, gc=False):
    """An order when it is paid; sales use its `total`, if there is one, in place of its lines."""

    order_id: Id
    lines: Annotated[list[Line], Meta(min_length=1, max_length=500)]
    buyer_id: Id | None = None
    total: Amount | None = None
    currency: str | None = None
    region: Region | None = None


class RefundedOrder(EventData, frozen=True, gc=False):
    """Money paid back on an order."""

    refund_id: Id
    order_id: Id
    amount: Amount
    currency: str | None = None


class OrderPaid(Envelope, frozen=True, gc=False, tag="order.paid"):
    """See `PaidOrder`."""

    data: PaidOrder


class OrderRefunded(Envelope, frozen=True, gc=False, tag="order.refunded"):
    """See `RefundedOrder`."""

    data: RefundedOrder


Event: TypeAlias = OrderPaid | OrderRefunded


class Order(Fact, frozen=True, gc=False):
    """A paid order; its lines as lists of one length, amounts in minor units.

    `variant_ids` and `gifts` are null where no line has a variant, or is a gift.
    """

    order_id: str
    buyer_id: str | None
    region: str | None
    listing_ids: list[str]
    quantities: list[int]
    amounts: list[int]
    total: int | None = None
    variant_ids: list[str | None] | None = None
    gifts: list[bool] | None = None
    erased: bool = False

    @property
    def paid(self) -> int:
        """Return the amount that was paid in all."""
        return sum(self.amounts) if self.total is None else self.total

    @property
    def sold(self) -> Iterator[tuple[str, int]]:
        """Return the listings of the lines that are no gifts, with their quantities."""
        units = zip(self.listing_ids, self.quantities, strict=True)
        return units if self.gifts is None else compress(units, map(not_, self.gifts))


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
    if sum(amounts) > AMOUNT_MAX:
        expected = f"Expected lines of at most {money(AMOUNT_MAX, shop.currency)} together"
        raise EventRefused("invalid", "/data/lines", expected)
    check_currency(shop, data.currency)
    total = None if data.total is None else convert_amount(shop, data.total, "/data/total")
    variant_ids = [line.variant_id for line in data.lines]
    gifts = [bool(line.gift) for line in data.lines]
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
        total=total,
        variant_ids=variant_ids if any(variant_ids) else None,
        gifts=gifts if any(gifts) else None,
    )


def project(facts: Sequence[Fact], shop: KnownShop, sold: SoldUnits) -> Projection:
    """Return the amounts and units that the facts of one order add."""
    counts: defaultdict[tuple[date, str], int] = defaultdict(int)
    units: defaultdict[tuple[str, date], int] = defaultdict(int)
    for fact in facts:
        match fact:
            case Order():
                counts[fact.day, "paid"] += fact.paid
                for listing_id, quantity in fact.sold:
                    units[listing_id, fact.day] += quantity
            case Refund():
                counts[fact.day, "refunded"] += fact.amount
    return Projection(counts, units)


ORDERS = ProjectedAggregate(
    "order_id",
    (
        FactKind(
            Order,
            "orders",
            identity=("order_id",),
            events={OrderPaid: {}},
            admit=_admit_order,
            members=dict.fromkeys(
                ("listing_ids", "variant_ids", "quantities", "amounts", "gifts"), "lines"
            ),
            erased=("buyer_id",),
        ),
        FactKind(Refund, "refunds", identity=("refund_id",), events={OrderRefunded: {}}),
    ),
    project,
)
