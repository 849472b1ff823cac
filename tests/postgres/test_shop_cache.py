"""Remembered definitions of shops are read again once they have changed."""

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest

from domain.ports import StoredShop
from domain.recording import UNKNOWN_SHOP, Submission
from domain.shops import Shop
from infra.postgres import shop_cache
from infra.postgres.rules import RulesCache
from infra.postgres.shop_cache import ShopCache
from tests.postgres.conftest import Storage, fetch, new_storage, published

SHOP = Shop("a", "taobao", "baby", "CNY", "Asia/Shanghai", "individual", None, "taobao")
EVENING = datetime(2024, 11, 19, 20, tzinfo=UTC)
"""The next day in Shanghai."""


async def read_shop(storage: Storage) -> StoredShop:
    """Return the shop as a read returns it."""
    return (await storage.scores.shop_totals(storage.tenant_id, ["a"]))["a"].stored


async def test_a_read_sees_what_another_process_made_of_a_shop(storage: Storage) -> None:
    await storage.shops.put(storage.act, [SHOP])
    assert (await read_shop(storage)).shop == SHOP
    other = await new_storage(storage.database, storage.url)
    for category in ("toys", "food"):
        moved = msgspec.structs.replace(SHOP, category=category)
        assert await other.shops.put(storage.act, [moved]) == ["changed"]
        assert (await read_shop(storage)).shop == moved


async def test_a_read_sees_which_rules_another_process_gave_a_shop(storage: Storage) -> None:
    await storage.shops.put(storage.act, [SHOP])
    assert (await read_shop(storage)).rules.name == "taobao"
    other = await new_storage(storage.database, storage.url)
    await other.shops.put(storage.act, [msgspec.structs.replace(SHOP, rules="pinduoduo")])
    assert (await read_shop(storage)).rules.name == "pinduoduo"


async def test_a_batch_is_prepared_again_where_its_shop_has_changed(storage: Storage) -> None:
    await storage.shops.put(storage.act, [SHOP])
    batch = await storage.ledger.prepare(listing(storage), storage.now)
    other = await new_storage(storage.database, storage.url)
    await other.shops.put(storage.act, [msgspec.structs.replace(SHOP, time_zone="UTC")])
    assert await storage.ledger.record([batch]) == [["stored"]]
    days = await storage._rows("select day from listing_events join shops using (shop_key)")
    assert [row["day"] for row in days] == [EVENING.date()]
    assert await storage.differences() == []


async def test_that_a_shop_is_not_there_is_not_remembered(storage: Storage) -> None:
    assert await storage.record_together(listing(storage)) == [[UNKNOWN_SHOP]]
    assert await storage.scores.shop_totals(storage.tenant_id, ["a"]) == {}
    other = await new_storage(storage.database, storage.url)
    await other.shops.put(storage.act, [SHOP])
    assert (await read_shop(storage)).shop == SHOP
    assert await storage.record_together(listing(storage)) == [["stored"]]


async def test_a_shop_that_a_restored_database_has_not_is_not_there(storage: Storage) -> None:
    await storage.shops.put(storage.act, [SHOP])
    assert await storage.record_together(listing(storage)) == [["stored"]]
    assert (await read_shop(storage)).shop == SHOP
    for table in ("listing_events", "daily_totals", "shop_totals", "shops"):
        await fetch(storage.url, f"delete from {table}")
    assert await storage.record_together(listing(storage)) == [[UNKNOWN_SHOP]]
    assert await storage.scores.shop_totals(storage.tenant_id, ["a"]) == {}
    await storage.shops.put(storage.act, [SHOP])
    assert await storage.record_together(listing(storage)) == [["stored"]]
    assert (await read_shop(storage)).shop == SHOP


async def test_so_many_are_remembered_and_no_more(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop_cache, "REMEMBERED_MAX", 2)
    names = [(storage.tenant_id, name) for name in "abc"]
    await storage.shops.put(
        storage.act, [msgspec.structs.replace(SHOP, shop_id=id_) for id_ in "abc"]
    )
    cache = ShopCache(storage.database, RulesCache())
    for name in names:
        assert list(await cache.find([name])) == [name]
    assert list(cache._seen) == names[1:]
    assert (await cache.find(names)).keys() == set(names)


async def test_what_is_missing_at_the_same_time_is_read_together(storage: Storage) -> None:
    names = [(storage.tenant_id, name) for name in "abcdef"]
    await storage.shops.put(
        storage.act, [msgspec.structs.replace(SHOP, shop_id=shop_id) for _, shop_id in names]
    )
    cache = ShopCache(storage.database, RulesCache())
    reads: list[int] = []
    read = cache.read

    async def counted(connection: object, names: object) -> object:
        reads.append(len(names))  # type: ignore[arg-type]
        return await read(connection, names)  # type: ignore[arg-type]

    cache.read = counted  # type: ignore[method-assign,assignment]
    read_together = await asyncio.gather(*(cache.find([name]) for name in names))
    assert [list(definitions) for definitions in read_together] == [[name] for name in names]
    assert sum(reads) == len(names)
    assert len(reads) <= 2
    await asyncio.gather(*(cache.find([name]) for name in names))
    assert len(reads) <= 2


def listing(storage: Storage) -> Submission:
    """Return a listing of the shop on the evening of a day in UTC."""
    return Submission(storage.tenant_id, None, [published("l", time=EVENING)])
