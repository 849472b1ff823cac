"""`TradeRate` objects, as `taobao.traderates.get` answers them to a seller, in an array.

A `TradeRate` does not say when it was edited, so the instant of the export is the revision:

    python -m examples.taobao_rates SHOP_ID EXPORTED_AT < rates.json
"""

from collections.abc import Iterator

from examples.events import Json, arguments, event, milliseconds, print_lines, read_records

STARS = {"good": 5, "neutral": 3, "bad": 1}


def rate_events(rate: Json, shop_id: str, exported: str) -> Iterator[Json]:
    """Yield the event of a rating, and its removal where Taobao does not count it."""
    if rate["role"] != "buyer":
        return
    review_id = str(rate["oid"])
    revision = milliseconds(exported)
    # Taobao's clock is China's.
    time = rate["created"].replace(" ", "T") + "+08:00"
    data: Json = {
        "review_id": review_id,
        "order_id": str(rate["tid"]),
        # A nick such as `王**` is that of many buyers, who have a cap each.
        "buyer_id": None if "**" in rate["nick"] else rate["nick"],
        "listing_id": str(rate["num_iid"]),
        "scores": {"description": STARS[rate["result"]]},
        "comment": rate["content"] or None,
        "revision": revision,
    }
    yield event("review.posted", shop_id, "/taobao", review_id, time=time, data=data)
    if not rate["valid_score"]:
        data = {"review_id": review_id, "reason": "other", "revision": revision}
        yield event("review.removed", shop_id, "/taobao", review_id, time=time, data=data)


if __name__ == "__main__":
    shop, exported_at = arguments("SHOP_ID", "EXPORTED_AT")
    for rate in read_records():
        print_lines(rate_events(rate, shop, exported_at))
