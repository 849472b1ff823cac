"""Buyers' months on Postgres: the states of ratings equal a recount after every batch."""

import random
from typing import Any

import msgspec
import pytest

from domain.facts import Event
from domain.rules import TAOBAO
from domain.shops import Shop
from tests.postgres.conftest import Storage

SHOP = Shop("a", "taobao", "baby", "CNY", "UTC", "individual", None, "capped")


def _event(kind: str, time: str, **data: Any) -> Event:
    attributes = {"specversion": "1.0", "id": "e", "source": "s", "subject": "a"}
    event: Event = msgspec.convert({**attributes, "type": kind, "time": time, "data": data}, Event)
    return event


def _drawn(rng: random.Random) -> Event:
    number = rng.randrange(30)
    if rng.random() < 0.3:
        kind = rng.choice(["review.removed", "review.restored"])
        time = f"2024-03-01T00:00:{rng.randrange(6):02}Z"
        return _event(kind, time, review_id=f"r-{number}")
    return _event(
        "review.posted",
        # Each review is always the same; a fifth are given late.
        f"2024-0{3 if number % 5 == 0 else 2}-{1 + 11 * number % 28:02}T00:00:00Z",
        review_id=f"r-{number}",
        order_id=f"o-{number}",
        buyer_id="b-1" if number % 6 else "b-2",
        completed_at=f"2024-0{1 if number % 5 == 0 else 2}-{1 + 7 * number % 28:02}T00:00:00Z",
        scores={"description": 1 + number % 5},
    )


@pytest.mark.parametrize("cap", [1, 2, 3, None])
async def test_batches_of_any_size_give_the_states_of_a_recount(
    storage: Storage, cap: int | None
) -> None:
    rng = random.Random(cap)
    capped = msgspec.structs.replace(TAOBAO, ratings_per_buyer_month=cap)
    await storage.rules.put(storage.act, "capped", capped, 10)
    await storage.shops.put(storage.act, [SHOP])
    for _ in range(30):
        await storage.record([_drawn(rng) for _ in range(rng.randint(1, 6))])
        assert await storage.differences() == []
