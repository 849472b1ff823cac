"""Ladders of amounts on Postgres."""

from domain.errors import NotFound
from domain.tier import Ladder
from infra.postgres.database import Database
from infra.postgres.statements import sql


class Ladders:
    """See `domain.ports.Ladders`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, tenant_id: int, marketplace: str, category: str, ladder: Ladder) -> bool:
        """Create (True) or replace."""
        created: bool = await self._database.run(
            lambda connection: connection.fetchval(
                sql("put_ladder"),
                tenant_id,
                marketplace,
                category,
                ladder.currency,
                ladder.amounts,
            )
        )
        return created

    async def get(self, tenant_id: int, marketplace: str, category: str) -> Ladder:
        """One ladder; raises NotFound."""
        rows = await self._database.fetch("get_ladder", tenant_id, marketplace, category)
        if not rows:
            raise _not_found(marketplace, category)
        return Ladder(rows[0]["currency"], tuple(rows[0]["amounts"]))

    async def delete(self, tenant_id: int, marketplace: str, category: str) -> None:
        """Remove one; raises NotFound."""
        found = await self._database.run(
            lambda connection: connection.fetchval(
                sql("delete_ladder"), tenant_id, marketplace, category
            )
        )
        if not found:
            raise _not_found(marketplace, category)


def _not_found(marketplace: str, category: str) -> NotFound:
    return NotFound("ladder", f"{marketplace}/{category}")
