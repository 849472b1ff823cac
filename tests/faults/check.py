"""The common check: nothing acknowledged is missing, nothing is stored that was not sent, no batch
is half stored, and what is stored adds up: to a recount, and to what clients know.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import asyncpg

from infra.postgres.audit import Audit
from infra.postgres.database import PoolLimits, open_database
from infra.postgres.rules import RuleBook
from tests.faults.caller import Caller
from tests.faults.crowd import Model
from tests.faults.figures import Figures
from tests.faults.service import Service
from tests.faults.stream import SHOPS, STORED, Identity, Json, identity
from tests.reference.scores import Reference

DAYS_BACK = (0, 1, 40, 170)


def check(figures: Figures, url: str, service: Service, key: str, model: Model) -> None:
    """Add to the figures what this database and service have lost, doubled or made up."""
    asyncio.run(_check(figures, url, service, key, model))


async def _check(figures: Figures, url: str, service: Service, key: str, model: Model) -> None:
    stored = await stored_identities(url)
    acknowledged = [identity(event) for events in model.acknowledged for event in events]
    unknown = [[identity(event) for event in events] for events in model.unknown]
    sent = {*acknowledged, *(one for identities in unknown for one in identities)}
    figures.acknowledged += len(acknowledged)
    figures.lost += sum(one not in stored for one in acknowledged)
    figures.doubled += sum(count - 1 for count in stored.values())
    figures.invented += sum(one not in sent for one in stored)
    figures.half_stored += sum(
        len({one in stored for one in identities}) > 1 for identities in unknown
    )
    figures.totals_wrong += await differences(url)
    events = (event for events in (*model.acknowledged, *model.unknown) for event in events)
    figures.totals_wrong += await _scores_wrong(
        service, key, [event for event in events if identity(event) in stored]
    )


async def stored_identities(url: str) -> Counter[Identity]:
    """Every stored fact by identity, as often as it is stored."""
    connection = await asyncpg.connect(url)
    found: Counter[Identity] = Counter()
    try:
        for table, keys in STORED.items():
            rows = await connection.fetch(
                f"select shop_id, {keys} from {table} as fact join shops using (shop_key)"
            )
            found.update((table, *row) for row in rows)
    finally:
        await connection.close()
    return found


async def differences(url: str) -> int:
    """How many stored totals the product's own audit finds wrong."""
    async with open_database(url, PoolLimits(connections_max=2)) as database:
        audit = Audit(database, RuleBook())
        shops = [shop async for shop in audit.shops(datetime.now(UTC), mend=False)]
    return sum(len(shop.differences) for shop in shops)


async def _scores_wrong(service: Service, key: str, events: Iterable[Json]) -> int:
    """How many scorecards are not what the reference says, told the same events."""
    reference = reference_of(events)
    wrong = 0
    for shop in SHOPS:
        shop_id, today = shop["shop_id"], reference.today(shop["shop_id"])
        for day in (today - timedelta(days=back) for back in DAYS_BACK):
            expected = reference.scorecard(shop_id, day)
            wrong += await read(service, key, f"shops/{shop_id}/scorecard", as_of=day) != expected
    return wrong


def reference_of(events: Iterable[Json]) -> Reference:
    """The reference, told of the shops and of these events."""
    reference = Reference(datetime.now(UTC))
    reference.put_shops(SHOPS)
    for event in events:
        verdict = reference.receive(event)
        assert verdict in {"stored", "duplicate"}, (verdict, event)
    return reference


async def read(service: Service, key: str, path: str, **query: date | str) -> Any:
    """A GET under /v1 that must be answered."""
    caller = Caller(service.host, service.port, key)
    asked = urlencode({name: str(value) for name, value in query.items()})
    answer = await caller.ask("GET", f"/v1/{path}?{asked}")
    caller.hang_up()
    assert answer.status == 200, (path, answer)
    return answer.json()


async def put_shops(service: Service, key: str, shops: Iterable[Json] = SHOPS) -> None:
    """Register shops over HTTP."""
    caller = Caller(service.host, service.port, key)
    body = json.dumps(list(shops)).encode()
    answer = await caller.ask("POST", "/v1/shops", body, "application/json")
    caller.hang_up()
    assert answer.status == 200, answer
