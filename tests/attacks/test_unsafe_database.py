"""A database that may lose what it confirms is refused at the start, unless that is allowed."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from infra.embedded import embedded_postgres, lifetime, throwaway_data_dir
from infra.postgres.database import UnsafeDatabase, refuse_unsafe
from tests.attacks.conftest import World
from tests.attacks.server import free_port, served
from tests.conftest import execute


@pytest.fixture
def careless(world: World) -> Iterator[World]:
    """A database whose commits do not wait for the disk."""
    name = urlsplit(world.database_url).path.removeprefix("/")

    def alter(statement: str) -> None:
        asyncio.run(execute(world.database_url, statement.format(name)))

    alter("alter database {} set synchronous_commit = off")
    try:
        yield world
    finally:
        alter("alter database {} reset synchronous_commit")


def test_the_server_does_not_start_on_it(careless: World) -> None:
    environ = {name: text for name, text in os.environ.items() if "SHOPDSR_" not in name}
    environ |= {
        "SHOPDSR_DATABASE_URL": careless.database_url,
        "SHOPDSR_PORT": str(free_port()),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "shopdsr", "serve"],
        capture_output=True,
        check=False,
        env=environ,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    assert "synchronous_commit must be on" in ended.stderr


def test_the_server_starts_on_it_where_data_may_be_lost(careless: World, folder: Path) -> None:
    with served(careless.database_url, folder, data_may_be_lost="true") as server:
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
