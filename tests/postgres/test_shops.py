"""Shops put by several writers at once, and under other rules."""

import asyncio
import dataclasses
import random
from collections import Counter

import msgspec
import pytest

from domain.errors import ShopImmutable, UnknownRules
from domain.ports import PutOutcome
from infra.postgres.database import PoolLimits, open_database
from tests.postgres.conftest import Storage, events_of, new_storage, shops_of
from tests.reference.worlds import world

WORLD = world(7, 250)
SHOPS = shops_of(WORLD)


async def test_a_shop_put_by_many_at_once_is_created_by_one(
    storage: Storage, database_url: str
) -> None:
    await storage.open(dataclasses.replace(WORLD, shops=[]))
    async with open_database(database_url, PoolLimits(connections_max=8)) as pool:
        others = [await new_storage(pool, database_url) for _ in range(8)]

        async def put(number: int) -> dict[str, PutOutcome]:
            order = random.Random(number).sample(SHOPS, len(SHOPS))
            outcomes = await others[number].shops.put(storage.act, order)
            return dict(zip((shop.shop_id for shop in order), outcomes, strict=True))

        put_by = await asyncio.gather(*(put(number) for number in range(8)))
    for shop in SHOPS:
        outcomes = Counter(outcomes[shop.shop_id] for outcomes in put_by)
        assert outcomes == {"created": 1, "unchanged": 7}
    assert await storage.differences() == []


async def test_definitions_that_race_leave_one_of_them_whole(storage: Storage) -> None:
    await storage.open(WORLD)
    versions = [
        [msgspec.structs.replace(shop, category=f"c{n}", rules=rules) for shop in SHOPS]
        for n, rules in enumerate(("taobao", "pinduoduo", "strict", "open-1"))
    ]
    events = events_of(WORLD.events)
    await asyncio.gather(
        *(storage.shops.put(storage.act, version) for version in versions),
        *(storage.record(events[start::4]) for start in range(4)),
    )
    for shop in SHOPS:
        stored = await storage.shops.get(storage.tenant_id, shop.shop_id)
        assert stored.shop in [shop for version in versions for shop in version]
    assert await storage.differences() == []


@pytest.mark.parametrize("rules", ["taobao", "pinduoduo", "strict", "open-1"])
async def test_other_rules_leave_what_would_stand_had_they_always_held(
    storage: Storage, rules: str
) -> None:
    events = events_of(WORLD.events)
    moved = [msgspec.structs.replace(shop, rules=rules) for shop in SHOPS]
    await storage.open(WORLD)
    await storage.record(events)
    outcomes = await storage.shops.put(storage.act, moved)
    assert set(outcomes) <= {"changed", "unchanged"}
    assert await storage.differences() == []

    always = await new_storage(storage.database, storage.url, "always")
    await always.open(WORLD)
    await always.shops.put(always.act, moved)
    await always.record(events)
    assert await always.stored() == await storage.stored()


async def test_each_shop_of_a_list_is_judged_for_itself(storage: Storage) -> None:
    await storage.open(WORLD)
    await storage.record(events_of(WORLD.events))
    busy = next(shop for shop in SHOPS if shop.shop_id == "sh-1")
    idle = next(shop for shop in SHOPS if shop.shop_id == "idle")
    new = msgspec.structs.replace(idle, shop_id="new")
    outcomes = await storage.shops.put(
        storage.act,
        [
            msgspec.structs.replace(busy, currency="USD", time_zone="UTC"),
            msgspec.structs.replace(idle, currency="USD", time_zone="UTC"),
            msgspec.structs.replace(new, rules="none-such"),
            SHOPS[-1],
            msgspec.structs.replace(new, shop_id="newer"),
        ],
    )
    fixed, *plain = outcomes
    unknown = plain.pop(1)
    assert isinstance(fixed, ShopImmutable)
    assert fixed.fields == ["currency", "time_zone"]
    assert isinstance(unknown, UnknownRules)
    assert plain == ["changed", "unchanged", "created"]
    assert (await storage.shops.get(storage.tenant_id, "sh-1")).shop == busy
    assert await storage.differences() == []
