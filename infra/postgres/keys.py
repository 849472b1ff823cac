"""Tenants and their API keys on Postgres."""

import hmac
from collections.abc import Sequence
from datetime import datetime
from time import monotonic

import asyncpg

from domain.acts import Act
from domain.errors import NotFound, TooManyStored
from domain.keys import ApiKey, StoredKey
from infra.postgres.audit_trail import record
from infra.postgres.database import Connection, Database
from infra.postgres.statements import sql

REMEMBERED_S = 4.0
REMEMBERED_MAX = 10_000

_NO_DIGEST = bytes(32)


class Keys:
    """See `domain.ports.Keys`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered: dict[str, tuple[float, StoredKey]] = {}

    async def find(self, key_id: str, secret_sha256: bytes) -> ApiKey | None:
        """Return the key of an id and a secret, whether or not it still holds.

        A key is remembered for `REMEMBERED_S`: a revocation by another process takes effect after
        that time at most. A missing key is never remembered, and a wrong secret is always looked
        up, as an unknown id is.
        """
        known = self._remembered.get(key_id)
        now_s = monotonic()
        if (
            known is not None
            and hmac.compare_digest(secret_sha256, known[1].secret_sha256)
            and now_s - known[0] < REMEMBERED_S
        ):
            return known[1].key
        rows = await self._database.fetch("find_key", key_id)
        digest = rows[0]["secret_sha256"] if rows else _NO_DIGEST
        if not hmac.compare_digest(secret_sha256, digest) or not rows:
            return None
        stored_key = StoredKey(_key(rows[0]), digest)
        if len(self._remembered) >= REMEMBERED_MAX:
            self._remembered.clear()
        self._remembered[key_id] = (now_s, stored_key)
        return stored_key.key

    async def add(self, act: Act, stored: StoredKey, count_max: int) -> None:
        """Store a new key, if need be in place of the key that ended first.

        Raises TooManyStored where `count_max` keys are valid.
        """
        key = stored.key

        async def work(connection: Connection) -> None:
            await connection.execute(sql("lock_tenant"), key.tenant_id)
            # The key is stored already where an earlier try was committed without an answer.
            if await connection.fetchval(
                sql("insert_key"),
                key.key_id,
                key.tenant_id,
                key.scopes,
                key.shop_ids,
                key.created_at,
                key.expires_at,
                key.revoked_at,
                stored.secret_sha256,
            ):
                await connection.execute(sql("delete_ended_keys"), key.tenant_id, act.at, count_max)
                if await connection.fetchval(sql("count_keys"), key.tenant_id) > count_max:
                    raise TooManyStored("keys", count_max)
                await record(connection, act, [key.key_id])

        await self._database.run(work)

    async def page(
        self,
        tenant_id: int,
        shop_ids: Sequence[str] | None,
        *,
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> list[ApiKey]:
        """Return up to `limit` keys within `shop_ids`, newest first, then by id, after one."""
        rows = await self._database.fetch(
            "keys_page", tenant_id, shop_ids, *(after or (None, None)), limit
        )
        return [_key(row) for row in rows]

    async def revoke(self, act: Act, key_id: str, shop_ids: Sequence[str] | None) -> None:
        """Revoke a key within `shop_ids`; a second time changes nothing. Raises NotFound."""

        async def work(connection: Connection) -> None:
            is_revoked_now = await connection.fetchval(
                sql("revoke_key"), act.tenant_id, key_id, act.at, shop_ids
            )
            if is_revoked_now is None:
                raise NotFound("key", key_id)
            if is_revoked_now:
                await record(connection, act, [key_id])

        await self._database.run(work)
        self._remembered.pop(key_id, None)

    async def find_tenant(self, name: str) -> int:
        """Return the id of a tenant; raises NotFound."""
        rows = await self._database.fetch("find_tenant", name)
        if not rows:
            raise NotFound("tenant", name)
        tenant_id: int = rows[0]["tenant_id"]
        return tenant_id

    async def make_tenant(self, name: str) -> int:
        """Return the id of a tenant, new if there was none of this name."""

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
