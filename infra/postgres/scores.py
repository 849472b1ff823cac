"""Totals on Postgres, as scores are computed from them."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from typing import TypeAlias

import asyncpg

from domain.days import ONE_DAY, day_of
from domain.errors import RulesMoved
from domain.ports import KeptShop, ShopKey, Standing, Taking
from domain.recount import Recount
from domain.rules import Rules, RuleSet, RulesRef
from domain.tier import Ladder
from domain.totals import FIELDS, Totals
from domain.windows import Windows, windows_before
from infra.joining import Joiner
from infra.postgres.database import Database
from infra.postgres.ledger import lock_shops
from infra.postgres.pool import Connection
from infra.postgres.recount import count_ratings, set_running
from infra.postgres.rules import RuleBook
from infra.postgres.shops import shop_of
from infra.postgres.statements import sql

ShopName: TypeAlias = tuple[int, str]
"""Tenant and id of a shop."""

READ_LANES = 2
SHOPS_READ_AT_ONCE = 500
READS_WAITING = 20_000

_SHOPS_ROLLED_AT_ONCE = 500


class Scores:
    """See `domain.ports.Scores`."""

    def __init__(self, database: Database, rules: RuleBook) -> None:
        self._database = database
        self._rules = rules
        self._rolled: dict[str, date] = {}
        self._standings: Joiner[Sequence[ShopName], dict[str, Standing]] = Joiner(
            self._read,
            lanes=READ_LANES,
            weight_max=SHOPS_READ_AT_ONCE,
            waiting_max=READS_WAITING,
            patience_s=database.patience_s,
        )

    async def standings(self, tenant_id: int, shop_ids: Sequence[str]) -> dict[str, Standing]:
        """Shops by id with running totals; those that are not there are absent."""
        asked = [(tenant_id, shop_id) for shop_id in shop_ids]
        return await self._standings.ask(asked, len(asked))

    async def _read(self, asked: Sequence[Sequence[ShopName]]) -> list[dict[str, Standing]]:
        named = {name for names in asked for name in names}
        rows = await self._database.fetch(
            "standings", [tenant_id for tenant_id, _ in named], [shop_id for _, shop_id in named]
        )
        found: dict[ShopName, Standing] = {}
        for row in rows:
            rules = self._rules.seen(row["tenant_id"], row["rules"], row["rules_version"])
            if rules is None:
                rules = await self._database.run(partial(self._rules_of, row=row))
            found[row["tenant_id"], row["shop_id"]] = _standing(row, rules)
        return [{name[1]: found[name] for name in names if name in found} for names in asked]

    async def window_totals(self, of: Sequence[tuple[KeptShop, Windows]]) -> dict[int, Totals]:
        """Sums of windows, by shop key: one windows' end for each shop. Raises RulesMoved."""
        columns = _columns([(kept.key, windows) for kept, windows in of])
        rows = await self._database.fetch("window_totals", *columns)
        rules = {kept.shop_key: kept.rules.ref for kept, _ in of}
        for shop_key, name, version, *_ in rows:
            _must_be(rules[shop_key], name, version)
        return {row[0]: row[3:] for row in rows}

    async def day_totals(self, kept: KeptShop, start: date, end: date) -> dict[date, Totals]:
        """Totals of the days from `start` to `end`, both included; empty days are absent.

        Raises RulesMoved.
        """
        rows = await self._database.fetch("day_totals", *kept.key, start, end + ONE_DAY)
        for name, version, *_ in rows[:1]:
            _must_be(kept.rules.ref, name, version)
        return {row[2]: row[3:] for row in rows if row[2] is not None}

    async def roll(self, now: datetime) -> int:
        """Move running totals that stand for an earlier day to each shop's today; how many."""
        rolled = 0
        for row in await self._database.fetch("zones"):
            today = day_of(now, row["time_zone"])
            if self._rolled.get(row["time_zone"]) == today:
                continue
            while count := await self._roll_some(row["time_zone"], today):
                rolled += count
            self._rolled[row["time_zone"]] = today
        return rolled

    async def _roll_some(self, time_zone: str, today: date) -> int:
        async def work(connection: Connection) -> int:
            behind = await connection.fetch(
                sql("shops_to_roll"), time_zone, today, _SHOPS_ROLLED_AT_ONCE
            )
            if not behind:
                return 0
            locked = await lock_shops(connection, [tuple(row) for row in behind])
            before = [
                (
                    ShopKey(row["tenant_id"], row["shop_key"]),
                    windows_before(today, (await self._rules_of(connection, row)).rules),
                )
                for row in locked
                if row["totals_day"] < today
            ]
            sums = await connection.fetch(sql("window_totals"), *_columns(before))
            await set_running(connection, {row[0]: (today, list(row[3:])) for row in sums})
            return len(behind)

        return await self._database.run(work)

    async def _rules_of(self, connection: Connection, row: asyncpg.Record) -> RuleSet:
        return await self._rules.version(
            connection, row["tenant_id"], row["rules"], row["rules_version"]
        )

    async def replay(self, shop: ShopKey, rules: Rules) -> dict[date, Totals]:
        """Ratings by day under any rules, worked out from the ratings themselves."""

        async def work(connection: Connection) -> dict[date, Totals]:
            counted = Recount(rules)
            await count_ratings(connection, shop, counted)
            return dict(counted.days)

        return await self._database.run(work, snapshot=True)


def _standing(row: asyncpg.Record, rules: RuleSet) -> Standing:
    amounts = row["ladder_amounts"]
    return Standing(
        kept=KeptShop(row["tenant_id"], row["shop_key"], shop_of(row), rules),
        ladder=Ladder(row["ladder_currency"], tuple(amounts)) if amounts else None,
        snapshot=Taking(row["as_of"], row["taken_at"], row["taking"]) if row["taking"] else None,
        day=row["day"],
        totals=row[-len(FIELDS) :],
    )


def _must_be(rules: RulesRef, name: str, version: int) -> None:
    if (rules.name, rules.version) != (name, version):
        raise RulesMoved


def _columns(of: Sequence[tuple[ShopKey, Windows]]) -> tuple[list[object], ...]:
    return (
        [shop.tenant_id for shop, _ in of],
        [shop.shop_key for shop, _ in of],
        [windows.rating_start for _, windows in of],
        [windows.sales_start for _, windows in of],
        [windows.end + ONE_DAY for _, windows in of],
    )
