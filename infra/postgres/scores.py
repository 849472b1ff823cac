"""Totals on Postgres, as scores are computed from them."""

from collections.abc import Sequence
from datetime import date, datetime

import asyncpg

from domain.days import ONE_DAY, day_of
from domain.ports import Standing
from domain.recount import Recount
from domain.rules import Rules
from domain.tier import Ladder
from domain.totals import FIELDS, Totals
from domain.windows import Windows, windows_before
from infra.postgres.database import Connection, Database
from infra.postgres.ledger import lock_shops
from infra.postgres.recount import count_ratings, set_running
from infra.postgres.rules import RuleBook
from infra.postgres.shops import kept_shop
from infra.postgres.statements import sql


_SHOPS_ROLLED_AT_ONCE = 500


class Scores:
    """See `domain.ports.Scores`."""

    def __init__(self, database: Database, rules: RuleBook) -> None:
        self._database = database
        self._rules = rules
        self._rolled: dict[str, date] = {}

    async def standings(self, tenant_id: int, shop_ids: Sequence[str]) -> dict[str, Standing]:
        """Shops by id with running totals; those that are not there are absent."""

        async def work(connection: Connection) -> dict[str, Standing]:
            rows = await connection.fetch(sql("standings"), tenant_id, shop_ids)
            return {row["shop_id"]: await self._standing(connection, row) for row in rows}

        return await self._database.run(work)

    async def window_totals(self, of: Sequence[tuple[int, Windows]]) -> dict[int, Totals]:
        """Sums of windows, by shop key: one windows' end for each shop."""
        return await self._database.run(lambda connection: window_totals(connection, of))

    async def day_totals(self, shop_key: int, start: date, end: date) -> dict[date, Totals]:
        """Totals of the days from `start` to `end`, both included; empty days are absent."""
        rows = await self._database.run(
            lambda connection: connection.fetch(
                sql("day_totals"), shop_key, start, end + ONE_DAY
            )
        )
        return {row[0]: row[1:] for row in rows}

    async def roll(self, now: datetime) -> int:
        """Move running totals that stand for an earlier day to each shop's today; how many."""
        zones = await self._database.run(lambda connection: connection.fetch(sql("zones")))
        rolled = 0
        for row in zones:
            today = day_of(now, row["time_zone"])
            if self._rolled.get(row["time_zone"]) == today:
                continue
            while count := await self._roll_some(row["time_zone"], today, now):
                rolled += count
            self._rolled[row["time_zone"]] = today
        return rolled

    async def _roll_some(self, time_zone: str, today: date, now: datetime) -> int:
        async def work(connection: Connection) -> int:
            behind = await connection.fetch(
                sql("shops_to_roll"), time_zone, today, _SHOPS_ROLLED_AT_ONCE
            )
            if not behind:
                return 0
            tenant_ids, shop_ids = zip(*behind, strict=True)
            shop_keys = await lock_shops(connection, tenant_ids, shop_ids, now)
            before = {
                row["shop_key"]: windows_before(today, await self._rules_of(connection, row))
                for row in await connection.fetch(sql("locked_shops"), shop_keys)
                if row["totals_day"] < today
            }
            sums = await window_totals(connection, list(before.items()))
            await set_running(connection, {key: (today, list(row)) for key, row in sums.items()})
            return len(behind)

        return await self._database.run(work)

    async def _rules_of(self, connection: Connection, row: asyncpg.Record) -> Rules:
        found = await self._rules.version(
            connection, row["tenant_id"], row["rules"], row["rules_version"]
        )
        return found.rules

    async def replay(self, shop_key: int, rules: Rules) -> dict[date, Totals]:
        """Ratings by day under any rules, worked out from the ratings themselves."""

        async def work(connection: Connection) -> dict[date, Totals]:
            counted = Recount(rules)
            await count_ratings(connection, shop_key, counted)
            return dict(counted.days)

        return await self._database.run(work, snapshot=True)

    async def _standing(self, connection: Connection, row: asyncpg.Record) -> Standing:
        amounts = row["ladder_amounts"]
        return Standing(
            kept=await kept_shop(connection, self._rules, row),
            ladder=Ladder(row["ladder_currency"], tuple(amounts)) if amounts else None,
            day=row["day"],
            totals=row[-len(FIELDS) :],
        )


async def window_totals(
    connection: Connection, of: Sequence[tuple[int, Windows]]
) -> dict[int, Totals]:
    """Sums of windows, by shop key, from day totals."""
    rows = await connection.fetch(
        sql("window_totals"),
        [shop_key for shop_key, _ in of],
        [windows.rating_start for _, windows in of],
        [windows.sales_start for _, windows in of],
        [windows.end + ONE_DAY for _, windows in of],
    )
    return {row[0]: row[1:] for row in rows}
