"""One service for the journeys that share it, each under a tenant of its own."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import asyncpg
import pytest

from tests.conftest import database_of
from tests.journey.process import Service


@pytest.fixture(scope="session")
def service(postgres_url: str) -> Iterator[Service]:
    """A service on a new database of the tests' server."""
    name = f"shopdsr_test_{uuid4().hex}"
    asyncio.run(_execute(postgres_url, f"create database {name}"))
    with Service({"SHOPDSR_DATABASE_URL": database_of(postgres_url, name)}) as started:
        yield started
        assert started.stop() in {0, 143}, started.said()
    asyncio.run(_execute(postgres_url, f"drop database {name} with (force)"))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
