"""Record the statements that a pool sends."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from api.ports import Ports
from infra.postgres.database import Database


class Statements:
    """The statements sent since recording began."""

    def __init__(self) -> None:
        """Start with no statement."""
        self._sent: list[str] = []

    async def record(self, database: Database) -> None:
        """Record the statements of a pool of a single connection."""
        async with database.connection() as connection:
            connection.add_query_logger(self._record)

    async def record_all(self, context: Ports) -> None:
        """Record the statements of every connection of a context's pool."""
        database: Database = context.rules._database  # type: ignore[attr-defined]
        async with AsyncExitStack() as stack:
            for _ in range(database._limits.connections_max):
                connection = await stack.enter_async_context(database.connection())
                connection.add_query_logger(self._record)

    async def take_sent(self) -> list[str]:
        """Return the statements sent since the last call, oldest first."""
        # The driver logs a statement in the next iteration of the loop.
        await asyncio.sleep(0)
        sent, self._sent = self._sent, []
        return sent

    def _record(self, record: Any) -> None:
        self._sent.append(record.query)
