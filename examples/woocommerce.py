"""Orders of `GET /wp-json/wc/v3/orders` and refunds of `/wp-json/wc/v3/refunds`, in one array.

python -m examples.woocommerce SHOP_ID < orders-and-refunds.json
"""

from collections.abc import Iterator

from examples.events import (
    Json,
    arguments,
    event,
    milliseconds,
    order_retraction,
    print_lines,
    read_records,
)

NOT_SOLD = {"cancelled", "failed", "trash"}


def order_events(order: Json, shop_id: str) -> Iterator[Json]:
    """Yield the event of a paid order, or its retraction where nothing was sold."""
    edited = order["date_modified_gmt"] + "Z"
    order_id = str(order["id"])
    if order["status"] in NOT_SOLD:
        yield order_retraction(shop_id, "/woocommerce", order_id, edited)
    elif order["date_paid_gmt"]:
        lines = [
            {
                "listing_id": str(line["product_id"]),
                # Variations of a product are one listing.
                "variant_id": str(line["variation_id"]) if line["variation_id"] else None,
                "quantity": line["quantity"],
                "amount": line["total"],
            }
            for line in order["line_items"]
        ]
        data: Json = {
            "order_id": order_id,
            # Guests all have the id 0.
            "buyer_id": str(order["customer_id"]) if order["customer_id"] else None,
            "lines": lines,
            "total": order["total"],
            "currency": order["currency"],
            "region": order["shipping"]["state"] or None,
            "revision": milliseconds(edited),
        }
        paid = order["date_paid_gmt"] + "Z"
        yield event("order.paid", shop_id, "/woocommerce", order_id, time=paid, data=data)


def refund_events(refund: Json, shop_id: str, currency: str | None) -> Iterator[Json]:
    """Yield the event of a refund, which WooCommerce never edits."""
    time = refund["date_created_gmt"] + "Z"
    data: Json = {"refund_id": str(refund["id"]), "order_id": str(refund["parent_id"])}
    data |= {"amount": refund["amount"], "currency": currency}
    yield event("order.refunded", shop_id, "/woocommerce", refund["id"], time=time, data=data)


if __name__ == "__main__":
    [shop] = arguments("SHOP_ID")
    records = read_records()
    # A refund does not say its currency, but its order does.
    currencies = {record["id"]: record.get("currency") for record in records}
    for record in records:
        if "refunded_by" in record:
            print_lines(refund_events(record, shop, currencies.get(record["parent_id"])))
        else:
            print_lines(order_events(record, shop))
