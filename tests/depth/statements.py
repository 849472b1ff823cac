"""Which statements a pool of one connection sends."""

from typing import Any

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

    def count(self, part: str) -> int:
        """How many statements contain this."""
        return sum(part in query for query in self.sent)

    def _hear(self, record: Any) -> None:
        self.sent.append(record.query)
