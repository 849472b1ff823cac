"""A database and a server process for each file of attacks, and keys of two tenants."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from domain.keys import SCOPES, Scope
from infra.postgres.database import PoolLimits, open_database
from tests.api.conftest import holder  # noqa: F401 - a fixture
from tests.conftest import Clock, new_key
from tests.harness.postgres import new_database
from tests.harness.server import Server, serve


class World:
    """A database with the schema, and the keys that are made in it."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url

    def key(
        self,
        tenant: str = "acme",
        scopes: tuple[Scope, ...] = SCOPES,
        shop_ids: list[str] | None = None,
        expires_at: datetime | None = None,
    ) -> str:
        """Return a new key, as its holder sends it."""

        async def make() -> str:
            clock = Clock()
            clock.now = datetime.now(UTC)
            async with open_database(self.database_url, PoolLimits(1)) as database:
                return await new_key(
                    database,
                    clock,
                    tenant=tenant,
                    scopes=scopes,
                    shop_ids=shop_ids,
                    expires_at=expires_at,
                )

        return asyncio.run(make())


@contextmanager
def new_world(postgres_url: str, template: str) -> Iterator[World]:
    """Create a database with the schema."""
    with new_database(postgres_url, f"template {template}") as url:
        yield World(url)


@pytest.fixture(scope="module")
def world(postgres_url: str, template: str) -> Iterator[World]:
    """Create the database of a file of tests."""
    with new_world(postgres_url, template) as made:
        yield made


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[Server]:
    """Run a server with default settings, which must be well at the end."""
    with serve(world.database_url) as running:
        workers = running.workers
        yield running
        assert running.workers == workers, "a worker died"
        assert running.is_ready()
        assert '"bug"' not in running.output


@pytest.fixture(scope="module")
def key(world: World) -> str:
    """Make a key that may do everything in the tenant `acme`."""
    return world.key()
