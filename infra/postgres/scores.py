"""Totals on Postgres, as scores are computed from them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache

import asyncpg

from domain.days import ONE_DAY, Window, day_of
from domain.errors import RulesChanged
from domain.facts.ratings import add_ratings
from domain.ports import ShopKey, ShopTotals, SnapshotVersion, StoredShop
from domain.rules import Rules, RulesRef
from domain.tier import Ladder
from domain.totals import Totals, nothing
from domain.windows import Windows, windows_before
from infra.postgres.database import Connection, Database
from infra.postgres.recount import cohorts, set_running
from infra.postgres.shop_cache import ShopCache, ShopDefinition, ShopName, keys_of
from infra.postgres.statements import columns, integers, sql
from infra.request_batcher import RequestBatcher

READ_LANES = 2
SHOPS_READ_AT_ONCE = 50
"""So that of a long list, which is asked for in parts, the first are there before the last."""

READS_WAITING = 20_000

_SHOPS_ROLLED_AT_ONCE = 500


class Scores:
    """See `domain.ports.Scores`."""

    def __init__(self, database: Database, book: ShopCache) -> None:
        self._database = database
        self._book = book
        self._rolled: dict[str, date] = {}
        self._standings: RequestBatcher[Sequence[ShopName], dict[str, ShopTotals]] = RequestBatcher(
            self._read,
            queues=READ_LANES,
            weight_max=SHOPS_READ_AT_ONCE,
            waiting_max=READS_WAITING,
            patience_s=database.patience_s,
        )

    async def standings(self, tenant_id: int, shop_ids: Sequence[str]) -> dict[str, ShopTotals]:
        """Shops by id with running totals; those that are not there are absent."""
        return await self._standings.ask(
            [(tenant_id, shop_id) for shop_id in shop_ids], len(shop_ids)
        )

    async def _read(self, asked: Sequence[Sequence[ShopName]]) -> list[dict[str, ShopTotals]]:
        named = {name for names in asked for name in names}
        found: dict[ShopName, ShopTotals] = {}
        shops = await self._book.find(named)
        while shops:
            standings, changed = await self._standings_of(shops)
            found |= standings
            shops = await self._book.read_anew(changed) if changed else {}
        return [{name[1]: found[name] for name in names if name in found} for names in asked]

    async def _standings_of(
        self, shops: Mapping[ShopName, ShopDefinition]
    ) -> tuple[dict[ShopName, ShopTotals], list[ShopName]]:
        """Standings of shops, and the names of those whose definition holds no more."""
        rows = await self._database.fetch(
            "standings", [tenant_id for tenant_id, _ in shops], keys_of(shops)
        )
        names = {shop.kept.shop_key: name for name, shop in shops.items()}
        found: dict[ShopName, ShopTotals] = {}
        changed = []
        for row in rows:
            name = names[row[0]]
            kept, _, revision = shops[name]
            if revision == row[1]:
                found[name] = _standing(kept, row)
            else:
                changed.append(name)
        return found, changed

    async def window_totals(self, of: Sequence[tuple[StoredShop, Windows]]) -> dict[int, Totals]:
        """Sum windows, by shop key: one windows' end for each shop. Raises RulesChanged."""
        rows = await self._database.fetch(
            "window_totals", *_columns([(kept.key, windows) for kept, windows in of])
        )
        rules = {kept.shop_key: kept.rules.ref for kept, _ in of}
        for shop_key, name, version, *_ in rows:
            _must_be(rules[shop_key], name, version)
        return {row[0]: integers(row[3:]) for row in rows}

    async def day_totals(self, kept: StoredShop, start: date, end: date) -> dict[date, Totals]:
        """Totals of the days from `start` to `end`, both included; empty days are absent.

        Raises RulesChanged.
        """
        rows = await self._database.fetch("day_totals", *kept.key, start, end + ONE_DAY)
        for name, version, *_ in rows[:1]:
            _must_be(kept.rules.ref, name, version)
        return {row[2]: integers(row[3:]) for row in rows if row[2] is not None}

    async def counter_totals(
        self, of: Sequence[tuple[StoredShop, Window]]
    ) -> dict[int, dict[str, int]]:
        """Sum counters that are no column, by shop key: a window for each shop.

        Raises RulesChanged.
        """
        rules = {kept.shop_key: kept.rules.ref for kept, _ in of}
        sums: dict[int, dict[str, int]] = {kept.shop_key: {} for kept, _ in of}
        windows = [(*kept.key, window.start, window.end + ONE_DAY) for kept, window in of]
        for row in await self._database.fetch("counter_totals", *columns(windows, 4)):
            _must_be(rules[row["shop_key"]], row["rules"], row["rules_version"])
            if row["counter"] is not None:
                sums[row["shop_key"]][row["counter"]] = int(row["n"])
        return sums

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
            locked = await self._book.lock_named(connection, [tuple(row) for row in behind])
            before = [
                (definition.kept.key, windows_before(today, definition.known.rules))
                for definition, totals_day in locked.values()
                if totals_day < today
            ]
            sums = await connection.fetch(sql("window_totals"), *_columns(before))
            shop_keys = [shop.shop_key for shop, _ in before]
            await connection.execute(sql("keep_days"), shop_keys)
            taken = await connection.fetch(sql("take_days"), shop_keys, today)
            own = {row[0]: row[1:] for row in taken}
            await set_running(
                connection,
                {row[0]: (today, (*row[3:], *own.get(row[0], nothing()))) for row in sums},
            )
            return len(behind)

        return await self._database.run(work)

    async def replay(self, shop: ShopKey, rules: Rules) -> dict[date, Totals]:
        """Ratings by day under any rules, worked out from the ratings themselves."""

        async def work(connection: Connection) -> dict[date, Totals]:
            days: defaultdict[date, list[int]] = defaultdict(nothing)
            async for cohort in cohorts(connection, shop):
                add_ratings(days, [(rating, removed) for rating, removed, _ in cohort], rules)
            return dict(days)

        return await self._database.run(work, snapshot=True)


def _standing(kept: StoredShop, row: asyncpg.Record) -> ShopTotals:
    _, _, currency, amounts, as_of, taken_at, taking, day = row[:8]
    return ShopTotals(
        kept=kept,
        ladder=_ladder(currency, amounts) if amounts else None,
        snapshot=SnapshotVersion(as_of, taken_at, taking) if taking else None,
        day=day,
        totals=integers(row[8:]),
    )


@lru_cache(4096)
def _ladder(currency: str, amounts: str) -> Ladder:
    return Ladder(currency, tuple(map(int, amounts[1:-1].split(","))))


def _must_be(rules: RulesRef, name: str, version: int) -> None:
    if (rules.name, rules.version) != (name, version):
        raise RulesChanged


def _columns(of: Sequence[tuple[ShopKey, Windows]]) -> tuple[list[object], ...]:
    return (
        [shop.tenant_id for shop, _ in of],
        [shop.shop_key for shop, _ in of],
        [windows.rating_start for _, windows in of],
        [windows.sales_start for _, windows in of],
        [windows.end + ONE_DAY for _, windows in of],
    )
