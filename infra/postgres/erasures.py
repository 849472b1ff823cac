"""Erasures of buyers on Postgres."""

import secrets

from domain.acts import Act
from infra.postgres.audit_trail import record
from infra.postgres.database import Connection, Database
from infra.postgres.fact_statements import erase_dependent_texts, erase_facts
from infra.postgres.shop_cache import ShopCache
from infra.postgres.statements import sql


class Erasures:
    """See `domain.ports.Erasures`."""

    def __init__(self, database: Database, shop_cache: ShopCache) -> None:
        self._database = database
        self._shop_cache = shop_cache

    async def erase(self, act: Act, buyer_id: str) -> int:
        """Erase a buyer from the facts of every shop; return how many stood and changed."""
        tenant_id = act.tenant_id

        async def work(connection: Connection) -> int:
            rows = await connection.fetch(sql("shops_of_buyer"), tenant_id, buyer_id)
            locked = await self._shop_cache.lock_named(
                connection, [(tenant_id, row["shop_id"]) for row in rows]
            )
            shop_keys = [shop.definition.known.shop_key for shop in locked.values()]
            # One id for all of them: who shared a cap goes on sharing it.
            replacement = f"erased-{secrets.token_hex(16)}"
            facts = 0
            # Texts first, while the facts that say whose they are still name the buyer.
            for name in erase_dependent_texts():
                facts += await connection.fetchval(sql(name), shop_keys, buyer_id)
            for name in erase_facts():
                facts += await connection.fetchval(sql(name), shop_keys, buyer_id, replacement)
            await record(connection, act, [f"{facts} facts"])
            return facts

        return await self._database.run(work)
