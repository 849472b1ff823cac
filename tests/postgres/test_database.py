"""Transient trouble is tried again; what stays is told apart from bugs."""

import asyncio
from collections.abc import Callable

import asyncpg
import pytest

from domain.errors import Unavailable
from infra.postgres.database import Connection, Database, PoolLimits, open_database
from tests.harness.postgres import execute

TRANSIENT: list[Callable[[], Exception]] = [
    lambda: asyncpg.SerializationError("x"),
    lambda: asyncpg.DeadlockDetectedError("x"),
    lambda: asyncpg.ConnectionDoesNotExistError("x"),
    lambda: asyncpg.AdminShutdownError("x"),
    lambda: asyncpg.CannotConnectNowError("x"),
    lambda: asyncpg.TooManyConnectionsError("x"),
    lambda: asyncpg.InterfaceError("x"),
    lambda: asyncpg.InternalClientError("x"),
    lambda: ConnectionResetError("x"),
    lambda: TimeoutError("x"),
]


@pytest.mark.parametrize("trouble", TRANSIENT, ids=lambda made: type(made()).__name__)
async def test_transient_trouble_is_tried_again(
    database: Database, trouble: Callable[[], Exception]
) -> None:
    tries = 0

    async def work(connection: Connection) -> object:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise trouble()
        return await connection.fetchval("select 1")

    assert await database.run(work) == 1


@pytest.mark.parametrize("trouble", TRANSIENT, ids=lambda made: type(made()).__name__)
async def test_trouble_that_stays_is_that_storage_cannot_serve(
    database: Database, trouble: Callable[[], Exception]
) -> None:
    async def work(_connection: Connection) -> None:
        raise trouble()

    with pytest.raises(Unavailable):
        await database.run(work)


@pytest.mark.parametrize("bug", [ZeroDivisionError(), asyncpg.UndefinedTableError("x")])
async def test_a_bug_is_not_tried_again(database: Database, bug: Exception) -> None:
    tries = 0

    async def work(_connection: Connection) -> None:
        nonlocal tries
        tries += 1
        raise bug

    with pytest.raises(type(bug)):
        await database.run(work)
    assert tries == 1


async def test_what_a_failed_try_did_is_undone(database: Database) -> None:
    tries = 0

    async def work(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        await connection.execute("insert into tenants (name) values ($1)", f"try-{tries}")
        if tries == 1:
            raise asyncpg.SerializationError

    await database.run(work)
    async with database.connection() as connection:
        names = [row["name"] for row in await connection.fetch("select name from tenants")]
    assert names == ["try-2"]


async def test_a_connection_that_is_lost_is_replaced(database: Database, database_url: str) -> None:
    seen: list[int] = []

    async def work(connection: Connection) -> object:
        seen.append(await connection.fetchval("select pg_backend_pid()"))
        if len(seen) == 1:
            await execute(database_url, f"select pg_terminate_backend({seen[0]})")
        return await connection.fetchval("select 1")

    assert await database.run(work) == 1
    assert len(set(seen)) == 2


async def test_connections_that_are_lost_between_two_requests_are_replaced(
    database: Database, database_url: str
) -> None:
    for _ in range(3):
        assert await database.fetch("zones") == []
        await execute(
            database_url,
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()",
        )


async def test_writers_that_block_each_other_both_end(database: Database) -> None:
    await database.run(_two_tenants)
    both = asyncio.Barrier(2)

    async def write(first: str, second: str) -> None:
        met = False

        async def work(connection: Connection) -> None:
            nonlocal met
            await connection.execute("update tenants set name = name where name = $1", first)
            if not met:
                met = True
                await both.wait()
            await connection.execute("update tenants set name = name where name = $1", second)

        await database.run(work)

    await asyncio.gather(write("a", "b"), write("b", "a"))


async def test_a_pool_that_stays_empty_cannot_serve(database_url: str) -> None:
    limits = PoolLimits(connections_max=1, acquire_timeout_ms=50)
    async with open_database(database_url, limits) as database, database.connection():
        with pytest.raises(Unavailable):
            await database.fetch("zones")


async def test_a_statement_without_end_is_cut_off(database_url: str) -> None:
    limits = PoolLimits(connections_max=1, statement_timeout_ms=50)
    async with open_database(database_url, limits) as database:
        with pytest.raises(Unavailable):
            await database.run(lambda connection: connection.execute("select pg_sleep(600)"))
        assert await database.fetch("zones") == []


async def test_statements_are_not_prepared_where_the_cache_is_off(database_url: str) -> None:
    limits = PoolLimits(connections_max=1, statement_cache=False)
    async with open_database(database_url, limits) as database:
        for _ in range(2):
            assert await database.fetch("zones") == []
        prepared = await database.run(
            lambda connection: connection.fetchval("select count(*) from pg_prepared_statements")
        )
        assert prepared == 0


async def _two_tenants(connection: Connection) -> None:
    await connection.execute("insert into tenants (name) values ('a'), ('b')")
