"""Ladders of amounts on Postgres."""

from domain.acts import Act
from domain.errors import NotFound, TooManyStored
from domain.tier import Ladder
from infra.postgres.audit_trail import record
from infra.postgres.database import Connection, Database
from infra.postgres.statements import sql


class Ladders:
    """See `domain.ports.Ladders`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(
        self, act: Act, marketplace: str, category: str, ladder: Ladder, count_max: int
    ) -> bool:
        """Create (True) or replace a ladder; raises TooManyStored."""

        async def work(connection: Connection) -> bool:
            await connection.execute(sql("lock_tenant"), act.tenant_id)
            created: bool | None = await connection.fetchval(
                sql("put_ladder"),
                act.tenant_id,
                marketplace,
                category,
                ladder.currency,
                ladder.amounts,
            )
            if created and (
                await connection.fetchval(sql("count_ladders"), act.tenant_id) > count_max
            ):
                raise TooManyStored("ladders", count_max)
            if created is not None:
                await record(connection, act, [f"{marketplace}/{category}"])
            return bool(created)

        return await self._database.run(work)

    async def get(self, tenant_id: int, marketplace: str, category: str) -> Ladder:
        """Return a ladder; raises NotFound."""
        rows = await self._database.fetch("get_ladder", tenant_id, marketplace, category)
        if not rows:
            raise _not_found(marketplace, category)
        return Ladder(rows[0]["currency"], tuple(rows[0]["amounts"]))

    async def delete(self, act: Act, marketplace: str, category: str) -> None:
        """Delete a ladder; raises NotFound."""

        async def work(connection: Connection) -> None:
            if not await connection.fetchval(
                sql("delete_ladder"), act.tenant_id, marketplace, category
            ):
                raise _not_found(marketplace, category)
            await record(connection, act, [f"{marketplace}/{category}"])

        await self._database.run(work)


def _not_found(marketplace: str, category: str) -> NotFound:
    return NotFound("ladder", f"{marketplace}/{category}")
