"""The audit trail on Postgres: administrative acts, added with what they change, never altered."""

from collections.abc import Sequence
from datetime import UTC, datetime

from domain.acts import Act, Entry
from infra.postgres.database import Connection, Database
from infra.postgres.statements import sql


async def record(connection: Connection, act: Act, on: Sequence[str]) -> None:
    """Add an act to the trail in the transaction that carries it out."""
    await connection.execute(
        sql("insert_audit_entry"), act.tenant_id, act.at, act.who, act.what, list(on)
    )


_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_ENTRY_MAX = 2**63 - 1


class AuditTrail:
    """See `domain.ports.AuditTrail`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self,
        tenant_id: int,
        limit: int,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        after: tuple[datetime, int] | None = None,
    ) -> list[Entry]:
        """Return up to `limit` entries after a given one, newest first."""
        rows = await self._database.fetch(
            "audit_entries",
            tenant_id,
            start or _FIRST,
            end or _LAST,
            *(after or (_LAST, _ENTRY_MAX)),
            limit,
        )
        return [Entry(*row) for row in rows]
