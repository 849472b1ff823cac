"""The pool lends a connection again while it works, and to one piece of work at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import asyncpg
import pytest
from asyncpg.transaction import Transaction

from infra.postgres import database as module
from infra.postgres.database import Connection, Database, PoolLimits, open_database
from tests.harness.postgres import database_of

TWO = PoolLimits(connections_max=2, acquire_timeout_ms=5_000)
HURRIED = PoolLimits(connections_max=1, acquire_timeout_ms=100)


@pytest.fixture
async def connections(database_url: str) -> AsyncIterator[Database]:
    """Open a pool of two connections."""
    async with open_database(database_url, TWO) as opened:
        yield opened


async def pid(connections: Database) -> int:
    """Return the server process of a connection that is lent and given back."""
    async with connections.connection() as connection:
        process: int = connection.get_server_pid()
        return process


async def test_the_connection_used_last_is_lent_again(connections: Database) -> None:
    async with connections.connection():
        async with connections.connection() as second:
            last = second.get_server_pid()
        assert await pid(connections) == last


async def test_a_connection_lent_is_lent_to_nobody_else(connections: Database) -> None:
    async with connections.connection() as first, connections.connection() as second:
        assert first.get_server_pid() != second.get_server_pid()


async def test_a_connection_is_given_back_without_a_round_trip(
    connections: Database, database_url: str
) -> None:
    before = await pid(connections)
    owner = await asyncpg.connect(database_url)
    last = "select query from pg_stat_activity where pid = $1"
    async with connections.connection() as connection:
        assert await connection.fetchval("select 20261121") == 20261121
    assert await owner.fetchval(last, before) == "select 20261121"
    await owner.close()


async def test_a_failure_of_the_work_costs_no_connection(connections: Database) -> None:
    before = await pid(connections)
    with pytest.raises(ZeroDivisionError):
        async with connections.connection():
            raise ZeroDivisionError
    assert await pid(connections) == before


@pytest.mark.parametrize("silence", [TimeoutError, asyncio.CancelledError])
async def test_a_connection_that_stays_silent_is_thrown_away(
    connections: Database, silence: type[BaseException]
) -> None:
    before = await pid(connections)
    with pytest.raises(silence):
        async with connections.connection():
            raise silence
    assert await pid(connections) != before


async def test_a_transaction_left_open_is_undone_before_the_connection_is_lent_again(
    connections: Database,
) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    async with connections.connection() as connection:
        await connection.execute("begin")
        await connection.execute("insert into tenants (name) values ('left')")
    async with connections.connection() as connection:
        assert not connection.is_in_transaction()
        assert await connection.fetchval("select count(*) from tenants") == 0


async def test_a_connection_unused_for_long_is_not_lent_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDLE_MAX_S", 0.01)
    async with open_database(database_url, TWO) as connections:
        before = await pid(connections)
        async with asyncio.timeout(5):
            while await pid(connections) == before:
                await asyncio.sleep(0.05)


async def test_a_failure_to_connect_leaves_the_place_to_others(database_url: str) -> None:
    absent = database_of(database_url, "absent")
    async with open_database(absent, HURRIED) as connections:
        for _ in range(3):
            with pytest.raises(asyncpg.InvalidCatalogNameError):
                await pid(connections)


async def test_a_pool_that_has_ended_makes_no_connection(database_url: str) -> None:
    work = AsyncExitStack()
    async with open_database(database_url, TWO) as connections:
        connection = await work.enter_async_context(connections.connection())
    with pytest.raises(asyncpg.InterfaceError):
        await connection.execute("select 1")
    with pytest.raises(asyncpg.InterfaceError):
        await pid(connections)
    await work.aclose()


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


async def test_waiting_too_long_or_hanging_up_takes_no_place(database_url: str) -> None:
    async with open_database(database_url, HURRIED) as connections:
        async with connections.connection():
            with pytest.raises(TimeoutError):
                await pid(connections)
            hung_up = asyncio.create_task(pid(connections))
            await asyncio.sleep(0.01)
            hung_up.cancel()
            await asyncio.gather(hung_up, return_exceptions=True)
        assert await pid(connections)


async def test_a_connection_made_while_the_pool_ends_is_thrown_away(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Connection] = []
    ended = asyncio.Event()
    connect = asyncpg.connection.connect

    async def connect_late(*arguments: object, **named: object) -> Connection:
        made.append(await connect(*arguments, **named))
        await ended.wait()
        return made[0]

    monkeypatch.setattr(asyncpg.connection, "connect", connect_late)
    async with open_database(database_url, TWO) as connections:
        late = asyncio.create_task(pid(connections))
        while not made:
            await asyncio.sleep(0.01)
    ended.set()
    with pytest.raises(asyncpg.InterfaceError):
        await late
    assert made[0].is_closed()
