"""The common check of every row.

Nothing acknowledged is missing, nothing is stored that was not sent, no batch is half stored, and
what is stored adds up: to a recount, and to what clients know.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from domain.counters import FIELDS
from infra.postgres.database import PoolLimits, open_database
from infra.postgres.rules import RulesCache
from infra.postgres.shop_cache import ShopCache
from infra.postgres.verification import Verification
from tests.faults.crowd import Model
from tests.faults.figures import Figures
from tests.faults.stream import SHOPS, STORED, Identity, Json, identity
from tests.faults.tally import DIMENSIONS, Tally
from tests.harness.server import Server
from tests.reference.scores import Reference

DAYS_BACK = (0, 1, 40, 170)
REFERENCE_EVENTS_MAX = 2_500
"""The reference is slow on purpose; more events are held against the clients' own tally alone."""

_COUNTED = [field for field in FIELDS if field not in {"on_sale", "sold", "unlisted_sold"}]
"""What a tally holds; the rest is left to verifying and the reference."""


def check(figures: Figures, url: str, service: Server, key: str, model: Model) -> None:
    """Add to the figures what this database and service have lost, doubled or made up."""
    asyncio.run(_check(figures, url, service, key, model))


async def _check(figures: Figures, url: str, service: Server, key: str, model: Model) -> None:
    stored = await count_facts(figures, url, model)
    figures.totals_wrong += await differences(url)
    events = [
        event
        for events in (*model.acknowledged, *model.unknown)
        for event in events
        if identity(event) in stored
    ]
    figures.totals_wrong += await _totals_wrong(url, Tally(events))
    figures.totals_wrong += await _scores_wrong(service, key, Tally(events))
    if len(events) <= REFERENCE_EVENTS_MAX:
        reference = Reference(datetime.now(UTC))
        reference.put_shops(SHOPS)
        figures.totals_wrong += await cards_wrong(service, key, reference, SHOPS, events)


async def count_facts(figures: Figures, url: str, model: Model) -> Counter[Identity]:
    """Count facts missing, doubled, made up or half stored; return the stored facts."""
    stored = await stored_identities(url)
    acknowledged = [identity(event) for events in model.acknowledged for event in events]
    unknown = [[identity(event) for event in events] for events in model.unknown]
    sent = {*acknowledged, *(fact for identities in unknown for fact in identities)}
    figures.acknowledged += len(acknowledged)
    figures.lost += sum(fact not in stored for fact in acknowledged)
    figures.doubled += sum(count - 1 for count in stored.values())
    figures.invented += sum(fact not in sent for fact in stored)
    figures.half_stored += sum(
        len({fact in stored for fact in identities}) > 1 for identities in unknown
    )
    return stored


async def stored_identities(url: str) -> Counter[Identity]:
    """Return every stored fact by identity, as often as it is stored."""
    connection = await asyncpg.connect(url)
    identities: Counter[Identity] = Counter()
    try:
        for table, keys in STORED.items():
            rows = await connection.fetch(
                f"select shop_id, {keys} from {table} as fact join shops using (shop_key)"
            )
            identities.update((table, *row) for row in rows)
    finally:
        await connection.close()
    return identities


async def differences(url: str) -> int:
    """Return how many stored totals the product's own verifying calls wrong."""
    async with open_database(url, PoolLimits(connections_max=2)) as database:
        verification = Verification(database, ShopCache(database, RulesCache()))
        shops = [shop async for shop in verification.shops(datetime.now(UTC), mend=False)]
    return sum(len(shop.differences) for shop in shops)


async def _totals_wrong(url: str, tally: Tally) -> int:
    """Return how many stored totals are not what clients expect."""
    named = "select shop_id, total.* from {} as total join shops using (shop_key)"
    connection = await asyncpg.connect(url)
    try:
        days = {
            (row["shop_id"], row["day"]): row
            for row in await connection.fetch(named.format("tenant_daily_totals"))
        }
        units = {
            (row["shop_id"], row["listing_id"], row["day"]): row["units"]
            for row in await connection.fetch(named.format("listing_days"))
        }
    finally:
        await connection.close()
    wrong: int = sum(
        units.get(key, 0) != tally.units[key] for key in units.keys() | tally.units.keys()
    )
    for key in days.keys() | tally.days.keys():
        expected = tally.days.get(key, Counter())
        for field in _COUNTED:
            wrong += (days[key][field] if key in days else 0) != expected[field]
    return wrong


async def _scores_wrong(service: Server, key: str, tally: Tally) -> int:
    """Return how many figures of scorecards are not what clients expect."""
    wrong = 0
    for shop in SHOPS:
        shop_id = shop["shop_id"]
        for day in _days_asked(shop):
            card = await read(service, key, f"shops/{shop_id}/scorecard", as_of=day)
            wrong += card["tier"]["sales"] != tally.sales(shop_id, day)
            for dimension in DIMENSIONS:
                expected = tally.histogram(shop_id, dimension, day)
                wrong += card["dsr"][dimension]["histogram"] != expected
    return wrong


async def cards_wrong(
    service: Server, key: str, reference: Reference, shops: Iterable[Json], events: Iterable[Json]
) -> int:
    """Return how many scorecards are not what the reference says of the same events."""
    for event in events:
        verdict = reference.receive(event)
        assert verdict in {"stored", "duplicate"}, (verdict, event)
    wrong = 0
    for shop in shops:
        for day in _days_asked(shop):
            expected = reference.scorecard(shop["shop_id"], day)
            path = f"shops/{shop['shop_id']}/scorecard"
            wrong += await read(service, key, path, as_of=day) != expected
    return wrong


def _days_asked(shop: Json) -> list[date]:
    today = datetime.now(ZoneInfo(shop["time_zone"])).date()
    return [today - timedelta(days=back) for back in DAYS_BACK]


async def read(service: Server, key: str, path: str, **query: date | str) -> Any:
    """Return the body of a GET under /v1, which must succeed."""
    params = {name: str(value) for name, value in query.items()}
    async with service.async_client(key) as client:
        answer = await client.get(f"/v1/{path}", params=params)
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()


async def put_shops(service: Server, key: str, shops: Iterable[Json] = SHOPS) -> None:
    """Register shops over HTTP."""
    async with service.async_client(key) as client:
        answer = await client.post("/v1/shops", json=list(shops))
    assert answer.status_code == 200, answer.text
