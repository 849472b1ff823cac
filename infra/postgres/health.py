"""Whether Postgres can serve."""

import asyncio

from domain.errors import Unavailable
from infra.postgres.database import Database
from infra.postgres.migrations import is_current


class Health:
    """See `domain.ports.Health`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def is_ready(self) -> bool:
        """Return whether the database answers and its schema is current."""
        try:
            async with asyncio.timeout(self._database.acquire_timeout_s):
                return await self._database.run(is_current, tries=1)
        except (Unavailable, TimeoutError):
            return False
