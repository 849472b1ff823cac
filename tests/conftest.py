"""Shared fixtures: a Postgres server for the run, a database and an application for each test."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from api.auth import make_key
from api.ports import Limits, Ports
from domain.acts import COMMAND_LINE, Act
from domain.keys import SCOPES, Scope
from infra.embedded import embedded_postgres, places, throwaway_data_dir
from infra.postgres.database import Database, PoolLimits, open_database
from infra.postgres.keys import Keys
from infra.postgres.migrations import migrate
from shopdsr.app import create_app, open_ports
from tests.contract.validation import check_async
from tests.harness.postgres import database_name, new_database

POOL = PoolLimits(connections_max=4)


class Clock:
    """A clock that stands where a test puts it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Return the address of a server for tests: a given or an embedded Postgres."""
    given = os.environ.get("SHOPDSR_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with throwaway_data_dir() as folder, embedded_postgres(folder) as url:
        yield url


@pytest.fixture(scope="session")
def template(postgres_url: str) -> Iterator[str]:
    """Create a database with the schema and nothing in it; its name is yielded."""

    async def make(url: str) -> None:
        async with open_database(url, POOL, as_owner=True) as owner:
            await migrate(owner)

    with new_database(postgres_url) as url:
        asyncio.run(make(url))
        yield database_name(url)


@pytest.fixture
def database_url(postgres_url: str, template: str) -> Iterator[str]:
    """Create a database with the schema, for one test."""
    with new_database(postgres_url, f"template {template}") as url:
        yield url


@pytest.fixture
def empty_url(postgres_url: str) -> Iterator[str]:
    """Create a database without a schema."""
    with new_database(postgres_url) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Open a pool on the test's database."""
    async with open_database(database_url, POOL) as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    """Return the application's clock, at noon UTC of 2026-11-21 until a test moves it."""
    return Clock()


@pytest.fixture
def limits() -> Limits:
    """Return the application's limits, the defaults unless a test has its own."""
    return Limits()


@pytest.fixture
def app(database_url: str, clock: Clock, limits: Limits) -> Litestar:
    """Make the real application on the test's database."""

    @asynccontextmanager
    async def ports() -> AsyncIterator[Ports]:
        async with open_ports(database_url, POOL, limits, clock) as context:
            yield context

    return create_app(ports)


@pytest.fixture
async def anonymous(app: Litestar) -> AsyncIterator[AsyncTestClient[Litestar]]:
    """Open a client without a key."""
    async with AsyncTestClient(app) as client:
        client.event_hooks = {"response": [check_async]}
        yield client


@pytest.fixture
async def client(
    anonymous: AsyncTestClient[Litestar], database: Database, clock: Clock
) -> AsyncTestClient[Litestar]:
    """Open a client whose key may do everything in the tenant `acme`."""
    anonymous.headers["authorization"] = f"Bearer {await new_key(database, clock)}"
    return anonymous


async def new_key(
    database: Database,
    clock: Clock,
    *,
    tenant: str = "acme",
    scopes: tuple[Scope, ...] = SCOPES,
    shop_ids: list[str] | None = None,
    expires_at: datetime | None = None,
) -> str:
    """Return a new key, as its holder sends it."""
    keys = Keys(database)
    text, stored = make_key(
        tenant_id=await keys.make_tenant(tenant),
        scopes=list(scopes),
        shop_ids=shop_ids,
        expires_at=expires_at,
        now=clock.now,
    )
    act = Act(stored.key.tenant_id, COMMAND_LINE, "keys create", clock.now)
    await keys.add(act, stored, Limits().definitions_max)
    return text


@pytest.fixture
def open_wheel(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the wheel's files in a folder that is open to all."""
    with throwaway_data_dir() as folder:
        wheel = places.copy_of_wheel(folder)
        monkeypatch.setattr(places, "wheel_dir", lambda: wheel)
        yield
