"""Counters that are rows are kept as those that are columns; money never overflows."""

from collections.abc import Iterator, Sequence
from datetime import date

import pytest

from domain import peers as ranks
from domain.counters import PLACES
from domain.days import Window
from domain.facts import aggregate, orders
from domain.facts.aggregate import Projection, SoldUnits
from domain.facts.fact import Fact, KnownShop
from domain.facts.orders import Order
from domain.metrics import METRICS, PARTS, RATIOS, WINDOW_OF_PART, Metric
from domain.ports import SalesGroupQuery, StoredShop
from domain.tier import SalesGroup
from domain.windows import windows
from infra.postgres import peers, statements
from infra.postgres.peer_sales import PeerSales
from infra.postgres.peers import Peers
from tests.harness.postgres import execute
from tests.postgres.conftest import Storage, events_of, fetch
from tests.reference.worlds import world

WORLD = world(5, 250)
NAME = "orders_paid"
FAULTS = (
    f"update counter_days set n = n + 1 where counter = '{NAME}'",
    "delete from counter_days",
    "insert into counter_days values (1, '1999-12-31', 'other', 1)",
)
BIGINT_MAX = 2**63 - 1


def project(facts: Sequence[Fact], shop: KnownShop, sold: SoldUnits) -> Projection:
    """Count the orders besides what orders add."""
    plain = orders.project(facts, shop, sold)
    counts = {(fact.day, NAME): 1 for fact in facts if isinstance(fact, Order)}
    return Projection({**plain.counts, **counts}, plain.units)


@pytest.fixture
def _counting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let orders have a counter more, which is a row."""
    monkeypatch.setattr(orders.ORDERS, "project", project)
    monkeypatch.setattr(aggregate, "ROWS", frozenset({NAME}))


ORDER_VALUE = Metric("order_value", "rate", "high", "sales", {"paid": 1}, {NAME: 1})


@pytest.fixture
def _comparing(_counting: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let there be a metric more, whose denominator is a row."""
    window_of_part = WINDOW_OF_PART | dict.fromkeys(ORDER_VALUE.parts, ORDER_VALUE.window)
    monkeypatch.setattr(peers, "ROWS", frozenset({NAME}))
    monkeypatch.setattr(peers, "PARTS", PARTS | ORDER_VALUE.parts)
    monkeypatch.setattr(peers, "WINDOW_OF_PART", window_of_part)
    for module in (peers, ranks):
        monkeypatch.setattr(module, "RATIOS", (*RATIOS, ORDER_VALUE))
    monkeypatch.setattr(statements, "METRICS", (*METRICS, ORDER_VALUE))
    for cached in (statements.sql, statements._lists):
        cached.cache_clear()
    yield
    for cached in (statements.sql, statements._lists):
        cached.cache_clear()


@pytest.mark.usefixtures("_comparing")
async def test_peers_are_compared_by_a_metric_on_rows(storage: Storage) -> None:
    await storage.open(WORLD)
    await storage.record(events_of(WORLD.events))
    days = await fetch(
        storage.url,
        "select shop_key, day, cardinality(array_agg(order_id)) as n,"
        " sum(coalesce(total, (select sum(amount) from unnest(amounts) as amount))) as paid"
        " from orders where day is not null group by shop_key, day",
    )
    last = max(row["day"] for row in days)
    async with storage.database.connection() as connection:
        sums = await Peers(storage.database, storage.rules._rules).window_sums(
            connection, storage.tenant_id, last
        )
    compared = 0
    for row in sums:
        start = windows(last, row.peers.rules).sales_start
        for place, shop_key in enumerate(row.peers.shop_keys):
            of_shop = [
                (day["paid"], day["n"])
                for day in days
                if day["shop_key"] == shop_key and start <= day["day"] <= last
            ]
            expected = [sum(column) for column in zip(*of_shop, strict=True)] or [0, 0]
            assert [row.peers.sums[part][place] for part in ORDER_VALUE.parts] == expected
            compared += bool(of_shop)
    assert compared > 1
    taken = await Peers(storage.database, storage.rules._rules).take_snapshot(storage.act, last)
    groups = await fetch(storage.url, "select shops from peer_groups where metric = 'order_value'")
    assert taken.shops >= sum(group["shops"] for group in groups) == compared


@pytest.mark.usefixtures("_counting")
async def test_rows_are_recorded_recounted_verified_repaired_and_summed(storage: Storage) -> None:
    await storage.open(WORLD)
    events = events_of(WORLD.events)
    await storage.record(events[: len(events) // 2])
    await storage.record(events)
    assert await storage.differences() == []
    before = (await storage.stored())["counter_days"]
    [row] = await fetch(storage.url, "select count(day) from orders")
    assert sum(int(str(dict(counter)["n"])) for counter in before) == row[0] > 0
    for fault in FAULTS:
        await execute(storage.url, fault)
        assert await storage.differences() == ["counter_days"]
        assert await storage.differences(mend=True) == ["counter_days"]
        assert await storage.differences() == []
        assert (await storage.stored())["counter_days"] == before

    shop = await _shop(storage)
    days = await fetch(
        storage.url,
        f"select day, n from counter_days where shop_key = {shop.shop_key} order by day",
    )
    first, last = days[0]["day"], days[-1]["day"]
    all_days = Window(first, last, (last - first).days + 1)
    sums = await storage.scores.counter_totals([(shop, all_days)])
    assert sums == {shop.shop_key: {NAME: sum(row["n"] for row in days)}}
    part = Window(first, first, 1)
    sums = await storage.scores.counter_totals([(shop, part)])
    assert sums == {shop.shop_key: {NAME: days[0]["n"]}}


async def test_sums_of_money_pass_what_a_bigint_holds(storage: Storage) -> None:
    await storage.open(WORLD)
    events = events_of(WORLD.events)
    await storage.record(events[: len(events) // 2])
    await execute(
        storage.url, f"update shop_totals set paid = {BIGINT_MAX}, day_paid = {BIGINT_MAX}"
    )
    await execute(storage.url, f"update daily_totals set paid = {BIGINT_MAX} where paid > 0")
    await storage.record(events)
    shop = await _shop(storage)
    [shop_totals] = (await storage.scores.shop_totals(shop.tenant_id, [shop.shop.shop_id])).values()
    assert shop_totals.totals[PLACES["paid"]] >= 2 * BIGINT_MAX
    day = shop_totals.day
    of_windows = await storage.scores.window_totals([(shop, windows(day, shop.rules.rules))])
    assert of_windows[shop.shop_key][PLACES["paid"]] >= BIGINT_MAX
    assert await storage.scores.day_totals(shop, date(2000, 1, 1), day)
    await Peers(storage.database, storage.rules._rules).take_snapshot(storage.act, day)
    group_key = SalesGroupQuery(shop.shop.marketplace, shop.shop.category, shop.shop.currency, day)
    sales = PeerSales(storage.database)
    groups = await sales.groups(shop.tenant_id, [group_key])
    group: SalesGroup = groups[group_key]
    assert await sales.own(shop, day) in group.sales
    assert max(group.sales) >= 2 * BIGINT_MAX
    await storage.roll(days=1)
    await storage.differences(mend=True)
    assert await storage.differences() == []


async def _shop(storage: Storage) -> StoredShop:
    """Return the shop of which most orders are known."""
    [row] = await fetch(
        storage.url,
        "select shop_id from shops join orders using (shop_key)"
        " group by shop_id order by count(*) desc, shop_id limit 1",
    )
    return await storage.shops.get(storage.tenant_id, row["shop_id"])
