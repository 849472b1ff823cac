"""Shops and events, drawn from seeds: the same for every side of a comparison."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from itertools import islice
from random import Random
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

LONG = "shop-long"
"""The shop with events whose ids have a long history."""
MARKETPLACE, CATEGORIES = "taobao", 20
LADDER = ("1000.00", "5000.00", "20000.00", "100000.00", "500000.00", "2000000.00")
HISTORIES = {
    "one buyer's month": ("review.posted", "review.posted"),
    "one listing": ("listing.published", "order.paid"),
    "one listing's stock": ("stock.counted", "stock.counted"),
}
"""By what grows: the type of the events before, and of the events that are measured."""
DAYS = 200
"""Days up to now over which the ratings of a world are spread."""
ZONE = timezone(timedelta(hours=8))
PLAIN_KEY = "plain-key"

_STARS = ((5, 5, 5), (5, 5, 5), (5, 5, 5), (5, 5, None), (5, 4, 5), (4, 5, 4), (3, 3, 3), (1, 2, 1))
_COMMENTS = ("质量很好,下次再来", "物流很快,包装完好,客服也耐心", "和描述一致,推荐购买给朋友")


def ratings(
    prefix: str, shops: Sequence[str], count: int, days: int = 0
) -> Iterator[dict[str, Any]]:
    """Draw ratings of random shops, in the plain service's form, spread over some days.

    With 0 days they are as they come in: seven of ten given in the last ten minutes.
    """
    # Its number ends a prefix: every side draws the same.
    random = Random(prefix[-4:])
    draw = random.random
    now = datetime.now(ZONE).replace(microsecond=0)
    for number in range(count):
        if days:
            back_s = (count - number) * days * 86_400 // count
            completed_before_s = draw() * 1_440_000
        else:
            back_s = int(draw() * 600 if draw() < 0.7 else 600 + draw() * 258_600)
            completed_before_s = 43_200 + draw() * 1_166_400
        time = now - timedelta(seconds=back_s)
        name = f"{prefix}-{number}"
        description, service, logistics = _STARS[int(draw() * len(_STARS))]
        yield {
            "shop_id": shops[int(draw() * len(shops))],
            "review_id": f"r-{name}",
            "order_id": f"o-{name}",
            "buyer_id": f"k-{int(draw() * 10)}" if draw() < 0.02 else f"b-{name}",
            "listing_id": f"l-{int(draw() * 100)}",
            "time": time,
            "completed_at": time - timedelta(seconds=int(completed_before_s)),
            "description": description,
            "service": service,
            "logistics": logistics,
            "comment": random.choice(_COMMENTS) if draw() < 0.2 else None,
        }


def rating_event(rating: dict[str, Any]) -> bytes:
    """Encode a rating as the service takes it."""
    dimensions = ("description", "service", "logistics")
    members = ("review_id", "order_id", "buyer_id", "listing_id", "completed_at", "comment")
    data = {name: rating[name] for name in members if rating[name]}
    data["scores"] = {name: rating[name] for name in dimensions if rating[name]}
    return event("review.posted", rating["shop_id"], rating["review_id"], rating["time"], data)


def event(kind: str, shop: str, name: str, time: datetime, data: dict[str, Any]) -> bytes:
    """Encode an event."""
    envelope = {"specversion": "1.0", "id": f"e-{name}", "source": "/backoffice/7", "type": kind}
    return msgspec.json.encode({**envelope, "subject": shop, "time": time, "data": data})


def sales(shops: Sequence[str]) -> Iterator[bytes]:
    """Encode five listings and ten orders of each shop."""
    now = datetime.now(ZONE)
    for place, shop in enumerate(shops):
        for number in range(5):
            time = now - timedelta(days=60 + number)
            data: dict[str, Any] = {"listing_id": f"l-{number}", "title": f"货品 {number}"}
            yield event("listing.published", shop, f"{shop}-p-{number}", time, data)
        for number in range(10):
            amount = f"{(place % 997 + 1) * (number + 1)}.50"
            line = {"listing_id": f"l-{number % 5}", "quantity": 1, "amount": amount}
            data = {"order_id": f"s-{number}", "buyer_id": f"b-{number}", "lines": [line]}
            time = now - timedelta(hours=7 * number)
            yield event("order.paid", shop, f"{shop}-s-{number}", time, data)


def history(kind: str, name: str, count: int, start: int = 0) -> Iterator[bytes]:
    """Encode events of one buyer and month, or of one listing."""
    month = datetime.now(ZONE) - timedelta(days=40)
    first = month.replace(day=2, hour=0, minute=0, second=0, microsecond=0)
    for number in range(start, start + count):
        time = first + timedelta(seconds=number)
        order_id, buyer_id, listing_id = f"h-{name}-{number}", f"h-{name}", f"h-{name}"
        line = {"listing_id": listing_id, "quantity": 1, "amount": "9.90"}
        by_kind: dict[str, dict[str, Any]] = {
            "review.posted": {
                "review_id": order_id,
                "order_id": order_id,
                "buyer_id": buyer_id,
                "scores": {"description": 1 + number % 5},
                "completed_at": time,
            },
            "listing.published": {"listing_id": listing_id},
            "order.paid": {"order_id": order_id, "buyer_id": buyer_id, "lines": [line]},
            "stock.counted": {"listing_id": listing_id, "on_hand": number % 100},
        }
        yield event(kind, LONG, f"h-{name}-{number}", time, by_kind[kind])


def category(place: int) -> str:
    """Return the category of the shop at a place."""
    return f"category-{place % CATEGORIES:02d}"


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Divide items into lists."""
    supply = iter(items)
    while batch := list(islice(supply, size)):
        yield batch
