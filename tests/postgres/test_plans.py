"""Plans of all statements in a database of a million ratings.

No statement scans a whole table that grows, or visits more rows than its arguments need.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg
import pytest

from domain.counters import FIELDS
from domain.metrics import RATIOS
from infra.postgres.database import Connection
from infra.postgres.fact_statements import TABLES_OF_SHOP
from infra.postgres.statements import sql, statement_names
from tests.harness.postgres import execute
from tests.postgres import million

GROWING = {
    *("shops", "shop_totals", "daily_totals", "counter_days", "ratings", "moderations"),
    *("orders", "refunds", "listing_events", "listing_days", "stock_counts", "audit_trail"),
    *("peer_snapshots", "peer_groups", "peer_members"),
}
PLANNER = ("set local random_page_cost = 1.1", "set local jit = off")
"""Settings of the embedded server and of the service's sessions, for any server."""
MODES = ("force_custom_plan", "force_generic_plan")

DAY = date(2026, 11, 20)
TOMORROW = date(2026, 11, 21)
MONTH = date(2026, 11, 1)
PUBLISHED = datetime(2026, 11, 1, tzinfo=UTC)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

LARGEST, SMALL = 1, 7
KEYS = list(range(1, 101))
"""A batch of a hundred shops, the largest among them."""
TENANTS = [1] * len(KEYS)
IDS = [f"s-{key}" for key in KEYS]
RATED = [(LARGEST, n) for n in range(0, million.OF_THE_LARGEST, 600)] + [
    (key, n) for n in range(400_000, 430_000) if (key := 2 + n % (million.SHOPS - 1)) in KEYS
]
REVIEWS = ([key for key, _ in RATED], [f"r-{n:07}" for _, n in RATED])
EAGER = ([1] * 10, [f"s-{n:07}" for n in range(1, 11)])
ORDERS = (REVIEWS[0], [f"o-{n}" for _, n in RATED])
LISTED = (KEYS, ["l-00001"] * len(KEYS))
METRICS = [metric.key for metric in RATIOS]
CATEGORIES = [f"c-{n}" for n in range(20)]
TOTALS = [f"({key},2026-11-19{',1' * len(FIELDS)})" for key in (2, 3)]
RUNNING = [f"({key},2026-11-19,{',1' * 2 * len(FIELDS)})" for key in (2, 3)]


class Plan(NamedTuple):
    """Arguments of a statement, the bound of visited rows, and the allowed indexes.

    Tables in `scanned` hold a row for each shop, all of which are needed.
    """

    arguments: tuple[object, ...]
    rows: int
    indexes: str
    scanned: tuple[str, ...] = ()


SHOPS = "shops_pkey shops_shop_key_key"

