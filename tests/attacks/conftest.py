"""A database and a server process for each file of attacks, and keys of two tenants."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from domain.keys import SCOPES, Scope
from infra.postgres.database import PoolLimits, open_database
from tests.api.conftest import holder  # noqa: F401 - a fixture
from tests.attacks.server import Server, served
from tests.conftest import Clock, database_of, execute, new_key


class World:
    """A database with the schema, and the keys that are made in it."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url

    def key(
        self,
        tenant: str = "acme",
        scopes: tuple[Scope, ...] = SCOPES,
        shop_ids: list[str] | None = None,
    ) -> str:
        """A new key, as its holder sends it."""

        async def make() -> str:
            clock = Clock()
            clock.now = datetime.now(UTC)
            async with open_database(self.database_url, PoolLimits(1)) as database:
                return await new_key(
                    database, clock, tenant=tenant, scopes=scopes, shop_ids=shop_ids
                )

        return asyncio.run(make())


@contextmanager
def new_world(postgres_url: str, template: str) -> Iterator[World]:
    """A database of its own."""
    name = f"shopdsr_test_{uuid4().hex}"
    asyncio.run(execute(postgres_url, f"create database {name} template {template}"))
    try:
        yield World(database_of(postgres_url, name))
    finally:
        asyncio.run(execute(postgres_url, f"drop database {name} with (force)"))


@pytest.fixture(scope="module")
def world(postgres_url: str, template: str) -> Iterator[World]:
    """The database of a file of tests."""
    with new_world(postgres_url, template) as made:
        yield made


@pytest.fixture(scope="module")
def server(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on it with default settings, which must be well at the end."""
    with served(world.database_url, tmp_path_factory.mktemp("server")) as running:
        workers = running.workers
        yield running
        assert running.workers == workers, "a worker died"
        with running.client() as client:
            assert client.get("/readyz").status_code == 200
        assert '"bug"' not in running.output


@pytest.fixture(scope="module")
def key(world: World) -> str:
    """A key that may do everything in the tenant `acme`."""
    return world.key()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a server of one test keeps its output."""
    return tmp_path
