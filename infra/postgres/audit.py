"""The audit: every shop's stored totals against a recount, while the service goes on."""

from collections.abc import AsyncIterator
from datetime import datetime

import msgspec

from domain.recount import Difference
from infra.postgres.database import Connection, Database
from infra.postgres.ledger import lock_shops
from infra.postgres.recount import recount, repair
from infra.postgres.rules import RuleBook
from infra.postgres.shops import kept_shop
from infra.postgres.statements import sql

_SHOPS_AT_ONCE = 500


class AuditedShop(msgspec.Struct, frozen=True):
    """One shop and what is stored otherwise than its facts say."""

    tenant_id: int
    shop_id: str
    differences: list[Difference]


class Audit:
    """Recounts shops one by one, each in one snapshot, so that a recount is exact."""

    def __init__(self, database: Database, rules: RuleBook) -> None:
        self._database = database
        self._rules = rules

    async def shops(self, now: datetime, *, mend: bool) -> AsyncIterator[AuditedShop]:
        """Every shop of every tenant; with `mend` differences are put right as they are found."""
        last = 0
        while rows := await self._database.run(
            lambda connection, after=last: connection.fetch(  # type: ignore[misc]
                sql("shops_after"), after, _SHOPS_AT_ONCE
            )
        ):
            for tenant_id, shop_id, shop_key in rows:
                yield await self._shop(tenant_id, shop_id, shop_key, now, mend=mend)
            last = rows[-1]["shop_key"]

    async def _shop(
        self, tenant_id: int, shop_id: str, shop_key: int, now: datetime, *, mend: bool
    ) -> AuditedShop:
        async def work(connection: Connection) -> list[Difference]:
            if mend:
                await connection.execute(sql("insert_totals"), shop_key, now.date())
                await lock_shops(connection, [(tenant_id, shop_id)])
            [row] = await connection.fetch(sql("shops_by_id"), tenant_id, [shop_id])
            kept = await kept_shop(connection, self._rules, row)
            counted = await recount(connection, kept.key, kept.rules.rules)
            if mend:
                await repair(connection, kept.shop_key, counted)
            return counted.differences

        differences = await self._database.run(work, snapshot=not mend)
        return AuditedShop(tenant_id, shop_id, differences)
