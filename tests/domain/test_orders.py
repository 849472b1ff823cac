"""Orders: what they add to sales, and to the units of their listings."""

from typing import Any

import msgspec
import pytest

from domain.errors import EventRefused
from domain.facts import admit
from domain.facts.orders import ORDERS, Order
from tests.domain.builders import day, shop
from tests.domain.test_facts import LAST, event

LINE = {"listing_id": "l-1", "quantity": 2, "amount": "120.00"}
GIFT = {"listing_id": "l-2", "quantity": 1, "amount": "5", "gift": True}


def order(currency: str = "CNY", **data: Any) -> Order:
    """Return an order as it is admitted in a shop of a currency."""
    sent = event("order.paid", **{"order_id": "o", "lines": [LINE], **data})
    admitted = admit(sent, msgspec.structs.replace(shop(), currency=currency), LAST)
    assert isinstance(admitted, Order)
    return admitted


@pytest.mark.parametrize(
    ("data", "paid"),
    [
        ({}, 12_000),
        ({"total": "117.50"}, 11_750),
        ({"total": "0"}, 0),
        ({"lines": [LINE, GIFT]}, 12_500),
        ({"lines": [LINE, GIFT], "total": "120.000"}, 12_000),
    ],
)
def test_sales_are_the_total_or_else_the_lines_with_those_of_gifts(
    data: dict[str, Any], paid: int
) -> None:
    projection = ORDERS.project([order(**data)], shop(), {})
    assert projection.counts == {(day(0), "paid"): paid}


def test_gifts_are_not_sold() -> None:
    projection = ORDERS.project([order(lines=[GIFT, LINE, GIFT, LINE])], shop(), {})
    assert projection.units == {("l-1", day(0)): 4}


@pytest.mark.parametrize(
    ("same", "other"),
    [
        ({"lines": [LINE | {"gift": False}]}, {"lines": [LINE | {"gift": True}]}),
        ({"lines": [LINE | {"variant_id": None}]}, {"lines": [LINE | {"variant_id": "红 40"}]}),
        ({"currency": "CNY"}, {"buyer_id": "王**"}),
        ({"total": None}, {"total": "120.00"}),
    ],
)
def test_absent_members_equal_their_defaults(same: dict[str, Any], other: dict[str, Any]) -> None:
    assert order(**same) == order()
    assert order(**other) != order()


@pytest.mark.parametrize("kind", ["order.paid", "order.refunded"])
@pytest.mark.parametrize("currency", ["EUR", "cny", ""])
def test_another_currency_than_the_shops_is_refused(kind: str, currency: str) -> None:
    data: dict[str, Any] = {"order_id": "o", "currency": currency}
    data |= {"lines": [LINE]} if kind == "order.paid" else {"refund_id": "f", "amount": "1"}
    with pytest.raises(EventRefused) as refusal:
        admit(event(kind, **data), shop(), LAST)
    [error] = refusal.value.errors
    assert (refusal.value.code, error.pointer) == ("invalid", "/data/currency")
    assert error.detail == "Expected CNY, the currency of the shop"


def test_zeros_behind_the_digits_of_the_currency_are_no_part_of_an_amount() -> None:
    yen = [LINE | {"amount": "705.00"}]
    assert order("JPY", lines=yen).amounts == [705]
    with pytest.raises(EventRefused):
        order("JPY", lines=[LINE | {"amount": "705.01"}])


def test_an_order_has_up_to_500_lines() -> None:
    assert len(order(lines=[LINE] * 500).amounts) == 500
    with pytest.raises(msgspec.ValidationError):
        order(lines=[LINE] * 501)
