"""Which statements a pool of one connection sends."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from api.ports import Ports
from infra.postgres.database import Database


class Statements:
    """What was sent since listening began."""

    def __init__(self) -> None:
        """Begin with none."""
        self._sent: list[str] = []

    async def listen(self, database: Database) -> None:
        """Hear what the pool's connection sends; its limit must be one."""
        async with database.connection() as connection:
            connection.add_query_logger(self._hear)

    async def listen_to_all(self, context: Ports) -> None:
        """Hear every connection that a context's pool may ever open."""
        database: Database = context.rules._database  # type: ignore[attr-defined]
        async with AsyncExitStack() as stack:
            for _ in range(database._limits.connections_max):
                connection = await stack.enter_async_context(database.connection())
                connection.add_query_logger(self._hear)

    async def heard(self) -> list[str]:
        """What was sent since this was asked last, oldest first."""
        # The driver tells of a statement one turn of the loop later.
        await asyncio.sleep(0)
        sent, self._sent = self._sent, []
        return sent

    def _hear(self, record: Any) -> None:
        self._sent.append(record.query)
