"""A database that may lose what it confirms is refused at the start, unless that is allowed."""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from infra.embedded import embedded_postgres, lifetime, throwaway_data_dir
from infra.postgres.database import UnsafeDatabase, refuse_unsafe
from tests.attacks.conftest import World
from tests.harness.postgres import database_name, execute
from tests.harness.processes import free_port
from tests.harness.server import Shell, serve


@pytest.fixture
def careless(world: World) -> Iterator[World]:
    """Make a database whose commits do not wait for the disk."""
    name = database_name(world.database_url)

    def alter(statement: str) -> None:
        asyncio.run(execute(world.database_url, statement.format(name)))

    alter("alter database {} set synchronous_commit = off")
    try:
        yield world
    finally:
        alter("alter database {} reset synchronous_commit")


def test_the_server_does_not_start_on_it(careless: World) -> None:
    ended = Shell(database_url=careless.database_url, port=free_port()).run("serve")
    assert ended.returncode == 2
    assert "synchronous_commit must be on" in ended.stderr


def test_the_server_starts_on_it_where_data_may_be_lost(careless: World) -> None:
    with serve(careless.database_url, data_may_be_lost="true") as server:
        assert server.workers


async def test_each_setting_that_loses_data_is_named(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        await refuse_unsafe(connection)
        await connection.execute("set synchronous_commit = off")
        with pytest.raises(UnsafeDatabase) as refused:
            await refuse_unsafe(connection)
        assert refused.value.settings == ["synchronous_commit"]
    finally:
        await connection.close()


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_without_it_is_refused(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(url: str) -> list[str]:
        connection = await asyncpg.connect(url)
        try:
            with pytest.raises(UnsafeDatabase) as refused:
                await refuse_unsafe(connection)
            return refused.value.settings
        finally:
            await connection.close()

    monkeypatch.setattr(lifetime, "SETTINGS", {**lifetime.SETTINGS, setting: "off"})
    with throwaway_data_dir() as data_dir, embedded_postgres(data_dir) as url:
        assert asyncio.run(ask(url)) == [setting]
