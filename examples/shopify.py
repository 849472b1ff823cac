"""Orders of Shopify's Admin API and of its webhooks, in an array.

python -m examples.shopify SHOP_ID < orders.json
"""

from collections.abc import Iterator
from decimal import Decimal

from examples.events import (
    Json,
    arguments,
    event,
    milliseconds,
    order_retraction,
    print_lines,
    read_records,
)

PAID = {"paid", "partially_paid", "partially_refunded", "refunded"}


def order_events(order: Json, shop_id: str) -> Iterator[Json]:
    """Yield the events of an order and its refunds, or its retraction."""
    order_id, revision = str(order["id"]), milliseconds(order["updated_at"])
    if order["test"] or order["financial_status"] == "voided":
        yield order_retraction(shop_id, "/shopify", order_id, order["updated_at"])
    elif order["financial_status"] in PAID:
        data: Json = {
            "order_id": order_id,
            "buyer_id": str(order["customer"]["id"]) if order.get("customer") else None,
            "lines": [order_line(line) for line in order["line_items"]],
            # `current_total_price` is less by the refunds, which are events of their own.
            "total": order["total_price"],
            "currency": order["currency"],
            "region": (order.get("shipping_address") or {}).get("province_code"),
            "revision": revision,
        }
        time = order["processed_at"]
        yield event("order.paid", shop_id, "/shopify", order_id, time=time, data=data)
        for refund in order["refunds"]:
            paid_back = [part for part in refund["transactions"] if part["status"] == "success"]
            amount = sum(Decimal(part["amount"]) for part in paid_back)
            data = {"refund_id": str(refund["id"]), "order_id": order_id, "amount": f"{amount:f}"}
            # A payment of a refund that is pending may succeed later.
            data |= {"currency": order["currency"], "revision": revision}
            time = refund["created_at"]
            yield event("order.refunded", shop_id, "/shopify", refund["id"], time=time, data=data)


def order_line(line: Json) -> Json:
    """Return a line of an order; what a discount makes free is a gift."""
    discount = sum(Decimal(part["amount"]) for part in line["discount_allocations"])
    amount = Decimal(line["price"]) * line["quantity"] - discount
    return {
        "listing_id": str(line["product_id"] or "custom"),
        "variant_id": str(line["variant_id"]) if line["variant_id"] else None,
        "quantity": line["quantity"],
        "amount": f"{amount:f}",
        "gift": not amount,
    }


if __name__ == "__main__":
    [shop] = arguments("SHOP_ID")
    for order in read_records():
        print_lines(order_events(order, shop))
