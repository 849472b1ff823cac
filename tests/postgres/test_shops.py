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
from tests.postgres.conftest import Books, events_of, new_books, shops_of
from tests.reference.worlds import world

WORLD = world(7, 250)
SHOPS = shops_of(WORLD)


async def test_a_shop_put_by_many_at_once_is_created_by_one(
    books: Books, database_url: str
) -> None:
    await books.open(dataclasses.replace(WORLD, shops=[]))
    async with open_database(database_url, PoolLimits(connections_max=8)) as pool:
        others = [await new_books(pool, database_url) for _ in range(8)]

        async def put(number: int) -> dict[str, PutOutcome]:
            order = random.Random(number).sample(SHOPS, len(SHOPS))
            outcomes = await others[number].shops.put(books.act, order)
            return dict(zip((shop.shop_id for shop in order), outcomes, strict=True))

        put_by = await asyncio.gather(*(put(number) for number in range(8)))
    for shop in SHOPS:
        outcomes = Counter(outcomes[shop.shop_id] for outcomes in put_by)
        assert outcomes == {"created": 1, "unchanged": 7}
    assert await books.differences() == []


async def test_definitions_that_race_leave_one_of_them_whole(books: Books) -> None:
    await books.open(WORLD)
    versions = [
        [msgspec.structs.replace(shop, category=f"c{n}", rules=rules) for shop in SHOPS]
        for n, rules in enumerate(("taobao", "pinduoduo", "strict", "open-1"))
    ]
    events = events_of(WORLD.events)
    await asyncio.gather(
        *(books.shops.put(books.act, version) for version in versions),
        *(books.record(events[start::4]) for start in range(4)),
    )
    for shop in SHOPS:
        stored = await books.shops.get(books.tenant_id, shop.shop_id)
        assert stored.shop in [shop for version in versions for shop in version]
    assert await books.differences() == []


@pytest.mark.parametrize("rules", ["taobao", "pinduoduo", "strict", "open-1"])
async def test_other_rules_leave_what_would_stand_had_they_always_held(
    books: Books, rules: str
) -> None:
    events = events_of(WORLD.events)
    moved = [msgspec.structs.replace(shop, rules=rules) for shop in SHOPS]
    await books.open(WORLD)
    await books.record(events)
    outcomes = await books.shops.put(books.act, moved)
    assert set(outcomes) <= {"changed", "unchanged"}
    assert await books.differences() == []

    always = await new_books(books.database, books.url, "always")
    await always.open(WORLD)
    await always.shops.put(always.act, moved)
    await always.record(events)
    assert await always.stored() == await books.stored()


async def test_each_shop_of_a_list_is_judged_for_itself(books: Books) -> None:
    await books.open(WORLD)
    await books.record(events_of(WORLD.events))
    busy = next(shop for shop in SHOPS if shop.shop_id == "sh-1")
    idle = next(shop for shop in SHOPS if shop.shop_id == "idle")
    new = msgspec.structs.replace(idle, shop_id="new")
    outcomes = await books.shops.put(
        books.act,
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
    assert (await books.shops.get(books.tenant_id, "sh-1")).shop == busy
    assert await books.differences() == []
