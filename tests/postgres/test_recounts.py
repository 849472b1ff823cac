"""Buyers' months and listings on Postgres equal a recount after every batch."""

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from domain.facts import Event
from domain.rules import TAOBAO, Rules
from domain.shops import Shop
from tests.postgres.conftest import Storage

SHOP = Shop("a", "taobao", "baby", "CNY", "UTC", "individual", None, "own")
Drawn = tuple[str, str, dict[str, Any]]


def _review(rng: random.Random) -> Drawn:
    number = rng.randrange(30)
    review = {"review_id": f"r-{number}"}
    if rng.random() < 0.3:
        type_ = rng.choice(("review.removed", "review.restored"))
        return type_, f"2024-03-01T00:00:{rng.randrange(6):02}Z", review
    # Each review is always the same; a fifth are given late.
    data = {
        **review,
        "order_id": f"o-{number}",
        "buyer_id": "b-1" if number % 6 else "b-2",
        "completed_at": f"2024-0{1 if number % 5 == 0 else 2}-{1 + 7 * number % 28:02}T00:00:00Z",
        "scores": {"description": 1 + number % 5},
    }
    time = f"2024-0{3 if number % 5 == 0 else 2}-{1 + 11 * number % 28:02}T00:00:00Z"
    return "review.posted", time, data


def _order(rng: random.Random) -> Drawn:
    number, revision = rng.randrange(12), rng.randrange(4)
    content = random.Random(f"{number} {revision}")
    if revision and content.random() < 0.3:
        identity = {"order_id": f"o-{number}"}
        return _retraction("order.paid", identity, revision)
    line = {"listing_id": f"l-{content.randrange(2)}", "quantity": 1, "amount": "1"}
    data = {"order_id": f"o-{number}", "buyer_id": "b", "lines": [line], "revision": revision}
    return "order.paid", f"2024-02-{content.randint(1, 16):02}T10:00:00Z", data


def _listing_event(rng: random.Random) -> Drawn:
    type_ = rng.choice(("listing.published", "listing.withdrawn", "listing.edited"))
    time = f"2024-02-{rng.randint(1, 12):02}T{rng.randrange(4):02}:00:00Z"
    listing, revision = {"listing_id": f"l-{rng.randrange(2)}"}, rng.randrange(3)
    if revision and random.Random(f"{type_} {time} {listing} {revision}").random() < 0.5:
        return _retraction(type_, listing | {"time": time}, revision)
    return type_, time, listing | {"revision": revision}


def _retraction(type_: str, identity: dict[str, str], revision: int) -> Drawn:
    data = {"type": type_, "identity": identity, "revision": revision}
    return "event.retracted", "2024-03-01T00:00:00Z", data


async def _record_and_recount(
    storage: Storage, rules: Rules, batches: int, rng: random.Random, *draws: Callable[..., Drawn]
) -> None:
    await storage.rules.put(storage.act, "own", rules, 10)
    await storage.shops.put(storage.act, [SHOP])
    attributes = {"specversion": "1.0", "id": "e", "source": "s", "subject": "a"}
    for _ in range(batches):
        drawn = [rng.choice(draws)(rng) for _ in range(rng.randint(1, 6))]
        events: list[Event] = [
            msgspec.convert({**attributes, "type": type_, "time": time, "data": data}, Event)
            for type_, time, data in drawn
        ]
        await storage.record(events)
        assert await storage.differences() == []


@pytest.mark.parametrize("cap", [1, 2, 3, None])
async def test_batches_of_any_size_give_the_states_of_a_recount(
    storage: Storage, cap: int | None
) -> None:
    rules = msgspec.structs.replace(TAOBAO, ratings_per_buyer_month=cap)
    await _record_and_recount(storage, rules, 30, random.Random(cap), _review)


@pytest.mark.parametrize("sold_window_days", [1, 2, 5, 30])
async def test_batches_of_any_size_give_the_days_of_a_recount(
    storage: Storage, sold_window_days: int
) -> None:
    """Orders and listing events enter and leave days in any order."""
    rules = msgspec.structs.replace(TAOBAO, sold_window_days=sold_window_days)
    rng = random.Random(sold_window_days)
    await _record_and_recount(storage, rules, 80, rng, _order, _listing_event)