PLANS: dict[str, Plan] = {
    "shop_totals": Plan((TENANTS, KEYS), 300, f"{SHOPS} shop_totals_pkey peer_snapshots_pkey"),
    "window_totals": Plan(
        (TENANTS, KEYS, [date(2026, 5, 25)] * 100, [date(2026, 10, 22)] * 100, [TOMORROW] * 100),
        # Of each day of a shop, and for each of them the shop; and whether it has running totals.
        100 * (2 * 40 + 2),
        f"{SHOPS} daily_totals_pkey shop_totals_pkey",
    ),
    "day_totals": Plan(
        (1, SMALL, date(2026, 10, 22), TOMORROW), 25, f"{SHOPS} daily_totals_pkey shop_totals_pkey"
    ),
    "known_reviews": Plan(
        (
            *REVIEWS,
            KEYS,
            [MONTH] * 100,
            ["b-1"] * 100,
            ["n"] * 100,
            *REVIEWS,
            [],
            [2] * len(RATED),
            *(*REVIEWS, [True] * len(RATED), [NOON] * len(RATED)),
        ),
        25 * len(RATED),
        "ratings_pkey ratings_month_buyer_idx ratings_capped_idx moderations_pkey",
    ),
    # Of ten ratings the first one of the buyer's month, and ten on either side of the cap.
    "known_reviews of an eager buyer": Plan(
        (
            *EAGER,
            [1] * 10,
            [MONTH] * 10,
            [million.EAGER_BUYER] * 10,
            EAGER[1],
            *EAGER,
            [],
            [2] * 10,
            [],
            [],
            [],
            [],
        ),
        80,
        "ratings_pkey ratings_month_buyer_idx ratings_capped_idx moderations_pkey",
    ),
    "known_orders_by_order_id": Plan(ORDERS, 2 * len(RATED), "orders_pkey"),
    "known_refunds_by_refund_id": Plan(ORDERS, 2 * len(RATED), "refunds_pkey"),
    "known_listing_events_by_listing_id_kind_time": Plan(
        (*LISTED, ["published"] * 100, [PUBLISHED] * 100), 100, "listing_events_pkey"
    ),
    "known_listing_events": Plan(
        (*LISTED, [MONTH] * 100, [2] * 100, [DAY] * 100),
        3 * 100,
        "listing_events_day_idx listing_events_pkey",
    ),
    # A listing that was published 20,000 times on 20 days.
    "known_listing_events of a restless listing": Plan(
        ([2], [million.RESTLESS_LISTING], [date(2026, 10, 5)], [2], [date(2026, 10, 12)]),
        2 + 1 + 6 + 2,
        "listing_events_day_idx listing_events_pkey",
    ),
    "known_sale_days": Plan(
        (*LISTED, [MONTH] * 100, [30] * 100, *LISTED, [MONTH] * 100, [30] * 100),
        6 * 100,
        "listing_days_pkey listing_events_day_idx",
    ),
    "known_stock_counts_by_listing_id_location_time": Plan(
        (*LISTED, [""] * 100, [PUBLISHED] * 100), 100, "stock_counts_pkey"
    ),
    "delete_moderations": Plan(
        (*REVIEWS, [True] * len(RATED), [NOON] * len(RATED)), 2 * len(RATED), "moderations_pkey"
    ),
    "delete_ratings": Plan(REVIEWS, len(RATED), "ratings_pkey"),
    "delete_orders": Plan(ORDERS, len(RATED), "orders_pkey"),
    "delete_refunds": Plan(ORDERS, len(RATED), "refunds_pkey"),
    "delete_listing_events": Plan(
        (*LISTED, ["published"] * 100, [PUBLISHED] * 100), 100, "listing_events_pkey"
    ),
    "delete_stock_counts": Plan((*LISTED, [""] * 100, [PUBLISHED] * 100), 100, "stock_counts_pkey"),
    "delete_unsold": Plan((*LISTED, [DAY] * 100), 100, "listing_days_pkey"),
    "defined_shops": Plan((TENANTS, IDS), 100, "shops_pkey"),
    "lock_shops": Plan((KEYS,), 100, "shop_totals_pkey"),
    "begin_totals": Plan((KEYS,), 100, SHOPS),
    "lock_free_shops": Plan((KEYS,), 100, "shop_totals_pkey"),
    "add_units": Plan((*LISTED, [DAY] * 100, [2] * 100), 0, ""),
    "add_totals": Plan((TOTALS, TOTALS, TOTALS), 0, ""),
    "set_totals": Plan((RUNNING,), 2, "shop_totals_pkey"),
    "insert_running_days": Plan((KEYS,), 100, "shop_totals_pkey"),
    "pop_day": Plan((KEYS, DAY), 100, "daily_totals_pkey"),
    "update_states": Plan((*REVIEWS, [1] * len(RATED)), len(RATED), "ratings_pkey"),
    "reviews_page": Plan(
        (1, LARGEST, None, date(2026, 1, 1), DAY, NOON, "", 51, None),
        200,
        f"{SHOPS} ratings_time_idx moderations_pkey",
    ),
    "listings_page": Plan(
        (1, LARGEST, DAY, MONTH, "l-10000", 51, None, None, None, None),
        1000,
        f"{SHOPS} listing_events_pkey listing_days_pkey stock_counts_pkey",
    ),
    # Of a view of none: each listing's event and last sale, and for each of these the shop.
    "listings_page of a view": Plan(
        (1, LARGEST, DAY, MONTH, "", 51, date.min, DAY, date(2026, 10, 1), None),
        4 * million.LISTINGS_OF_THE_LARGEST + 100,
        f"{SHOPS} listing_events_pkey listing_days_pkey stock_counts_pkey",
    ),
    "sold_listings": Plan(
        (1, SMALL, MONTH, DAY), 100, f"{SHOPS} listing_days_pkey listing_events_pkey"
    ),
    # Of each listing the shop and the event.
    "listing_events_until": Plan(
        (1, LARGEST, [f"l-{n:05}" for n in range(100)], DAY), 200, f"{SHOPS} listing_events_pkey"
    ),
    "peer_totals": Plan((1, []), 0, SHOPS, scanned=("shops", "shop_totals")),
    "peer_counters": Plan(
        (1, [], TOMORROW, ["taobao"], [1], ["n"], [date(2026, 10, 22)]),
        3 * million.SHOPS,
        f"{SHOPS} counter_days_pkey",
        scanned=("shops", "counter_days"),
    ),
    "peer_days": Plan(
        (
            *(1, [], ["taobao"] * 2, [1] * 2, [TOMORROW] * 2),
            *([date(2026, 5, 25), date(2026, 10, 22)],),
            *([date(2026, 5, 26), date(2026, 10, 23)], [True, False], [False, True], [False] * 2),
        ),
        6 * million.SHOPS,
        f"{SHOPS} daily_totals_pkey shop_totals_pkey",
        scanned=("shops", "shop_totals"),
    ),
    "newest_snapshots": Plan(([1], [DAY]), 1, "peer_snapshots_pkey"),
    "sales_groups": Plan(
        ([1] * 20, [DAY] * 20, ["taobao"] * 20, CATEGORIES, ["CNY"] * 20),
        20 * 16,
        "peer_members_pkey",
    ),
    "peer_statistics": Plan(
        (1, DAY, "taobao", "c-7", "CNY", SMALL),
        7,
        "peer_snapshots_pkey peer_groups_pkey peer_members_pkey",
    ),
    "peer_sale": Plan((1, DAY, "taobao", "c-7", "CNY", SMALL), 1, "peer_members_pkey"),
    "begin_snapshot": Plan((1, DAY, NOON, None), 0, ""),
    "snapshot_since": Plan((1, DAY, NOON), 1, "peer_snapshots_pkey"),
    "finish_snapshot": Plan((1, DAY, 1, 1, METRICS), 1, "peer_snapshots_pkey"),
    "delete_peer_groups": Plan((1, DAY), 80, "peer_groups_pkey"),
    "delete_peer_members": Plan((1, DAY), 20 * 16, "peer_members_pkey"),
    "insert_peer_members": Plan(
        (1, DAY, ["m"], ["c"], ["CNY"], [1], ["{1}"], ["{0}"], ["{0,0,0,null}"]), 0, ""
    ),
    "snapshots_page": Plan((1, None, 51), 51, "peer_snapshots_pkey"),
    "shops_page": Plan((1, None, None, None, "s-5", 51), 51, "shops_pkey"),
    "count_shops": Plan((1,), million.SHOPS, SHOPS, scanned=("shops",)),
    "delete_old_rules": Plan(
        (1, "mine", 1), million.SHOPS, f"{SHOPS} rule_versions_pkey", scanned=("shops",)
    ),
    "shops_of_tenant": Plan((1,), million.SHOPS, SHOPS, scanned=("shops",)),
    "shops_after": Plan((5000, 500), 500, "shops_shop_key_key"),
    "insert_shop": Plan((1, "s-0", "m", "c", "CNY", "UTC", "individual", None, "taobao", 1), 0, ""),
    "delete_shop": Plan((SMALL, NOON), 2, "shops_shop_key_key shop_totals_pkey"),
    "insert_totals": Plan((SMALL, DAY), 1, "shops_shop_key_key"),
    "insert_audit_entry": Plan((1, NOON, "me", "test", []), 0, ""),
    "update_shop": Plan(
        (1, "s-7", "m", "c", "CNY", "UTC", "individual", None, "taobao", 1),
        2,
        "shops_pkey shop_totals_pkey",
    ),
    "set_rules_version": Plan((1, "s-7", 2), 2, "shops_pkey shop_totals_pkey"),
    "move_totals_day": Plan((SMALL, DAY), 1, "shop_totals_pkey"),
    "has_facts": Plan(
        (SMALL,),
        6,
        "ratings_pkey moderations_pkey orders_pkey refunds_pkey listing_events_pkey"
        " stock_counts_pkey ratings_month_buyer_idx ratings_capped_idx ratings_time_idx",
    ),
    "shops_of_buyer": Plan(
        (1, "b-7"),
        3 * million.SHOPS,
        f"{SHOPS} ratings_month_buyer_idx orders_buyer_idx",
        scanned=("shops",),
    ),
    "erase_ratings": Plan(([SMALL, 8, 9], "b-7", "new"), 30, "ratings_month_buyer_idx"),
    "erase_orders": Plan(([LARGEST], "b-7", "new"), 100, "orders_buyer_idx"),
    "erase_moderations_with_ratings": Plan(
        ([SMALL, 8, 9], "b-7"), 30, "ratings_month_buyer_idx moderations_pkey"
    ),
    "audit_entries": Plan((1, PUBLISHED, NOON, NOON, 1, 50), 50, "audit_trail_pkey"),
    "recount_ratings": Plan((1, SMALL), 100, f"{SHOPS} ratings_pkey" + " ratings_month_buyer_idx"),
    "recount_moderations": Plan((1, SMALL), 10, f"{SHOPS} moderations_pkey"),
    "orders_of_shop": Plan((SMALL,), 10, "orders_pkey"),
    "refunds_of_shop": Plan((SMALL,), 10, "refunds_pkey"),
    "listing_events_of_shop": Plan((SMALL,), 10, "listing_events_pkey"),
    "stored_days": Plan((SMALL,), 40, "daily_totals_pkey"),
    "stored_totals": Plan((SMALL,), 1, "shop_totals_pkey"),
    "stored_units": Plan((SMALL,), 15, "listing_days_pkey"),
    "delete_days": Plan((SMALL, [DAY]), 1, "daily_totals_pkey"),
    "add_counters": Plan(([1], [DAY], ["n"], [1]), 0, ""),
    "stored_counters": Plan((SMALL,), 3, "counter_days_pkey"),
    "delete_counters": Plan((SMALL, [DAY], ["n"]), 3, "counter_days_pkey"),
    "counter_totals": Plan(
        (TENANTS, KEYS, [DAY] * 100, [TOMORROW] * 100), 300, f"{SHOPS} counter_days_pkey"
    ),
    "delete_units": Plan((SMALL, ["l-00001"], [date(2026, 10, 31)]), 15, "listing_days_pkey"),
}

