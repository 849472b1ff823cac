"""Several workers on one schedule take one snapshot between them."""

import asyncio
from contextlib import AsyncExitStack
from datetime import date, timedelta
from typing import Any

from infra.postgres.database import PoolLimits, open_database
from infra.postgres.peers import Peers
from infra.postgres.rules import RulesCache
from tests.depth.session import Session
from tests.depth.statements import Statements

DAY = date(2026, 11, 20)
SHOP = {"marketplace": "m", "category": "c", "currency": "CNY", "rules": "taobao"}
WORKERS = 8


async def test_of_many_workers_exactly_one_takes_the_snapshot(
    service: Session, database_url: str
) -> None:
    await service.put("shops/s", SHOP)
    now = service.clock.now
    async with AsyncExitStack() as stack:
        workers, statements = [], Statements()
        for _ in range(WORKERS):
            limits = PoolLimits(connections_max=1)
            database = await stack.enter_async_context(open_database(database_url, limits))
            await statements.record(database)
            workers.append(Peers(database, RulesCache()))

        async def all_take(minutes: int) -> int:
            await statements.take_sent()
            at = now + timedelta(minutes=minutes)
            work: list[Any] = [
                worker.take_snapshots(DAY, at, unless_since=at - timedelta(minutes=30))
                for worker in workers
            ]
            await asyncio.gather(*work)
            return sum("update peer_snapshots" in query for query in await statements.take_sent())

        assert await all_take(0) == 1
        assert await all_take(29) == 0
        assert await all_take(31) == 1
    [listed] = (await service.read("peer-snapshots"))["items"]
    assert listed["taken_at"] == (now + timedelta(minutes=31)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_many_requests_at_once_each_take_one_and_the_last_stands(service: Session) -> None:
    for number in range(5):
        await service.put(f"shops/s-{number}", SHOP)
    taken = await asyncio.gather(*(service.snapshot(DAY) for _ in range(WORKERS)))
    assert {(header["as_of"], header["shops"]) for header in taken} == {(f"{DAY}", 5)}
    assert len((await service.read("peer-snapshots"))["items"]) == 1
