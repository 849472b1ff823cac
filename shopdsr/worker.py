"""What each worker process of the server runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from litestar import Litestar

from api.context import Context
from shopdsr.app import create_app, open_context
from shopdsr.schedule import scheduled
from shopdsr.database import database_url
from shopdsr.settings import read_settings


def clock() -> datetime:
    """The instant it is, in UTC."""
    return datetime.now(UTC)


def worker() -> Litestar:
    """The application under the settings of the environment.

    Each worker holds the embedded Postgres for itself, so it stays while any of them lives.
    """
    settings = read_settings()

    @asynccontextmanager
    async def ports() -> AsyncIterator[Context]:
        with database_url(settings) as url:
            async with (
                open_context(url, settings.pool, settings.limits, clock) as context,
                scheduled(context, settings.snapshot_interval_s),
            ):
                yield context

    return create_app(ports)
