"""Connections are lent again while they are good, and to one at a time."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from asyncpg.transaction import Transaction

from infra.postgres import pool
from infra.postgres.database import PoolLimits, open_database
from infra.postgres.pool import Connection, Pool


@pytest.fixture
async def connections(database_url: str) -> AsyncIterator[Pool]:
    """A pool of two."""

    async def connect() -> Connection:
        connection: Connection = await asyncpg.connect(database_url)
        return connection

    made = Pool(connect, 2, patience_s=5)
    yield made
    made.end()


async def pid(connections: Pool) -> int:
    """The server process of a connection that is lent and given back."""
    async with connections.lend() as connection:
        found: int = connection.get_server_pid()
        return found


async def test_the_connection_used_last_is_lent_again(connections: Pool) -> None:
    async with connections.lend(), connections.lend() as second:
        last = second.get_server_pid()
    first = await pid(connections)
    assert first != last
    assert await pid(connections) == first


async def test_a_connection_lent_is_lent_to_nobody_else(connections: Pool) -> None:
    async with connections.lend() as one, connections.lend() as other:
        assert one is not other


async def test_a_failure_of_the_work_costs_no_connection(connections: Pool) -> None:
    before = await pid(connections)
    with pytest.raises(ZeroDivisionError):
        async with connections.lend():
            raise ZeroDivisionError
    assert await pid(connections) == before


async def test_what_is_left_in_a_transaction_is_not_lent_again(connections: Pool) -> None:
    async with connections.lend() as connection:
        before = connection.get_server_pid()
        await connection.execute("begin")
    assert await pid(connections) != before


async def test_a_connection_unused_for_long_is_not_lent_again(
    connections: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await pid(connections)
    monkeypatch.setattr(pool, "IDLE_MAX_S", -1.0)
    assert await pid(connections) != before


async def test_who_could_not_be_connected_leaves_the_place_to_others() -> None:
    async def connect() -> Connection:
        raise ConnectionRefusedError

    connections = Pool(connect, 1, patience_s=0.5)
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            await pid(connections)


async def test_a_pool_that_has_ended_makes_no_connection(connections: Pool) -> None:
    async with connections.lend() as lent:
        connections.end()
        assert lent.is_closed()
    with pytest.raises(ConnectionError):
        await pid(connections)


async def test_a_transaction_that_could_not_begin_spoils_no_other(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = Transaction.start
    failures = [asyncpg.QueryCanceledError("a step of the administrator")]

    async def fail_once(transaction: Transaction) -> None:
        if failures:
            # As the driver does, which believes in it before the server has answered.
            transaction._connection._top_xact = transaction
            raise failures.pop()
        await start(transaction)

    monkeypatch.setattr(Transaction, "start", fail_once)
    async with open_database(database_url, PoolLimits()) as database:
        assert await database.run(lambda connection: connection.fetchval("select 1")) == 1


async def test_who_waits_too_long_or_hangs_up_takes_no_place(database_url: str) -> None:
    async def connect() -> Connection:
        connection: Connection = await asyncpg.connect(database_url)
        return connection

    connections = Pool(connect, 1, patience_s=0.1)
    async with connections.lend():
        with pytest.raises(TimeoutError):
            await pid(connections)
        hung_up = asyncio.create_task(pid(connections))
        await asyncio.sleep(0.01)
        hung_up.cancel()
        await asyncio.gather(hung_up, return_exceptions=True)
    assert await pid(connections)
    connections.end()


async def test_a_connection_made_while_the_pool_ends_is_thrown_away(database_url: str) -> None:
    made: list[Connection] = []
    ended = asyncio.Event()

    async def connect() -> Connection:
        made.append(await asyncpg.connect(database_url))
        await ended.wait()
        return made[0]

    connections = Pool(connect, 1, patience_s=5)
    late = asyncio.create_task(pid(connections))
    while not made:
        await asyncio.sleep(0.01)
    connections.end()
    ended.set()
    with pytest.raises(ConnectionError):
        await late
    assert made[0].is_closed()
