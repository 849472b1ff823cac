"""What clients send: batches drawn from a seed, so that they can be drawn again to be checked."""

import json
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import httpx

from tests.api.samples import envelope
from tests.harness.client import BATCH

Json: TypeAlias = dict[str, Any]
Identity: TypeAlias = tuple[object, ...]

SHOPS: list[Json] = [
    {"shop_id": f"shop-{n}", "marketplace": market, "category": "baby", "currency": currency}
    | {"time_zone": zone}
    for n, (market, currency, zone) in enumerate(
        [
            ("taobao", "CNY", "Asia/Shanghai"),
            ("taobao", "CNY", "America/New_York"),
            ("pinduoduo", "JPY", "Asia/Kathmandu"),
            ("taobao", "KWD", "Pacific/Apia"),
        ]
    )
]
SIZES = (1, 1, 1, 2, 5, 20, 70)
"""Events in a batch; those of more than fifty wait in another queue."""
BUYERS = 150
DAYS = 195
_REVIEWS, _LISTINGS = 3, 12


def batch(start: datetime, seed: int, client: int, serial: int) -> list[Json]:
    """Return the events of a batch, whose identities no other batch has."""
    rng = random.Random(f"{seed}/{client}/{serial}")
    size = rng.choice(SIZES)
    return [_event(rng, start, f"{client}-{serial}-{place}") for place in range(size)]


def _event(rng: random.Random, start: datetime, name: str) -> Json:
    time = start - timedelta(microseconds=rng.randrange(DAYS * 86_400 * 10**6))
    [kind] = rng.choices(
        (
            *("review.posted", "review.removed", "order.paid", "order.refunded"),
            *("listing.published", "listing.withdrawn", "stock.counted"),
        ),
        (12, 2, 6, 2, 2, 1, 1),
    )
    data, shop_id = _data(rng, kind, name, time), rng.choice(SHOPS)["shop_id"]
    return envelope(kind, data, id=name, subject=shop_id, time=time.isoformat())


def _data(rng: random.Random, kind: str, name: str, time: datetime) -> Json:
    listing = f"l-{rng.randrange(_LISTINGS)}"
    match kind:
        case "review.posted":
            scores = {
                dimension: rng.randint(1, 5)
                for dimension in ("description", "service", "logistics")
                if rng.random() < 0.7
            }
            completed = time - timedelta(days=rng.randrange(20))
            return {
                "review_id": f"r-{name}",
                "order_id": f"o-{name}",
                "buyer_id": f"b-{rng.randrange(BUYERS)}",
                "scores": scores or {"service": 5},
                "completed_at": completed.isoformat() if rng.random() < 0.5 else None,
            }
        case "review.removed":
            # Of the batch's own ratings, which may stand before or behind it or be missing.
            stem = name.rpartition("-")[0]
            return {"review_id": f"r-{stem}-{rng.randrange(_REVIEWS)}", "reason": "other"}
        case "order.paid":
            lines = [
                {
                    "listing_id": f"l-{rng.randrange(_LISTINGS)}",
                    "quantity": rng.randint(1, 9),
                    "amount": str(rng.randrange(10**6)),
                }
                for _ in range(rng.randint(1, 3))
            ]
            return {"order_id": f"o-{name}", "buyer_id": "b", "lines": lines}
        case "order.refunded":
            amount = str(rng.randrange(1, 1000))
            return {"refund_id": f"f-{name}", "order_id": f"o-{name}", "amount": amount}
        case "stock.counted":
            return {"listing_id": listing, "on_hand": rng.randrange(1000)}
    return {"listing_id": listing}


def rating(start: datetime, rng: random.Random, shop_id: str, name: str, buyer_id: str) -> Json:
    """Return a rating that shares its cap with the buyer's others of this month."""
    time = start.replace(day=1, microsecond=rng.randrange(10**6))
    data = {
        "review_id": name,
        "order_id": name,
        "buyer_id": buyer_id,
        "scores": {"service": rng.randint(1, 5)},
        "completed_at": time.isoformat(),
    }
    return envelope("review.posted", data, id=name, subject=shop_id, time=time.isoformat())


def encoded(events: Iterable[Json]) -> bytes:
    """Return a batch as it is sent."""
    return json.dumps(list(events)).encode()


async def post(client: httpx.AsyncClient, body: bytes) -> httpx.Response:
    """Post an encoded batch."""
    return await client.post("/v1/events", content=body, headers={"content-type": BATCH})


def identity(event: Json) -> Identity:
    """Return the identity of an event: its table and key, its shop by id."""
    shop, data = event["subject"], event["data"]
    time = datetime.fromisoformat(event["time"]).astimezone(UTC)
    match event["type"]:
        case "review.posted":
            return "ratings", shop, data["review_id"]
        case "review.removed" | "review.restored":
            removes = event["type"] == "review.removed"
            return "moderations", shop, data["review_id"], time, removes
        case "order.paid":
            return "orders", shop, data["order_id"]
        case "order.refunded":
            return "refunds", shop, data["refund_id"]
        case "stock.counted":
            return "stock_counts", shop, data["listing_id"], time
        case kind:
            return "listing_events", shop, data["listing_id"], time, kind.partition(".")[2]


STORED = {
    "ratings": "review_id",
    "moderations": "review_id, time, removes",
    "orders": "order_id",
    "refunds": "refund_id",
    "stock_counts": "listing_id, time",
    "listing_events": "listing_id, time, fact.kind",
}
"""Every table of facts with the rest of its key."""
