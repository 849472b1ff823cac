"""Definitions of shops on Postgres, remembered while they hold; and shops locked to be written."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Final, NamedTuple, TypeAlias

import asyncpg

from domain.facts.fact import KnownShop
from domain.ports import StoredShop
from domain.shops import Shop
from infra.postgres.database import Connection, Database
from infra.postgres.recount import recount, repair
from infra.postgres.rules import RulesCache
from infra.postgres.statements import columns, sql
from infra.request_batcher import RequestBatcher

ShopName: TypeAlias = tuple[int, str]
"""Tenant and id of a shop."""

SHOPS_READ_AT_ONCE: Final = 500
READS_WAITING: Final = 20_000

REMEMBERED_MAX: Final = 50_000
"""Definitions that are remembered, at about half a kilobyte each."""


class ShopDefinition(NamedTuple):
    """A shop as it was defined when it had changed so many times."""

    kept: StoredShop
    known: KnownShop
    revision: int


class LockedShop(NamedTuple):
    """A shop that nobody else writes now, and the day of its running totals."""

    definition: ShopDefinition
    totals_day: date


class ShopCache:
    """Finds shops by tenant and id. Those seen are remembered, but never trusted.

    A shop's key never changes. Its definition carries the number of its changes, and so do its
    running totals: who reads either sees by it whether what is remembered still holds, whichever
    process changed it. That a shop is not there is never remembered.
    """

    def __init__(self, database: Database, rules: RulesCache) -> None:
        self.rules = rules
        self._database = database
        self._seen: dict[ShopName, ShopDefinition] = {}
        self._reads: RequestBatcher[Collection[ShopName], dict[ShopName, ShopDefinition]] = (
            RequestBatcher(
                self._read_together,
                queues=1,
                weight_max=SHOPS_READ_AT_ONCE,
                waiting_max=READS_WAITING,
                patience_s=database.patience_s,
            )
        )

    async def find(self, names: Collection[ShopName]) -> dict[ShopName, ShopDefinition]:
        """Definitions of those shops that exist; where they were seen before as they were then."""
        seen, missing = self._looked_up(names)
        return seen | await self.read_anew(missing) if missing else seen

    async def read_anew(self, names: Collection[ShopName]) -> dict[ShopName, ShopDefinition]:
        """Definitions of those shops that exist, as they are now."""
        return await self._reads.ask(names, len(names))

    async def read(
        self, connection: Connection, names: Collection[ShopName]
    ) -> dict[ShopName, ShopDefinition]:
        """Definitions of those shops that exist, as the transaction sees them."""
        found = {}
        for row in await connection.fetch(sql("defined_shops"), *columns(names, 2)):
            tenant_id, shop_key, shop = row["tenant_id"], row["shop_key"], shop_of(row)
            rules = await self.rules.version(
                connection, tenant_id, shop.rules, row["rules_version"]
            )
            found[tenant_id, shop.shop_id] = ShopDefinition(
                StoredShop(tenant_id, shop_key, shop, rules),
                KnownShop(shop_key, shop.currency, shop.time_zone, rules.rules),
                row["revision"],
            )
        self._seen |= found
        for name in names:
            if name not in found:
                self._seen.pop(name, None)
        while len(self._seen) > REMEMBERED_MAX:
            del self._seen[next(iter(self._seen))]
        return found

    async def lock_named(
        self, connection: Connection, names: Collection[ShopName]
    ) -> dict[ShopName, LockedShop]:
        """Those of these shops that exist; others who write them wait for the transaction's end."""
        found, missing = self._looked_up(names)
        if missing:
            found |= await self.read(connection, missing)
        return await self.lock(connection, found)

    async def lock(
        self, connection: Connection, found: Mapping[ShopName, ShopDefinition]
    ) -> dict[ShopName, LockedShop]:
        """Likewise, where what these shops were like is known."""
        shop_keys = keys_of(found)
        rows = whole = await connection.fetch(sql("lock_shops"), shop_keys)
        if len(whole) < len(found):
            await connection.execute(sql("begin_totals"), shop_keys)
            rows = await connection.fetch(sql("lock_shops"), shop_keys)
        locked = await self._current(connection, found, rows)
        if len(whole) < len(locked):
            await self._restore(connection, locked, {row[0] for row in whole})
        if gone := found.keys() - locked.keys():
            # None that was answered is ever lost, but a database may be put back in its place.
            await self.read(connection, gone)
        return locked

    async def lock_free(
        self, connection: Connection, found: Mapping[ShopName, ShopDefinition]
    ) -> dict[ShopName, LockedShop]:
        """Those of these shops that nobody else writes now."""
        rows = await connection.fetch(sql("lock_free_shops"), keys_of(found))
        return await self._current(connection, found, rows)

    async def _restore(
        self, connection: Connection, locked: Mapping[ShopName, LockedShop], whole: set[int]
    ) -> None:
        """Work out what went with the running totals of shops that had none."""
        for definition, _ in locked.values():
            if definition.kept.shop_key not in whole:
                counted = await recount(connection, definition.kept, definition.known.rules)
                await repair(connection, definition.kept.shop_key, counted)

    async def _current(
        self,
        connection: Connection,
        found: Mapping[ShopName, ShopDefinition],
        rows: Collection[asyncpg.Record],
    ) -> dict[ShopName, LockedShop]:
        """Locked shops, read again where a definition was changed since it was seen."""
        names = {definition.known.shop_key: name for name, definition in found.items()}
        locked: dict[ShopName, LockedShop] = {}
        changed = []
        for shop_key, day, revision in rows:
            name = names[shop_key]
            definition = found[name]
            locked[name] = LockedShop(definition, day)
            if definition.revision != revision:
                changed.append(name)
        if changed:
            for name, definition in (await self.read(connection, changed)).items():
                locked[name] = LockedShop(definition, locked[name].totals_day)
        return locked

    def _looked_up(
        self, names: Collection[ShopName]
    ) -> tuple[dict[ShopName, ShopDefinition], list[ShopName]]:
        """Definitions that were read before, which may hold no more, and names without one."""
        found: dict[ShopName, ShopDefinition] = {}
        missing = []
        for name in names:
            definition = self._seen.get(name)
            if definition is None:
                missing.append(name)
            else:
                found[name] = definition
        return found, missing

    async def _read_together(
        self, asked: Sequence[Collection[ShopName]]
    ) -> list[dict[ShopName, ShopDefinition]]:
        named = {name for names in asked for name in names}
        found = await self._database.run(partial(self.read, names=named))
        return [{name: found[name] for name in names if name in found} for names in asked]


def keys_of(definitions: Mapping[ShopName, ShopDefinition]) -> list[int]:
    """Keys of shops, in the order of their definitions."""
    return [definition.known.shop_key for definition in definitions.values()]


def shop_of(row: asyncpg.Record) -> Shop:
    """Return a row that has the columns of a shop."""
    return Shop(
        shop_id=row["shop_id"],
        marketplace=row["marketplace"],
        category=row["category"],
        currency=row["currency"],
        time_zone=row["time_zone"],
        kind=row["kind"],
        opened_on=row["opened_on"],
        rules=row["rules"],
    )
