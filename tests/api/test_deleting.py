"""A shop that is deleted: gone from reads at once, and from storage soon after."""

import asyncio

import asyncpg
import pytest

from infra.postgres import shops
from infra.postgres.database import Database
from infra.postgres.fact_statements import TABLES_OF_SHOP
from infra.postgres.rules import RulesCache
from infra.postgres.shop_cache import ShopCache
from infra.postgres.shops import Shops
from tests.api.conftest import KeyHolder
from tests.api.samples import (
    DATA,
    SHOP,
    Client,
    Json,
    event,
    open_shop,
    problem,
    refusals,
    review,
    send,
    store,
)

PATHS = ("", "/scorecard", "/dsr", "/tier", "/sell-through", "/listings", "/reviews")


def events(subject: str = "s") -> list[Json]:
    """Return an event of every type, of a shop."""
    return [event(kind, subject=subject) for kind in DATA]


async def rows_by_table(url: str) -> dict[str, int]:
    """Return the number of rows by table, of tables with rows of shops."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "select table_name from information_schema.columns c "
            "join information_schema.tables t using (table_schema, table_name) "
            "where column_name = 'shop_key' and table_schema = 'public' "
            "and table_type = 'BASE TABLE'"
        )
        counts = {
            name: await connection.fetchval(f"select count(*) from {name}") for (name,) in tables
        }
    finally:
        await connection.close()
    return {name: count for name, count in counts.items() if count}


async def remove_deleted(database: Database) -> int:
    """Remove what is stored of deleted shops, as the schedule does."""
    return await Shops(database, ShopCache(database, RulesCache()), 1).remove_deleted()


async def test_a_deleted_shop_is_gone_from_every_read_at_once(shop: Client) -> None:
    await open_shop(shop, "t")
    await store(shop, *events(), *events("t"))
    before = (await shop.get("/v1/shops/t/scorecard")).json()
    assert (await shop.delete("/v1/shops/s")).status_code == 204
    for path in PATHS:
        assert problem(await shop.get(f"/v1/shops/s{path}"), 404) == "not_found", path
    assert [item["shop_id"] for item in (await shop.get("/v1/shops")).json()["items"]] == ["t"]
    [item] = (await shop.get("/v1/scorecards?shop_id=s")).json()["items"]
    assert item["problem"]["code"] == "not_found"
    assert [code for *_, code in refusals(await send(shop, event()))] == ["unknown_shop"]
    assert (await shop.get("/v1/shops/t/scorecard")).json() == before
    assert problem(await shop.delete("/v1/shops/s"), 404) == "not_found"


async def test_nothing_is_left_of_a_deleted_shop_after_the_removal(
    shop: Client, database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store(shop, *events(), *(review(f"x-{n}") for n in range(8)))
    await open_shop(shop, "t")
    await send(shop, event(subject="t"))
    await shop.delete("/v1/shops/s")
    assert (await rows_by_table(database_url))["ratings"] == 10
    monkeypatch.setattr(shops, "ROWS_REMOVED", 3)
    removed = await remove_deleted(database)
    left = await rows_by_table(database_url)
    assert removed > 9
    assert (left["shops"], left["ratings"], left["shop_totals"]) == (1, 1, 1)
    assert left.keys() <= {"shops", "ratings", "shop_totals", "daily_totals"}
    assert await remove_deleted(database) == 0


async def test_every_table_with_rows_of_shops_is_emptied(database: Database) -> None:
    rows = await database.run(
        lambda connection: connection.fetch(
            "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid "
            "where a.attname = 'shop_key' and c.relkind = 'r'"
        )
    )
    emptied_at_once = {"shops", "shop_totals", "deleted_shops"}
    assert {row["relname"] for row in rows} == {*TABLES_OF_SHOP} | emptied_at_once


async def test_a_shop_of_the_same_id_starts_empty(shop: Client, database: Database) -> None:
    await store(shop, *events())
    await shop.delete("/v1/shops/s")
    changed = {**SHOP, "currency": "USD", "time_zone": "America/New_York"}
    assert (await shop.put("/v1/shops/s", json=changed)).status_code == 201
    scorecard = (await shop.get("/v1/shops/s/scorecard")).json()
    assert scorecard["dsr"]["description"]["count"] == 0
    assert scorecard["tier"]["sales"] == "0.00"
    assert (await send(shop, event())).json()["stored"] == 1
    await remove_deleted(database)
    after = (await shop.get("/v1/shops/s/scorecard")).json()
    assert after["dsr"]["description"]["count"] == 1


async def test_a_key_deletes_the_shops_that_it_reaches(shop: Client, holder: KeyHolder) -> None:
    await open_shop(shop, "t")
    stranger, narrow = await holder(tenant="other"), await holder(shop_ids=["t"])
    for client in (stranger, narrow):
        assert problem(await client.delete("/v1/shops/s"), 404) == "not_found"
    assert (await narrow.delete("/v1/shops/t")).status_code == 204
    assert (await shop.get("/v1/shops/s")).status_code == 200


async def test_events_under_way_are_stored_before_a_deletion_or_refused_after(
    shop: Client, database: Database, database_url: str
) -> None:
    answers = await asyncio.gather(
        *(send(shop, review(f"r-{n}")) for n in range(20)),
        shop.delete("/v1/shops/s"),
        *(send(shop, review(f"s-{n}")) for n in range(20)),
    )
    assert answers[20].status_code == 204
    for answer in (*answers[:20], *answers[21:]):
        assert answer.status_code in {200, 422}
        if answer.status_code == 422:
            assert [code for *_, code in refusals(answer)] == ["unknown_shop"]
    await remove_deleted(database)
    assert await rows_by_table(database_url) == {}