PLANS |= {
    f"remove_{table}": Plan(
        (SMALL, 10), 20, f"{table}_pkey ratings_month_buyer_idx ratings_time_idx ratings_capped_idx"
    )
    for table in TABLES_OF_SHOP
}

EXEMPT: dict[str, str] = {
    "shops_under_old_rules": "shops of all tenants, once a minute, one row each",
    "shops_to_roll": "shops of a zone, at its midnight, one row each",
    "zones": "shops of all tenants, once a minute, one row each",
}
"""Why the plan of a statement does not matter."""


@pytest.fixture(scope="module")
def url(postgres_url: str, template: str) -> Iterator[str]:
    """Create the database of a million ratings."""
    name = f"shopdsr_test_{uuid4().hex}"
    yield asyncio.run(million.make(postgres_url, template, name))
    asyncio.run(execute(postgres_url, f"drop database {name} with (force)"))


@pytest.fixture
async def connection(url: str) -> AsyncIterator[Connection]:
    """Open a connection that is closed after a failure too, with its locks."""
    opened = await asyncpg.connect(url)
    yield opened
    await opened.close()


def test_every_statement_on_a_table_that_grows_is_looked_at() -> None:
    named = {name for name in statement_names() if GROWING & set(_words(sql(name)))}
    planned = {name.split(maxsplit=1)[0] for name in PLANS}
    assert named == planned | EXEMPT.keys()
    assert not planned & EXEMPT.keys()


