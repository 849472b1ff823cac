"""Waiting for shops that another writer holds costs what the shops cost, not their square."""

import asyncio
from time import perf_counter

import pytest

from infra.postgres.database import Connection, Database, PoolLimits, open_database
from infra.postgres.statements import sql
from tests.harness.postgres import execute

SHOPS = 4_000
SPOILT = """
    select shop_key, day, revision from shop_totals
    where shop_key = any($1::text::bigint[]) order by shop_key for update
"""


async def waiting_s(database: Database, statement: str) -> float:
    """Return the best of three times from the holder's commit to all locks."""
    keys: object = list(range(1, SHOPS + 1))
    if "text" in statement:
        keys = f"{{{','.join(map(str, range(1, SHOPS + 1)))}}}"

    async def wait() -> float:
        waits = asyncio.Event()

        async def lock(connection: Connection) -> None:
            pid = connection.get_server_pid()
            waiter = asyncio.create_task(connection.fetch(statement, keys))
            async with database.connection() as other, asyncio.timeout(10):
                # The service's role does not see what others wait for, but who keeps them waiting.
                while not await other.fetchval("select pg_blocking_pids($1)", pid):
                    await asyncio.sleep(0.01)
            waits.set()
            assert len(await waiter) == SHOPS

        async def hold(connection: Connection) -> None:
            await connection.execute("update shop_totals set revision = revision + 1")
            waiter = asyncio.create_task(database.run(lock))
            await waits.wait()
            waiters.append(waiter)

        waiters: list[asyncio.Task[None]] = []
        await database.run(hold)
        start = perf_counter()
        await waiters[0]
        return perf_counter() - start

    return min([await wait() for _ in range(3)])


@pytest.fixture
async def shops(database_url: str) -> str:
    """Return a database with running totals of many shops."""
    await execute(
        database_url,
        "insert into shop_totals (shop_key, day)"
        f" select n, '2026-11-20' from generate_series(1, {SHOPS}) n",
    )
    await execute(database_url, "analyze")
    return database_url


async def test_locking_after_waiting_grows_with_the_shops(shops: str) -> None:
    """Compare with a lock by `any` of an array, whose time is quadratic."""
    async with open_database(shops, PoolLimits(connections_max=3)) as database:
        waited_s = await waiting_s(database, sql("lock_shops"))
        assert 10 * waited_s < await waiting_s(database, SPOILT)
