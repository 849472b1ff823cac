"""Of a review's moderations few are read, and its state follows from all of them."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from domain.facts import Event
from tests.api.samples import Json, event
from tests.postgres.conftest import Storage
from tests.postgres.test_shop_cache import SHOP

START = datetime(2024, 5, 10, tzinfo=UTC)
REVIEWS, BATCHES = 3, 25


def moderation(rng: random.Random) -> Json:
    """Return a removal or a restoral of few reviews and instants, or its retraction."""
    kind = rng.choice(["review.removed", "review.restored"])
    instant = (START + timedelta(hours=rng.randrange(6))).isoformat()
    identity = {"review_id": f"r-{rng.randrange(REVIEWS)}"}
    revision = rng.randrange(9)
    if rng.random() < 0.3:
        identity["time"] = instant
        data = {"type": kind, "identity": identity, "revision": revision + 1}
        return {**event("event.retracted", subject=SHOP.shop_id), "data": data}
    return event(kind, subject=SHOP.shop_id, time=instant) | {
        "data": {**identity, "revision": revision}
    }


def decoded(events: Iterable[Json]) -> list[Event]:
    """Return good events as the ledger gets them."""
    return [msgspec.convert(item, Event) for item in events]


@pytest.mark.parametrize("seed", range(3))
async def test_states_follow_from_all_moderations(storage: Storage, seed: int) -> None:
    rng = random.Random(seed)
    await storage.shops.put(storage.act, [SHOP])
    posted = [
        event(
            subject=SHOP.shop_id,
            time=START.isoformat(),
            data={"review_id": f"r-{number}", "completed_at": None},
        )
        for number in range(REVIEWS)
    ]
    storage.now = START + timedelta(days=1)
    assert set(await storage.record(decoded(posted))) == {"stored"}
    for _ in range(BATCHES):
        moderations = [moderation(rng) for _ in range(rng.randrange(1, 6))]
        await storage.record(decoded(moderations))
        assert await storage.differences() == []
