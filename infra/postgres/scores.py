"""Totals on Postgres, as scores are computed from them."""

from collections.abc import Sequence
from datetime import date

import asyncpg

from domain.days import ONE_DAY
from domain.ports import Standing
from domain.tier import Ladder
from domain.totals import FIELDS, Totals
from domain.windows import Windows
from infra.postgres.database import Connection, Database
from infra.postgres.rules import RuleBook
from infra.postgres.shops import kept_shop
from infra.postgres.statements import sql


class Scores:
    """See `domain.ports.Scores`."""

    def __init__(self, database: Database, rules: RuleBook) -> None:
        self._database = database
        self._rules = rules

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