@pytest.mark.parametrize("name", PLANS)
async def test_a_statement_visits_what_it_asks_for(connection: Connection, name: str) -> None:
    faults = {mode: await _faults(connection, name, mode) for mode in MODES}
    assert faults == {mode: [] for mode in MODES}


@pytest.mark.parametrize(
    ("name", "spoilt", "fault"),
    [
        ("reviews_page", "drop index ratings_time_idx", r"\d+ rows visited"),
        (
            "shop_totals",
            "alter table shop_totals drop constraint shop_totals_pkey",
            "Seq Scan on shop_totals",
        ),
    ],
)
async def test_a_plan_without_its_index_is_found_out(
    connection: Connection, name: str, spoilt: str, fault: str
) -> None:
    faults = await _faults(connection, name, MODES[1], spoilt)
    assert any(re.fullmatch(fault, text) for text in faults), faults
    assert await _faults(connection, name, MODES[1]) == []


def _words(statement: str) -> list[str]:
    code = re.sub(r"--.*", "", statement)
    return [word.removeprefix("tenant_") for word in re.findall(r"\w+", code)]


async def _faults(connection: Connection, name: str, mode: str, spoilt: str = "") -> list[str]:
    """Return the faults of a plan; all changes are rolled back."""
    expected = PLANS[name]
    transaction = connection.transaction()
    await transaction.start()
    settings = (f"set local plan_cache_mode = {mode}", *PLANNER)
    for step in (*filter(None, (spoilt,)), *settings):
        await connection.execute(step)
    await connection.execute(f"prepare statement as {sql(name.split(maxsplit=1)[0])}")
    values = ", ".join(_literal(value) for value in expected.arguments)
    given = f"({values})" if expected.arguments else ""
    [row] = await connection.fetch(
        f"explain (analyze, timing off, format json) execute statement {given}"
    )
    await connection.execute("deallocate statement")
    await transaction.rollback()
    nodes = list(_nodes(json.loads(row[0])[0]["Plan"]))
    scans = [
        node
        for node in nodes
        if node.get("Relation Name") in GROWING and "Scan" in node["Node Type"]
    ]
    faults = [
        f"{node['Node Type']} on {node['Relation Name']}"
        for node in scans
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] not in expected.scanned
    ]
    used = {node["Index Name"] for node in nodes if "Index Name" in node}
    faults += sorted(used - set(expected.indexes.split()))
    visited = sum(_visited(node) for node in scans if node["Relation Name"] not in expected.scanned)
    if visited > expected.rows:
        faults.append(f"{visited} rows visited")
    return faults


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def _visited(scan: dict[str, Any]) -> int:
    each = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    rows: float = scan["Actual Loops"] * sum(scan.get(name, 0) for name in each)
    return round(rows)


def _literal(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        value = "{" + ",".join("null" if item is None else f'"{item}"' for item in value) + "}"
    return f"'{value}'"
