"""Two locks between tenants, each tested with the other removed."""

import re
from datetime import date
from typing import TypeAlias

import asyncpg
import pytest

from domain.listings import ListingFilter
from domain.ports import ReviewsQuery, ShopKey, StoredShop
from domain.rules import BUILT_IN, TAOBAO
from domain.shops import Shop
from domain.windows import windows
from infra.postgres.database import Connection, Database
from infra.postgres.fact_statements import fact_statements
from infra.postgres.listings import Listings
from infra.postgres.reviews import Reviews
from infra.postgres.rules import RulesCache
from infra.postgres.scores import Scores
from infra.postgres.sessions import ROLE
from infra.postgres.shop_cache import ShopCache
from infra.postgres.statements import sql, statement_names
from tests.api.samples import SHOP, Client, Json, envelope
from tests.conftest import Clock, new_key

Responses: TypeAlias = dict[str, tuple[int, str]]

ABSENT = (404, "")

DAY = date(2026, 11, 20)
READS_FOR_ANSWERS = {
    "counter_totals", "day_totals", "listing_events_until", "listings_page", "recount_moderations",
    "recount_ratings", "reviews_page", "shop_totals", "sold_listings", "window_totals",
}  # fmt: skip
"""Statements that read facts or totals of shops that a caller names."""

BIG_TABLES = (
    "ratings", "moderations", "orders", "refunds", "listing_events", "stock_counts", "daily_totals",
    "counter_days", "shop_totals", "listing_days",
)  # fmt: skip

PATHS = (
    "", "/scorecard", "/dsr", "/dsr?rules=pinduoduo", "/tier", "/sell-through",
    "/sell-through?window_days=7", "/listings", "/reviews",
    "/trend?start=2026-11-01&end=2026-11-20", "/dsr/change?start=2026-11-01&end=2026-11-20",
    "/dsr/forecast", "/dsr/plan?dimension=service&target=4.8&by=2026-12-01&stars=5",
)  # fmt: skip


def event(kind: str, **data: object) -> Json:
    """Return an event of the shop `mine` on the day that the tests read."""
    return envelope(kind, data, subject="mine", time="2026-11-20T04:00:00Z")


@pytest.fixture
async def empty(client: Client) -> Responses:
    """Return the responses about the shop `mine` of `acme` before it has facts."""
    assert (await client.put("/v1/shops/mine", json=SHOP)).status_code == 201
    responses = await read_paths(client, own(client))
    assert ABSENT not in responses.values()
    return responses


@pytest.fixture
async def shop(empty: Responses, client: Client, database: Database) -> ShopKey:
    """Return the shop `mine` with a fact of each kind that responses are computed from."""
    assert empty
    line = {"listing_id": "l-1", "quantity": 2, "amount": "10.00"}
    scores = {"description": 5, "service": 4, "logistics": 3}
    events = [
        event("review.posted", review_id="r-1", order_id="o", buyer_id="b", scores=scores),
        event("listing.published", listing_id="l-1", title="A"),
        event("order.paid", order_id="o-1", buyer_id="b", lines=[line]),
        event("stock.counted", listing_id="l-1", on_hand=9),
    ]
    posted = await client.post(
        "/v1/events",
        json=events,
        headers={"content-type": "application/cloudevents-batch+json"},
    )
    assert posted.json()["stored"] == len(events)
    [row] = await database.fetch("shops_after", 0, 10)
    return ShopKey(row["tenant_id"], row["shop_key"])


async def read_all(database: Database, shop: ShopKey) -> list[object]:
    """Return the result of every read of a shop; an empty result is falsy."""
    scores = Scores(database, ShopCache(database, RulesCache()))
    draft = Shop("mine", "taobao", "baby", "CNY", "Asia/Shanghai", "individual", None, "taobao")
    stored = StoredShop(shop.tenant_id, shop.shop_key, draft, BUILT_IN["taobao"])
    totals = await scores.window_totals([(stored, windows(DAY, TAOBAO))])
    everything = ReviewsQuery(None, date.min, date.max)
    return [
        any(any(row) for row in totals.values()),
        await scores.day_totals(stored, DAY, DAY),
        await scores.replay(shop, TAOBAO),
        await Listings(database).page(
            shop, DAY, ListingFilter(), units_from=DAY, after="", limit=10
        ),
        await Reviews(database).page(shop, everything, None, 10),
    ]


async def test_a_shop_key_finds_nothing_under_another_tenant(
    shop: ShopKey, database: Database, clock: Clock
) -> None:
    await new_key(database, clock, tenant="other")
    assert all(await read_all(database, shop))
    assert not any(await read_all(database, ShopKey(shop.tenant_id + 1, shop.shop_key)))


