"""Revisions and retractions on Postgres: what is stored is what the reference says."""

import random
from collections.abc import Iterator

import msgspec
import pytest

from domain.facts import Event
from domain.recording import Refused
from domain.rules import Rules
from domain.shops import Shop
from domain.totals import RatingState
from tests.postgres.conftest import Storage, new_storage
from tests.reference.rules import BUILT_IN, Json
from tests.reference.scores import Reference
from tests.reference.worlds import NOW

SHOP = Shop("a", "taobao", "baby", "CNY", "Asia/Shanghai", "individual", None, "own")
RULES = BUILT_IN["taobao"] | {"ratings_per_buyer_month": 2}
REVISIONS = (0, 0, 1, 2, 2**53 - 1)


def revised_events(seed: int, size: int) -> Iterator[Json]:
    """Yield events of few identities; their revision decides all of their content."""
    rng = random.Random(seed)
    for _ in range(size):
        number, revision = rng.randrange(5), rng.choice(REVISIONS)
        content = random.Random(f"{number} {revision}")
        fixed = f"2024-11-{1 + number:02}T10:00:00Z"
        time = f"2024-11-{content.randint(1, 19):02}T{content.randint(0, 23):02}:00:00Z"
        listing_id = f"l-{content.randrange(3)}"
        amount = f"{content.randrange(100)}"
        line = {"listing_id": listing_id, "quantity": content.randint(1, 3), "amount": amount}
        order: Json = {"order_id": f"o-{number}", "buyer_id": "b", "lines": [line]}
        refund: Json = {"refund_id": f"f-{number}", "order_id": f"o-{revision}", "amount": amount}
        listing: Json = {"listing_id": f"l-{number % 3}"}
        place: Json = listing | {"location": "A"}
        buyer = content.choice((None, "b-1", "b-1", "b-1", "b-2"))
        review: Json = {"review_id": f"r-{number}", "scores": {"service": 1 + content.randrange(5)}}
        action: Json = {"review_id": f"r-{number}"}
        type_, at, data, identity = rng.choice(
            (
                ("order.paid", time, order, {"order_id": order["order_id"]}),
                ("order.refunded", time, refund, {"refund_id": refund["refund_id"]}),
                ("listing.published", fixed, listing | {"title": amount}, listing),
                ("listing.withdrawn", fixed, listing, listing),
                ("review.posted", time, review | {"buyer_id": buyer}, action),
                ("review.posted", time, review | {"buyer_id": buyer}, action),
                ("review.removed", fixed, action | {"note": amount}, action | {"time": fixed}),
                ("review.restored", fixed, action | {"note": amount}, action | {"time": fixed}),
                ("stock.counted", fixed, listing | {"on_hand": content.randrange(9)}, listing),
                ("stock.counted", fixed, listing | {"on_hand": 1, "location": "A"}, place),
            )
        )
        if "listing_id" in identity:
            identity = identity | {"time": fixed}
        data = data | {"revision": revision}
        if revision and random.Random(f"{type_} {number} {revision}").random() < 0.4:
            data = {"type": type_, "identity": identity, "revision": revision}
            type_, at = "event.retracted", "2024-11-02T00:00:00Z"
        envelope = {"specversion": "1.0", "id": "e", "source": "s", "subject": "a"}
        yield envelope | {"type": type_, "time": at, "data": data}


def decoded(events: list[Json]) -> list[Event | Refused]:
    """Return events as the ledger gets them."""
    return [msgspec.convert(event, Event) for event in events]


async def stored_states(storage: Storage) -> dict[object, str]:
    """Return the states of the ratings that are not retracted, by review id."""
    rows = [dict(row) for row in (await storage.stored())["states"]]
    return {
        row["review_id"]: RatingState(row["state"]).name.lower()
        for row in rows
        if isinstance(row["state"], int)
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_any_order_and_any_batches_store_what_the_highest_revisions_say(
    storage: Storage, seed: int
) -> None:
    rng = random.Random(seed)
    events = list(revised_events(seed, 200))
    other = await new_storage(storage.database, storage.url, "other")
    for tenant in (storage, other):
        await tenant.rules.put(tenant.act, "own", msgspec.convert(RULES, Rules), 10)
        await tenant.shops.put(tenant.act, [SHOP])
    reference = Reference(NOW)
    reference.put_rules("own", RULES)
    reference.put_shop(msgspec.to_builtins(SHOP))
    rest = events
    while rest:
        batch, rest = rest[: (size := rng.randint(1, 12))], rest[size:]
        verdicts = [reference.receive(event) for event in batch]
        outcomes = await storage.record(decoded(batch))
        assert [o.code if isinstance(o, Refused) else o for o in outcomes] == verdicts
        assert await storage.differences() == []
    states = {item["review_id"]: item["state"] for item in reference.reviews("a")["items"]}
    assert await stored_states(storage) == states
    rng.shuffle(events)
    await other.record(decoded(events))
    assert await other.stored() == await storage.stored()
    assert await other.facts() == await storage.facts()
    assert await other.differences() == []
