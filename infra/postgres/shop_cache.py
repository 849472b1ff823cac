"""Definitions of shops on Postgres, remembered until they change; and locks of shops."""

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
    """A shop as it was defined after `revision` changes."""

    stored: StoredShop
    known: KnownShop
    revision: int


class LockedShop(NamedTuple):
    """A shop that is locked by this transaction, and the day of its running totals."""

    definition: ShopDefinition
    totals_day: date


class ShopCache:
    """Finds shops by tenant and id, and remembers their definitions, which may be outdated.

    A shop's key never changes. Its definition and its running totals carry the number of its
    changes: a reader of either compares it with the remembered one, whichever process changed the
    shop. A missing shop is never remembered.
    """

    def __init__(self, database: Database, rules: RulesCache) -> None:
        self.rules = rules
        self._database = database
        self._seen: dict[ShopName, ShopDefinition] = {}
        self._reads: RequestBatcher[Collection[ShopName], dict[ShopName, ShopDefinition]] = (
            RequestBatcher(
                self._read_batch,
                queues=1,
                weight_max=SHOPS_READ_AT_ONCE,
                waiting_max=READS_WAITING,
                timeout_s=database.work_timeout_s,
            )
        )

    async def find(self, names: Collection[ShopName]) -> dict[ShopName, ShopDefinition]:
        """Return the definitions of the shops that exist, remembered ones first."""
        seen, missing = self._remembered(names)
        return seen | await self.read_anew(missing) if missing else seen

    async def read_anew(self, names: Collection[ShopName]) -> dict[ShopName, ShopDefinition]:
        """Return the present definitions of the shops that exist."""
        return await self._reads.submit(names, len(names))

    async def read(
        self, connection: Connection, names: Collection[ShopName]
    ) -> dict[ShopName, ShopDefinition]:
        """Return the definitions of the shops that exist, as the transaction sees them."""
        definitions = {}
        for row in await connection.fetch(sql("defined_shops"), *columns(names, 2)):
            tenant_id, shop_key, shop = row["tenant_id"], row["shop_key"], shop_of(row)
            rules = await self.rules.version(
                connection, tenant_id, shop.rules, row["rules_version"]
            )
            definitions[tenant_id, shop.shop_id] = ShopDefinition(
                StoredShop(tenant_id, shop_key, shop, rules),
                KnownShop(shop_key, shop.currency, shop.time_zone, rules.rules),
                row["revision"],
            )
        self._seen |= definitions
        for name in names:
            if name not in definitions:
                self._seen.pop(name, None)
        while len(self._seen) > REMEMBERED_MAX:
            del self._seen[next(iter(self._seen))]
        return definitions

    async def lock_named(
        self, connection: Connection, names: Collection[ShopName]
    ) -> dict[ShopName, LockedShop]:
        """Lock the shops that exist until the end of the transaction."""
        definitions, missing = self._remembered(names)
        if missing:
            definitions |= await self.read(connection, missing)
        return await self.lock(connection, definitions)

    async def lock(
        self, connection: Connection, definitions: Mapping[ShopName, ShopDefinition]
    ) -> dict[ShopName, LockedShop]:
        """Lock the shops of these definitions until the end of the transaction."""
        shop_keys = keys_of(definitions)
        rows = rows_before = await connection.fetch(sql("lock_shops"), shop_keys)
        if len(rows_before) < len(definitions):
            await connection.execute(sql("begin_totals"), shop_keys)
            rows = await connection.fetch(sql("lock_shops"), shop_keys)
        locked = await self._current(connection, definitions, rows)
        if len(rows_before) < len(locked):
            await self._restore(connection, locked, {row[0] for row in rows_before})
        if missing := definitions.keys() - locked.keys():
            # They were deleted, or the database was restored to an earlier state.
            await self.read(connection, missing)
        return locked

    async def lock_free(
        self, connection: Connection, definitions: Mapping[ShopName, ShopDefinition]
    ) -> dict[ShopName, LockedShop]:
        """Lock the shops that no other writer has locked."""
        rows = await connection.fetch(sql("lock_free_shops"), keys_of(definitions))
        return await self._current(connection, definitions, rows)

    async def _restore(
        self, connection: Connection, locked: Mapping[ShopName, LockedShop], complete: set[int]
    ) -> None:
        """Restore the running totals of shops that had lost them."""
        for definition, _ in locked.values():
            if definition.stored.shop_key not in complete:
                counted = await recount(connection, definition.stored, definition.known.rules)
                await repair(connection, definition.stored.shop_key, counted)

    async def _current(
        self,
        connection: Connection,
        definitions: Mapping[ShopName, ShopDefinition],
        rows: Collection[asyncpg.Record],
    ) -> dict[ShopName, LockedShop]:
        """Return locked shops, with the definitions that have changed read again."""
        names = {definition.known.shop_key: name for name, definition in definitions.items()}
        locked: dict[ShopName, LockedShop] = {}
        changed = []
        for shop_key, day, revision in rows:
            name = names[shop_key]
            definition = definitions[name]
            locked[name] = LockedShop(definition, day)
            if definition.revision != revision:
                changed.append(name)
        if changed:
            for name, definition in (await self.read(connection, changed)).items():
                locked[name] = LockedShop(definition, locked[name].totals_day)
        return locked

    def _remembered(
        self, names: Collection[ShopName]
    ) -> tuple[dict[ShopName, ShopDefinition], list[ShopName]]:
        """Return the remembered definitions, which may be outdated, and the other names."""
        definitions: dict[ShopName, ShopDefinition] = {}
        missing = []
        for name in names:
            definition = self._seen.get(name)
            if definition is None:
                missing.append(name)
            else:
                definitions[name] = definition
        return definitions, missing

    async def _read_batch(
        self, requests: Sequence[Collection[ShopName]]
    ) -> list[dict[ShopName, ShopDefinition]]:
        named = {name for names in requests for name in names}
        definitions = await self._database.run(partial(self.read, names=named))
        return [
            {name: definitions[name] for name in names if name in definitions} for names in requests
        ]


def keys_of(definitions: Mapping[ShopName, ShopDefinition]) -> list[int]:
    """Return the keys of shops, in the order of their definitions."""
    return [definition.known.shop_key for definition in definitions.values()]


def shop_of(row: asyncpg.Record) -> Shop:
    """Return the shop of a row that has its columns."""
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
