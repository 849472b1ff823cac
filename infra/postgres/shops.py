"""Shops on Postgres."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from domain.acts import Act
from domain.days import day_of
from domain.errors import NotFound, ShopImmutable, TooManyStored, UnknownRules
from domain.ports import PutOutcome, StoredShop
from domain.rules import RuleSet
from domain.shops import Shop
from infra.postgres.audit_trail import record
from infra.postgres.database import Connection, Database
from infra.postgres.fact_statements import TABLES_OF_SHOP, remove_of_shop
from infra.postgres.recount import recount, repair
from infra.postgres.shop_cache import ShopCache, shop_of
from infra.postgres.statements import sql

ROWS_REMOVED: Final = 5_000
"""Rows of a deleted shop that one transaction removes."""


class Shops:
    """See `domain.ports.Shops`; a tenant may have `count_max` shops."""

    def __init__(self, database: Database, shop_cache: ShopCache, count_max: int) -> None:
        self._database = database
        self._shop_cache = shop_cache
        self._count_max = count_max

    async def put(self, act: Act, shops: Sequence[Shop]) -> list[PutOutcome]:
        """Create or replace shops of different ids in one transaction, each with an outcome.

        Raises TooManyStored. Of requests that create shops at once each counts its own.
        """
        tenant_id, now = act.tenant_id, act.at

        async def work(connection: Connection) -> list[PutOutcome]:
            await connection.execute(sql("lock_tenant_for_share"), tenant_id)
            rules = await self._shop_cache.rules.latest(
                connection, tenant_id, (s.rules for s in shops)
            )
            outcomes: dict[str, PutOutcome] = {
                shop.shop_id: UnknownRules(shop.rules) for shop in shops if shop.rules not in rules
            }
            known = await self._shop_cache.read(
                connection, [(tenant_id, shop.shop_id) for shop in shops]
            )
            for shop in sorted(shops, key=lambda shop: shop.shop_id):
                if (
                    shop.shop_id not in outcomes
                    and (tenant_id, shop.shop_id) not in known
                    and await _insert(connection, tenant_id, shop, rules[shop.rules], now)
                ):
                    outcomes[shop.shop_id] = "created"
            if "created" in outcomes.values() and (
                await connection.fetchval(sql("count_shops"), tenant_id) > self._count_max
            ):
                raise TooManyStored("shops", self._count_max)
            others = {
                (tenant_id, shop.shop_id): shop for shop in shops if shop.shop_id not in outcomes
            }
            locked = await self._shop_cache.lock_named(connection, others) if others else {}
            for name, shop in others.items():
                outcomes[shop.shop_id] = await self._replace(
                    connection, locked[name].definition.stored, shop, rules[shop.rules], now
                )
            changed = [name for name, done in outcomes.items() if done in ("created", "changed")]
            if changed:
                await record(connection, act, sorted(changed))
            return [outcomes[shop.shop_id] for shop in shops]

        return await self._database.run(work)

    async def get(self, tenant_id: int, shop_id: str) -> StoredShop:
        """Return a shop; raises NotFound."""
        name = (tenant_id, shop_id)
        definitions = await self._database.run(
            lambda connection: self._shop_cache.read(connection, [name])
        )
        if name not in definitions:
            raise NotFound("shop", shop_id)
        return definitions[name].stored

    async def page(
        self,
        tenant_id: int,
        shop_ids: Sequence[str] | None,
        *,
        marketplace: str | None,
        category: str | None,
        after: str,
        limit: int,
    ) -> list[Shop]:
        """Return up to `limit` shops by id, from the first id over `after`."""
        rows = await self._database.fetch(
            "shops_page", tenant_id, shop_ids, marketplace, category, after, limit
        )
        return [shop_of(row) for row in rows]

    async def delete(self, act: Act, shop_id: str) -> None:
        """Delete a shop from all reads; its facts are left to `remove_deleted`.

        Raises NotFound.
        """
        name = (act.tenant_id, shop_id)

        async def work(connection: Connection) -> None:
            await connection.execute(sql("lock_tenant"), act.tenant_id)
            known = await self._shop_cache.read(connection, [name])
            locked = await self._shop_cache.lock(connection, known)
            if name not in locked:
                raise NotFound("shop", shop_id)
            shop_key = locked[name].definition.known.shop_key
            await connection.execute(sql("delete_shop"), shop_key, act.at)
            await record(connection, act, [shop_id])

        await self._database.run(work)

    async def remove_deleted(self) -> int:
        """Remove what is stored of deleted shops and return how many rows that was.

        Each piece is a transaction of its own; a shop that another process removes is left to it.
        """
        removed = 0
        while (rows := await self._database.run(_remove_some)) is not None:
            removed += rows
        return removed

    async def _replace(
        self, connection: Connection, stored: StoredShop, shop: Shop, rules: RuleSet, now: datetime
    ) -> PutOutcome:
        before = stored.shop
        if before == shop:
            return "unchanged"
        fixed = [
            field
            for field in ("currency", "time_zone")
            if getattr(before, field) != getattr(shop, field)
        ]
        if fixed:
            if await connection.fetchval(sql("has_facts"), stored.shop_key):
                return ShopImmutable(shop.shop_id, fixed)
            today = day_of(now, shop.time_zone)
            await connection.execute(sql("move_totals_day"), stored.shop_key, today)
        if before.rules == shop.rules:
            rules = stored.rules
        await connection.execute(
            sql("update_shop"), stored.tenant_id, *_definition(shop), rules.version
        )
        if rules != stored.rules:
            counted = await recount(connection, stored, rules.rules)
            await repair(connection, stored.shop_key, counted)
        return "changed"


async def _remove_some(connection: Connection) -> int | None:
    """Remove some rows of a deleted shop, and forget the shop where nothing is left.

    Returns how many rows, or None where no shop is left.
    """
    shop_key = await connection.fetchval(sql("next_deleted_shop"))
    if shop_key is None:
        return None
    for table in TABLES_OF_SHOP:
        rows: int = await connection.fetchval(sql(remove_of_shop(table)), shop_key, ROWS_REMOVED)
        if rows:
            return rows
    await connection.execute(sql("forget_deleted_shop"), shop_key)
    return 0


async def _insert(
    connection: Connection, tenant_id: int, shop: Shop, rules: RuleSet, now: datetime
) -> bool:
    shop_key = await connection.fetchval(
        sql("insert_shop"), tenant_id, *_definition(shop), rules.version
    )
    if shop_key is None:
        return False
    await connection.execute(sql("insert_totals"), shop_key, day_of(now, shop.time_zone))
    return True


def _definition(shop: Shop) -> tuple[object, ...]:
    return (
        shop.shop_id,
        shop.marketplace,
        shop.category,
        shop.currency,
        shop.time_zone,
        shop.kind,
        shop.opened_on,
        shop.rules,
    )
