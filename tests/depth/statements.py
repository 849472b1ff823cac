"""Which statements a pool of one connection sends."""

from contextlib import AsyncExitStack
from typing import Any

from api.context import Context
from infra.postgres.database import Database


class Statements:
    """What was sent since listening began, oldest first."""

    def __init__(self) -> None:
        """Begin with none."""
        self.sent: list[str] = []

    async def listen(self, database: Database) -> None:
        """Hear what the pool's connection sends; its limit must be one."""
        async with database.connection() as connection:
            connection.add_query_logger(self._hear)

    async def listen_to_all(self, context: Context) -> None:
        """Hear every connection that a context's pool may ever open."""
        pool = context.rules._database._pool  # type: ignore[attr-defined]
        async with AsyncExitStack() as stack:
            for _ in range(pool.get_max_size()):
                connection = await stack.enter_async_context(pool.acquire())
                connection.add_query_logger(self._hear)

    def count(self, part: str) -> int:
        """How many statements contain this."""
        return sum(part in query for query in self.sent)

    def _hear(self, record: Any) -> None:
        self.sent.append(record.query)
