"""The audit trail on Postgres: administrative acts, added with what they change, never altered."""

from collections.abc import Sequence

from domain.acts import Act, Entry
from infra.postgres.database import Connection, Database
from infra.postgres.statements import sql


async def record(connection: Connection, act: Act, on: Sequence[str]) -> None:
    """Add an act to the trail in the transaction that carries it out."""
    await connection.execute(
        sql("insert_audit_entry"), act.tenant_id, act.at, act.who, act.what, list(on)
    )


class AuditTrail:
    """Reads the acts on tenants."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self, tenant_id: int, limit: int) -> list[Entry]:
        """Return up to `limit` entries, newest first."""
        rows = await self._database.fetch("audit_entries", tenant_id, limit)
        return [Entry(*row) for row in rows]
