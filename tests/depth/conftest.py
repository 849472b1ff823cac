"""The application in the test's own event loop, so that requests run side by side."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from litestar import Litestar

from api.metrics import Metrics
from api.ports import Limits, Ports
from infra.postgres.database import Database, PoolLimits
from shopdsr.app import open_ports
from tests.conftest import Clock, new_key
from tests.depth.session import Session
from tests.harness.client import open_app_client

POOL = PoolLimits(connections_max=8)


@pytest.fixture
async def context(database_url: str, clock: Clock) -> AsyncIterator[Ports]:
    """Open every port in the test's own event loop."""
    async with open_ports(database_url, POOL, Limits(), clock) as opened:
        yield opened


@pytest.fixture
async def service(
    app: Litestar, context: Ports, database: Database, clock: Clock
) -> AsyncIterator[Session]:
    """Start the application with a key of all scopes in the tenant `acme`."""
    app.state.ports = context
    app.state.metrics = Metrics(context.storage_figures)
    async with AsyncExitStack() as stack:
        key = await new_key(database, clock)
        client = await stack.enter_async_context(open_app_client(app, key))
        yield Session(client, context, database, clock)
