"""What a snapshot reads of each shop, beside the plain sums of its days."""

import random
from datetime import date, timedelta

import asyncpg
import msgspec
import pytest

from domain.counters import DIMENSIONS, FIELDS
from domain.rules import BUILT_IN, TAOBAO, Rules
from domain.totals import ON_SALE, PAID, REFUNDED, SOLD, histogram, zero_totals
from domain.windows import window_totals, windows, windows_before
from infra.postgres.database import Database
from infra.postgres.peers import Peers
from infra.postgres.rules import RulesCache
from infra.postgres.statements import sql

TODAY = date(2026, 11, 21)
SHOPS = 150
SETS: dict[str, Rules] = {
    **{name: rule_set.rules for name, rule_set in BUILT_IN.items()},
    "short": msgspec.structs.replace(TAOBAO, rating_window_days=1, sales_window_days=3),
    "long": msgspec.structs.replace(TAOBAO, rating_window_days=9, sales_window_days=40),
}
APART = (0, 1, 2, 13, 14, 15, 60, -1, -2, -14, -15, -60)
"""Days from the day of the snapshot to the day of the running totals."""


@pytest.mark.parametrize("seed", range(4))
async def test_every_shop_has_the_sums_of_its_windows(
    database: Database, database_url: str, seed: int
) -> None:
    """Draw any day of the running totals, any windows, and days without totals."""
    rng = random.Random(seed)
    names = [rng.choice(list(SETS)) for _ in range(SHOPS)]
    days = [_days(rng) for _ in range(SHOPS)]
    totals_days = [TODAY + timedelta(days=rng.choice(APART)) for _ in range(SHOPS)]
    await _store(database_url, names, days, totals_days)
    peers = Peers(database, RulesCache())
    async with database.connection() as connection:
        rows = await peers.window_sums(connection, 1, TODAY)
    sums = {
        key: list(of_shop)
        for row in rows
        for key, *of_shop in zip(row.peers.shop_keys, *row.peers.sums.values(), strict=True)
    }
    expected = {
        key: _sums(window_totals(had, windows(TODAY, SETS[name])))
        for key, (name, had) in enumerate(zip(names, days, strict=True), 1)
    }
    assert sums == expected
    assert sorted({row.totals_key[0] for row in rows}) == sorted(set(names))


def _days(rng: random.Random) -> dict[date, list[int]]:
    span = rng.choice([30, 250])
    some = rng.sample(range(-70, span), rng.randrange(span))
    return {TODAY - timedelta(days=back): [rng.randrange(9) for _ in FIELDS] for back in some}


def _sums(totals: list[int]) -> list[int]:
    ratings = [histogram(totals, dimension) for dimension in DIMENSIONS]
    pairs = [pair for counted in ratings for pair in (counted.sum, counted.count)]
    return [*pairs, totals[SOLD], totals[ON_SALE], totals[PAID], totals[REFUNDED]]


async def _store(
    url: str, names: list[str], days: list[dict[date, list[int]]], totals_days: list[date]
) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("insert into tenants (name) values ('acme')")
    for name in SETS.keys() - BUILT_IN.keys():
        text = msgspec.json.encode(SETS[name]).decode()
        await connection.execute(sql("insert_rules"), 1, name, 1, text)
    shops, totals, rows = [], [], []
    for key, (name, by_day, day) in enumerate(zip(names, days, totals_days, strict=True), 1):
        shops.append((1, f"s-{key}", "m", "c", "CNY", "UTC", "individual", name, 1))
        running = window_totals(by_day, windows_before(day, SETS[name]))
        totals.append((key, day, *running, *by_day.get(day, zero_totals())))
        rows += [(key, other, *sums) for other, sums in by_day.items() if other != day]
    columns = ["tenant_id", "shop_id", "marketplace", "category", "currency", "time_zone"]
    columns += ["kind", "rules", "rules_version"]
    await connection.copy_records_to_table("shops", records=shops, columns=columns)
    columns = ["shop_key", "day", *FIELDS]
    await connection.copy_records_to_table("daily_totals", records=rows, columns=columns)
    columns += [f"day_{field}" for field in FIELDS]
    await connection.copy_records_to_table("shop_totals", records=totals, columns=columns)
    await connection.close()
