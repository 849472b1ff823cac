"""Tenants and their API keys on Postgres."""

from datetime import datetime
from time import monotonic

import asyncpg

from domain.errors import NotFound
from domain.keys import ApiKey, StoredKey
from infra.postgres.database import Connection, Database
from infra.postgres.statements import sql

REMEMBERED_S = 4.0
REMEMBERED_MAX = 10_000


class Keys:
    """See `domain.ports.Keys`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered: dict[str, tuple[float, StoredKey]] = {}

    async def find(self, key_id: str) -> StoredKey | None:
        """A key by id, whether or not it still holds.

        A key that was found is remembered for `REMEMBERED_S`, which is how long a revocation
        elsewhere may go unseen; that there is none is never remembered.
        """
        known = self._remembered.get(key_id)
        asked_at = monotonic()
        if known is not None and asked_at - known[0] < REMEMBERED_S:
            return known[1]
        rows = await self._database.fetch("find_key", key_id)
        if not rows:
            return None
        found = StoredKey(_key(rows[0]), rows[0]["secret_sha256"])
        if len(self._remembered) >= REMEMBERED_MAX:
            self._remembered.clear()
        self._remembered[key_id] = (asked_at, found)
        return found

    async def add(self, stored: StoredKey) -> None:
        """Keep a new key."""
        key = stored.key
        await self._database.run(
            lambda connection: connection.execute(
                sql("insert_key"),
                key.key_id,
                key.tenant_id,
                key.scopes,
                key.shop_ids,
                key.created_at,
                key.expires_at,
                key.revoked_at,
                stored.secret_sha256,
            )
        )

    async def list(self, tenant_id: int) -> list[ApiKey]:
        """Keys of a tenant, newest first."""
        return [_key(row) for row in await self._database.fetch("list_keys", tenant_id)]

    async def revoke(self, tenant_id: int, key_id: str, now: datetime) -> None:
        """End a key; ending it again changes nothing. Raises NotFound."""
        found = await self._database.run(
            lambda connection: connection.fetchval(sql("revoke_key"), tenant_id, key_id, now)
        )
        self._remembered.pop(key_id, None)
        if not found:
            raise NotFound("key", key_id)

    async def find_tenant(self, name: str) -> int:
        """The id of a tenant; raises NotFound."""
        rows = await self._database.fetch("find_tenant", name)
        if not rows:
            raise NotFound("tenant", name)
        tenant_id: int = rows[0]["tenant_id"]
        return tenant_id

    async def make_tenant(self, name: str) -> int:
        """The id of a tenant, new if there was none of this name."""

        async def work(connection: Connection) -> int:
            await connection.execute(sql("make_tenant"), name)
            tenant_id: int = await connection.fetchval(sql("find_tenant"), name)
            return tenant_id

        return await self._database.run(work)


def _key(row: asyncpg.Record) -> ApiKey:
    return ApiKey(
        key_id=row["key_id"],
        tenant_id=row["tenant_id"],
        scopes=row["scopes"],
        shop_ids=row["shop_ids"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
    )
