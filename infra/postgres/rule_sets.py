"""A tenant's rules on Postgres, and the states of shops that follow them."""

import msgspec

from domain.acts import Act
from domain.errors import BuiltInRules, NotFound, TooManyStored
from domain.rules import BUILT_IN, Rules, RuleSet
from infra.postgres.audit_trail import record
from infra.postgres.database import Connection, Database, for_each
from infra.postgres.recount import recount, repair
from infra.postgres.rules import rule_set
from infra.postgres.shop_cache import ShopCache
from infra.postgres.statements import sql


class RuleSets:
    """See `domain.ports.RuleSets`."""

    def __init__(self, database: Database, shop_cache: ShopCache) -> None:
        self._database = database
        self._shop_cache = shop_cache
        self._rules = shop_cache.rules

    async def page(self, tenant_id: int, after: str, limit: int) -> list[RuleSet]:
        """Return up to `limit` sets by name, from the first above `after`."""
        rows = await self._database.fetch("rules_page", tenant_id, after, limit)
        built_in = [rules for name, rules in BUILT_IN.items() if name > after]
        own = [rule_set(*row) for row in rows]
        return sorted([*built_in, *own], key=lambda rules: rules.name)[:limit]

    async def get(self, tenant_id: int, name: str) -> RuleSet:
        """Return a set in its newest version; raises NotFound."""
        named = await self._database.run(
            lambda connection: self._rules.latest(connection, tenant_id, [name])
        )
        if name not in named:
            raise NotFound("set of rules", name)
        return named[name]

    async def put(self, act: Act, name: str, rules: Rules, count_max: int) -> tuple[RuleSet, bool]:
        """Store a set, rebuild the shops that follow it, and return whether it is new.

        Equal content makes no new version. Of a set as many versions stay as a tenant may have
        sets. Raises BuiltInRules and TooManyStored.
        """
        if name in BUILT_IN:
            raise BuiltInRules(name)

        async def work(connection: Connection) -> tuple[RuleSet, bool]:
            await connection.execute(sql("lock_tenant"), act.tenant_id)
            known = await self._rules.latest(connection, act.tenant_id, [name])
            before = known.get(name)
            if before is not None and before.rules == rules:
                return before, False
            version = before.version + 1 if before else 1
            text = msgspec.json.encode(rules).decode()
            await connection.execute(sql("insert_rules"), act.tenant_id, name, version, text)
            if await connection.fetchval(sql("count_rules"), act.tenant_id) > count_max:
                raise TooManyStored("sets of rules", count_max)
            oldest = version - count_max
            await connection.execute(sql("delete_old_rules"), act.tenant_id, name, oldest)
            await record(connection, act, [name, f"version {version}"])
            return RuleSet(name, version, built_in=False, rules=rules), before is None

        stored = await self._database.run(work)
        await self.rebuild(tenant_id=act.tenant_id, name=name)
        return stored

    async def rebuild(self, *, tenant_id: int | None = None, name: str | None = None) -> int:
        """Rebuild the shops that follow an older version of their rules, and count them.

        Each shop has a transaction of its own: nothing is lost if the process ends, and events of
        other shops are recorded meanwhile.
        """
        shops = await self._database.fetch("shops_under_old_rules", tenant_id, name)
        await for_each(shops, lambda row: self._rebuild_shop(row["tenant_id"], row["shop_id"]))
        return len(shops)

    async def _rebuild_shop(self, tenant_id: int, shop_id: str) -> None:
        async def work(connection: Connection) -> None:
            name = (tenant_id, shop_id)
            locked = (await self._shop_cache.lock_named(connection, [name])).get(name)
            if locked is None:
                return
            stored = locked.definition.stored
            newest = await self._rules.latest(connection, tenant_id, [stored.rules.name])
            rules = newest[stored.rules.name]
            if stored.rules == rules:
                return
            await connection.execute(sql("set_rules_version"), tenant_id, shop_id, rules.version)
            counted = await recount(connection, stored, rules.rules)
            await repair(connection, stored.shop_key, counted)

        await self._database.run(work)