async def test_a_foreign_key_finds_nothing_though_the_views_had_lost_their_tenant(
    shop: ShopKey, client: Client, database_url: str, database: Database, clock: Clock
) -> None:
    other = await new_key(database, clock, tenant="other")
    await open_views(database_url)
    leaking = await read_all(database, ShopKey(shop.tenant_id + 1, shop.shop_key))
    # Totals are read beside the shop's rules, which names the tenant once more.
    assert all(leaking[2:])
    assert await read_paths(client, other) == dict.fromkeys(PATHS, ABSENT)


@pytest.mark.usefixtures("shop")
async def test_a_foreign_key_learns_nothing_though_every_shop_were_found_under_every_tenant(
    empty: Responses,
    client: Client,
    database_url: str,
    database: Database,
    clock: Clock,
) -> None:
    other = await new_key(database, clock, tenant="other")
    await open_shops(database_url)
    responses = await read_paths(client, other)
    assert {status for status, _ in responses.values()} == {200, 404}
    assert [path for path, answer in responses.items() if answer not in (empty[path], ABSENT)] == []


@pytest.mark.usefixtures("shop")
async def test_without_both_locks_a_foreign_key_reads_all_so_these_tests_can_fail(
    empty: Responses,
    client: Client,
    database_url: str,
    database: Database,
    clock: Clock,
) -> None:
    other = await new_key(database, clock, tenant="other")
    full = await read_paths(client, own(client))
    assert [path for path in PATHS if full[path] == empty[path]] == [""]
    await open_views(database_url)
    await open_shops(database_url)
    assert await read_paths(client, other) == full


async def read_paths(client: Client, key: str) -> Responses:
    """Return the status and the body of each path."""
    responses = {}
    for path in PATHS:
        answer = await client.get(
            f"/v1/shops/mine{path}", headers={"authorization": f"Bearer {key}"}
        )
        responses[path] = (200, answer.text) if answer.status_code == 200 else ABSENT
        assert answer.status_code in {200, 404}
    return responses


def own(client: Client) -> str:
    """Return the key of the client."""
    return client.headers["authorization"].removeprefix("Bearer ")


async def open_views(url: str) -> None:
    """Remove the second lock: views show every shop's rows under every tenant."""
    owner = await asyncpg.connect(url)
    for name in BIG_TABLES:
        await forget_tenant(owner, f"tenant_{name}")
    await owner.close()


async def open_shops(url: str) -> None:
    """Remove the first lock: every tenant finds every shop as its own."""
    owner = await asyncpg.connect(url)
    columns = await owner.fetchval(
        "select string_agg(attname, ', ') from pg_attribute"
        " where attrelid = 'shops'::regclass and attnum > 0 and attname <> 'tenant_id'"
    )
    await owner.execute("alter table shops rename to stored_shops")
    await owner.execute(
        f"create view shops as select t.tenant_id, {columns} from stored_shops cross join tenants t"
    )
    await owner.close()


async def forget_tenant(owner: Connection, view: str) -> None:
    """Make a view show every shop under every tenant."""
    text = await owner.fetchval("select pg_get_viewdef(to_regclass($1))", view)
    if text is None:
        return
    body = re.sub(r"^\s*SELECT s\.tenant_id", "SELECT each.tenant_id", text.rstrip(" ;"))
    await owner.execute(f"create or replace view {view} as {body} cross join tenants each")


def test_answers_are_read_from_the_views_alone() -> None:
    for name in READS_FOR_ANSWERS:
        for table in BIG_TABLES:
            assert not re.search(rf"\b(from|join) {table}\b", sql(name)), (name, table)


def test_every_other_reader_of_facts_works_on_shops_that_it_has_locked_or_verifies() -> None:
    others = {
        name
        for name in statement_names()
        if name not in READS_FOR_ANSWERS
        and any(re.search(rf"\b(from|join) {table}\b", sql(name)) for table in BIG_TABLES)
    }
    assert others - _FACTS == {
        *("lock_free_shops", "lock_shops", "has_facts", "known_reviews", "known_sale_days"),
        "known_listing_events",
        *("peer_counters", "peer_days", "peer_totals", "shops_to_roll"),
        *("stored_counters", "stored_days", "stored_totals", "stored_units"),
        *("delete_counters", "delete_days", "delete_units", "delete_unsold"),
        "shops_of_buyer",
        *("delete_shop", "insert_running_days", "pop_day"),
    }


_FACTS = fact_statements().keys()
"""Statements on facts alone, which are rendered for each kind."""


async def test_the_service_is_neither_superuser_nor_owner(database: Database) -> None:
    async def work(connection: Connection) -> tuple[str, bool, int]:
        return (
            await connection.fetchval("select current_user"),
            await connection.fetchval(
                "select rolsuper or rolbypassrls from pg_roles where rolname = current_user"
            ),
            await connection.fetchval(
                "select count(*) from pg_class where relowner = current_user::regrole "
                "and relpersistence = 'p'"
            ),
        )

    assert await database.run(work) == (ROLE, False, 0)


async def test_the_service_cannot_change_the_schema(database: Database) -> None:
    async def work(connection: Connection) -> None:
        await connection.execute("drop table ratings")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.run(work)
