"""Listings on Postgres: days on sale and days sold equal a recount after every batch."""

import random
from typing import Any

import msgspec
import pytest

from domain.facts import Event
from domain.rules import TAOBAO
from domain.shops import Shop
from tests.postgres.conftest import Storage

SHOP = Shop("a", "taobao", "baby", "CNY", "UTC", "individual", None, "brief")


def _drawn(rng: random.Random) -> Event:
    type_, time, data = rng.choice((_order, _listing_event))(rng)
    attributes = {"specversion": "1.0", "id": "e", "source": "s", "subject": "a"}
    event: Event = msgspec.convert({**attributes, "type": type_, "time": time, "data": data}, Event)
    return event


def _order(rng: random.Random) -> tuple[str, str, dict[str, Any]]:
    number, revision = rng.randrange(12), rng.randrange(4)
    content = random.Random(f"{number} {revision}")
    if revision and content.random() < 0.3:
        identity = {"order_id": f"o-{number}"}
        return _retraction("order.paid", identity, revision)
    line = {"listing_id": f"l-{content.randrange(2)}", "quantity": 1, "amount": "1"}
    data = {"order_id": f"o-{number}", "buyer_id": "b", "lines": [line], "revision": revision}
    return "order.paid", f"2024-02-{content.randint(1, 16):02}T10:00:00Z", data


def _listing_event(rng: random.Random) -> tuple[str, str, dict[str, Any]]:
    type_ = rng.choice(("listing.published", "listing.withdrawn", "listing.edited"))
    time = f"2024-02-{rng.randint(1, 12):02}T{rng.randrange(4):02}:00:00Z"
    listing, revision = {"listing_id": f"l-{rng.randrange(2)}"}, rng.randrange(3)
    if revision and random.Random(f"{type_} {time} {listing} {revision}").random() < 0.5:
        return _retraction(type_, listing | {"time": time}, revision)
    return type_, time, listing | {"revision": revision}


def _retraction(
    type_: str, identity: dict[str, str], revision: int
) -> tuple[str, str, dict[str, Any]]:
    data = {"type": type_, "identity": identity, "revision": revision}
    return "event.retracted", "2024-03-01T00:00:00Z", data


@pytest.mark.parametrize("sold_window_days", [1, 2, 5, 30])
async def test_batches_of_any_size_give_the_days_of_a_recount(
    storage: Storage, sold_window_days: int
) -> None:
    """Orders and listing events enter and leave days in any order."""
    rng = random.Random(sold_window_days)
    brief = msgspec.structs.replace(TAOBAO, sold_window_days=sold_window_days)
    await storage.rules.put(storage.act, "brief", brief, 10)
    await storage.shops.put(storage.act, [SHOP])
    for _ in range(80):
        await storage.record([_drawn(rng) for _ in range(rng.randint(1, 5))])
        assert await storage.differences() == []
