"""A snapshot of ten thousand shops takes no more statements than one of ten."""

import random
from datetime import date, timedelta
from fractions import Fraction
from time import perf_counter

import asyncpg

from domain.counters import FIELDS
from infra.postgres.database import Database, PoolLimits, open_database
from infra.postgres.peers import Peers
from infra.postgres.rules import RulesCache
from tests.depth.session import Session
from tests.depth.statements import Statements
from tests.reference.arithmetic import rounded
from tests.reference.rules import BUILT_IN

DAY = date(2026, 11, 20)
SHOPS, CATEGORIES, DAYS = 10_000, 20, 12

MADE_UP = """
with made as (
    insert into shops (
        tenant_id, shop_id, marketplace, category, currency, time_zone, kind, rules, rules_version
    )
    select
        tenant_id, 's-' || n, 'm', 'c-' || n % $2, 'CNY', time_zone, kind,
        case n % 2 when 0 then 'mine' else 'taobao' end, 1
    from shops, generate_series(0, $1::integer - 1) n
    where shop_id = 'first-0'
    returning shop_id, shop_key
), totals as (
    insert into shop_totals (shop_key, day) select shop_key, '2026-01-01' from made
)
select array_agg(shop_key order by substr(shop_id, 3)::integer) from made
"""


async def test_a_snapshot_of_ten_thousand_shops_takes_a_few_statements(
    service: Session, database_url: str
) -> None:
    await service.put("rules/mine", BUILT_IN["taobao"])
    for number in range(10):
        await service.put(f"shops/first-{number}", shop_in(number, "first"))
    statements, limits = Statements(), PoolLimits(connections_max=1)
    async with open_database(database_url, limits) as database:
        await statements.record(database)
        await take(service, database, hours=1)
        await statements.take_sent()
        await take(service, database, hours=2)
        few = await statements.take_sent()
        assert 3 < len(few) < 20

        scores = await fill(database_url)
        await statements.take_sent()
        started = perf_counter()
        await take(service, database, hours=3)
        took = perf_counter() - started
    print(f"a snapshot of {SHOPS + 10} shops: {took:.2f} s")
    assert await statements.take_sent() == few
    assert took < 5
    assert (await service.read("peer-snapshots"))["items"][0]["shops"] == SHOPS + 10

    mean = sum(scores, Fraction(0)) / len(scores)
    peers = (await service.read("shops/s-0/dsr"))["dsr"]["service"]["peers"]
    below = sum(score < scores[0] for score in scores)
    assert (peers["status"], peers["shops"]) == ("ok", SHOPS // CATEGORIES)
    assert peers["mean"] == rounded(mean, 5)
    assert peers["min"] == rounded(min(scores), 5)
    assert peers["max"] == rounded(max(scores), 5)
    assert peers["percentile"] == rounded(Fraction(100 * below, len(scores) - 1), 2)


async def take(service: Session, database: Database, *, hours: int) -> None:
    """Take a snapshot of every tenant, like a worker just started."""
    now = service.clock.now + timedelta(hours=hours)
    await Peers(database, RulesCache()).take_snapshots(DAY, now, unless_since=now)


def shop_in(number: int, category: str) -> dict[str, str]:
    """Return a shop under either of two sets of rules."""
    rules = ("mine", "taobao")[number % 2]
    return {"marketplace": "m", "category": category, "currency": "CNY", "rules": rules}


async def fill(database_url: str) -> list[Fraction]:
    """Add shops with made-up totals; return the service scores of a category."""
    rng = random.Random(0)
    stars = [FIELDS.index(f"service_{n}") for n in range(1, 6)]
    rows, scores = [], []
    connection = await asyncpg.connect(database_url)
    for number, shop_key in enumerate(await connection.fetchval(MADE_UP, SHOPS, CATEGORIES)):
        counts = [0] * 6
        for back in range(DAYS):
            totals = [rng.randrange(40) for _ in FIELDS]
            rows.append((shop_key, DAY - timedelta(days=3 * back), *totals))
            for star, place in enumerate(stars, 1):
                counts[star] += totals[place]
        if number % CATEGORIES == 0:
            total = sum(star * n for star, n in enumerate(counts))
            scores.append(Fraction(total, sum(counts)))
    columns = ["shop_key", "day", *FIELDS]
    await connection.copy_records_to_table("daily_totals", records=rows, columns=columns)
    await connection.close()
    return scores
