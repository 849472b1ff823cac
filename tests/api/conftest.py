"""A tenant `acme` with the shop `s`, for tests that need one, and clients of other keys."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from domain.keys import SCOPES, Scope
from infra.postgres.database import Database
from tests.api.samples import Client, open_shop
from tests.conftest import Clock, new_key

KeyHolder = Callable[..., Awaitable[Client]]


@pytest.fixture
async def shop(client: Client) -> Client:
    """Return the client of `acme` after opening the shop `s` in Shanghai."""
    await open_shop(client)
    return client


@pytest.fixture
def holder(app: Litestar, anonymous: Client, database: Database, clock: Clock) -> KeyHolder:
    """Return a function that opens clients with keys of their own."""

    async def hold(
        *,
        tenant: str = "acme",
        scopes: tuple[Scope, ...] = SCOPES,
        shop_ids: list[str] | None = None,
        expires_at: datetime | None = None,
    ) -> Client:
        key = await new_key(
            database,
            clock,
            tenant=tenant,
            scopes=scopes,
            shop_ids=shop_ids,
            expires_at=expires_at,
        )
        return with_key(app, anonymous, key)

    return hold


def with_key(app: Litestar, running: Client, key: str) -> Client:
    """Return a client of an application that another client has started."""
    client: Client = AsyncTestClient(app)
    client.blocking_portal = running.blocking_portal
    client.event_hooks = running.event_hooks
    client.headers["authorization"] = f"Bearer {key}"
    return client
