"""Totals on Postgres, as scores are computed from them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache, partial

import asyncpg

from domain.days import ONE_DAY, Window, day_of
from domain.errors import RulesChanged, Unavailable
from domain.facts.ratings import add_ratings
from domain.ports import ShopKey, ShopTotals, SnapshotVersion, StoredShop
from domain.rules import Rules, RulesRef
from domain.tier import Ladder
from domain.totals import Totals, zero_totals
from domain.windows import Windows, windows_before
from infra.postgres.database import Connection, Database
from infra.postgres.recount import cohorts, set_running
from infra.postgres.shop_cache import ShopCache, ShopDefinition, ShopName, keys_of
from infra.postgres.statements import columns, integers, sql
from infra.request_batcher import RequestBatcher
from infra.turns import in_turns

READ_QUEUES = 2
SHOPS_READ_AT_ONCE = 50
"""Few, so that the first parts of a long list are read before the last ones."""

READS_WAITING = 20_000

_SHOPS_ROLLED_AT_ONCE = 500


class Scores:
    """See `domain.ports.Scores`."""

    def __init__(self, database: Database, shop_cache: ShopCache) -> None:
        self._database = database
        self._shop_cache = shop_cache
        self._rolled: dict[str, date] = {}
        self._reads: RequestBatcher[Sequence[ShopName], dict[str, ShopTotals]] = RequestBatcher(
            self._read,
            queues=READ_QUEUES,
            weight_max=SHOPS_READ_AT_ONCE,
            waiting_max=READS_WAITING,
            timeout_s=database.work_timeout_s,
        )

    async def shop_totals(self, tenant_id: int, shop_ids: Sequence[str]) -> dict[str, ShopTotals]:
        """Return the running totals of the shops that exist, by shop id."""
        return await self._reads.submit(
            [(tenant_id, shop_id) for shop_id in shop_ids], len(shop_ids)
        )

    async def _read(self, requests: Sequence[Sequence[ShopName]]) -> list[dict[str, ShopTotals]]:
        named = {name for names in requests for name in names}
        totals: dict[ShopName, ShopTotals] = {}
        shops = await self._shop_cache.find(named)
        restored: set[ShopName] = set()
        while shops:
            current, changed = await self._current_totals(shops)
            totals |= current
            if lost := shops.keys() - current.keys() - set(changed) - restored:
                # Locking shops restores the totals that they have lost.
                await self._database.run(partial(self._shop_cache.lock_named, names=lost))
                restored |= lost
            anew = {*changed, *lost}
            shops = await self._shop_cache.read_anew(anew) if anew else {}
        return [{name[1]: totals[name] for name in names if name in totals} for names in requests]

    async def _current_totals(
        self, shops: Mapping[ShopName, ShopDefinition]
    ) -> tuple[dict[ShopName, ShopTotals], list[ShopName]]:
        """Return the totals of shops, and the names of shops whose definitions have changed."""
        rows = await self._database.fetch(
            "shop_totals", [tenant_id for tenant_id, _ in shops], keys_of(shops)
        )
        names = {shop.stored.shop_key: name for name, shop in shops.items()}
        totals: dict[ShopName, ShopTotals] = {}
        changed = []
        for row in rows:
            name = names[row[0]]
            stored, _, revision = shops[name]
            if revision == row[1]:
                totals[name] = _shop_totals(stored, row)
            else:
                changed.append(name)
        return totals, changed

    async def window_totals(self, of: Sequence[tuple[StoredShop, Windows]]) -> dict[int, Totals]:
        """Return the sums of windows by shop key, one end for each shop. Raises RulesChanged."""
        shops = {stored.shop_key: stored for stored, _ in of}
        arguments = _columns([(stored.key, windows) for stored, windows in of])
        rows = await self._database.fetch("window_totals", *arguments)
        if lost := [shops[row["shop_key"]] for row in rows if row["is_lost"]]:
            await self._restore(lost)
            rows = await self._database.fetch("window_totals", *arguments)
        for row in rows:
            _must_be(shops[row["shop_key"]].rules.ref, row["rules"], row["rules_version"])
        return {row["shop_key"]: integers(row[4:]) for row in rows}

    async def day_totals(self, stored: StoredShop, start: date, end: date) -> dict[date, Totals]:
        """Return the totals of a range of days, both ends included, without empty days.

        Raises RulesChanged.
        """
        arguments = (*stored.key, start, end + ONE_DAY)
        rows = await self._database.fetch("day_totals", *arguments)
        if rows and rows[0]["is_lost"]:
            await self._restore([stored])
            rows = await self._database.fetch("day_totals", *arguments)
        for row in rows[:1]:
            _must_be(stored.rules.ref, row["rules"], row["rules_version"])
        return {row["day"]: integers(row[4:]) for row in rows if row["day"] is not None}

    async def _restore(self, shops: Iterable[StoredShop]) -> None:
        """Restore the running totals of shops that have lost them: locking a shop does."""
        names = {(stored.tenant_id, stored.shop.shop_id) for stored in shops}
        await self._database.run(partial(self._shop_cache.lock_named, names=names))

    async def counter_totals(
        self, of: Sequence[tuple[StoredShop, Window]]
    ) -> dict[int, dict[str, int]]:
        """Return sums of the counters that are rows, by shop key.

        Raises RulesChanged.
        """
        rules = {stored.shop_key: stored.rules.ref for stored, _ in of}
        sums: dict[int, dict[str, int]] = {stored.shop_key: {} for stored, _ in of}
        windows = [(*stored.key, window.start, window.end + ONE_DAY) for stored, window in of]
        for row in await self._database.fetch("counter_totals", *columns(windows, 4)):
            _must_be(rules[row["shop_key"]], row["rules"], row["rules_version"])
            if row["counter"] is not None:
                sums[row["shop_key"]][row["counter"]] = int(row["n"])
        return sums

    async def roll(self, now: datetime) -> int:
        """Move running totals of earlier days to each shop's today, and count the shops.

        A shop that fails stops no other shop; its failure is raised when the others are done.
        """
        rolled, failures = 0, list[Exception]()
        for row in await self._database.fetch("zones"):
            today = day_of(now, row["time_zone"])
            if self._rolled.get(row["time_zone"]) == today:
                continue
            failures_before, last = len(failures), 0
            while shops := await self._database.fetch(
                "shops_to_roll", row["time_zone"], today, last, _SHOPS_ROLLED_AT_ONCE
            ):
                last = shops[-1]["shop_key"]
                names = [(shop["tenant_id"], shop["shop_id"]) for shop in shops]
                failed = await self._roll_apart(names, today)
                rolled += len(names) - len(failed)
                failures += failed
            if len(failures) == failures_before:
                self._rolled[row["time_zone"]] = today
        if failures:
            raise failures[0]
        return rolled

    async def _roll_apart(self, names: Sequence[ShopName], today: date) -> list[Exception]:
        """Move the running totals of shops together, or one by one where that fails."""
        try:
            await self._roll(names, today)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - it may be the fault of one shop among many
            if len(names) == 1:
                return [error]
            return [failure for name in names for failure in await self._roll_apart([name], today)]
        return []

    async def _roll(self, names: Sequence[ShopName], today: date) -> None:
        async def work(connection: Connection) -> None:
            locked = await self._shop_cache.lock_named(connection, names)
            before = [
                (definition.stored.key, windows_before(today, definition.known.rules))
                for definition, totals_day in locked.values()
                if totals_day < today
            ]
            sums = await connection.fetch(sql("window_totals"), *_columns(before))
            shop_keys = [shop.shop_key for shop, _ in before]
            await connection.execute(sql("insert_running_days"), shop_keys)
            popped = await connection.fetch(sql("pop_day"), shop_keys, today)
            own = {row[0]: row[1:] for row in popped}
            await set_running(
                connection,
                {row[0]: (today, (*row[4:], *own.get(row[0], zero_totals()))) for row in sums},
            )

        await self._database.run(work)

    async def replay(self, shop: ShopKey, rules: Rules) -> dict[date, Totals]:
        """Return the totals of ratings by day under any rules, computed from the ratings."""

        async def work(connection: Connection) -> dict[date, Totals]:
            days: defaultdict[date, list[int]] = defaultdict(zero_totals)
            async for cohort in cohorts(connection, shop):
                ratings = [(rating, removed) for rating, removed, _ in cohort]
                await in_turns(add_ratings(days, ratings, rules))
            return dict(days)

        return await self._database.run(work, snapshot=True)


def _shop_totals(stored: StoredShop, row: asyncpg.Record) -> ShopTotals:
    _, _, currency, amounts, as_of, taken_at, mark, day = row[:8]
    return ShopTotals(
        stored=stored,
        ladder=_ladder(currency, amounts) if amounts else None,
        snapshot=SnapshotVersion(as_of, taken_at, mark) if mark else None,
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
