"""Verification: every shop's stored totals against a recount, while the service goes on."""

from collections.abc import AsyncIterator
from datetime import datetime

import msgspec

from domain.acts import COMMAND_LINE, Act
from domain.recount import Difference
from infra.postgres.audit_trail import record
from infra.postgres.database import Connection, Database
from infra.postgres.recount import recount, repair
from infra.postgres.shop_cache import ShopCache
from infra.postgres.statements import sql

_SHOPS_AT_ONCE = 500


class VerifiedShop(msgspec.Struct, frozen=True):
    """A shop, and the differences between its stored totals and its facts."""

    tenant: str
    shop_id: str
    differences: list[Difference]


class Verification:
    """Recounts shops one by one, each in one snapshot, so that a recount is exact."""

    def __init__(self, database: Database, shop_cache: ShopCache) -> None:
        self._database = database
        self._shop_cache = shop_cache

    async def shops(self, now: datetime, *, mend: bool) -> AsyncIterator[VerifiedShop]:
        """Yield every shop of every tenant; with `mend` repair the differences.

        Repairs are recorded in the audit trail.
        """
        last = 0
        while rows := await self._database.run(
            lambda connection, after=last: connection.fetch(  # type: ignore[misc]
                sql("shops_after"), after, _SHOPS_AT_ONCE
            )
        ):
            for row in rows:
                act = Act(row["tenant_id"], COMMAND_LINE, "verify --repair", now)
                differences = await self._differences(
                    act, row["shop_id"], row["shop_key"], mend=mend
                )
                yield VerifiedShop(row["tenant"], row["shop_id"], differences)
            last = rows[-1]["shop_key"]

    async def _differences(
        self, act: Act, shop_id: str, shop_key: int, *, mend: bool
    ) -> list[Difference]:
        async def work(connection: Connection) -> list[Difference]:
            if mend:
                await connection.execute(sql("insert_totals"), shop_key, act.at.date())
                await self._shop_cache.lock_named(connection, [(act.tenant_id, shop_id)])
            name = (act.tenant_id, shop_id)
            definition = (await self._shop_cache.read(connection, [name])).get(name)
            if definition is None:
                return []
            stored = definition.stored
            counted = await recount(connection, stored, stored.rules.rules)
            if mend and counted.differences:
                await repair(connection, shop_key, counted)
                tables = {difference.table for difference in counted.differences}
                await record(connection, act, [shop_id, *sorted(tables)])
            return counted.differences

        return await self._database.run(work, snapshot=not mend)
