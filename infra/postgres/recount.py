"""Recounting a shop's stored totals from its facts: to audit, to repair, to change its rules."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any

import asyncpg

from domain.counters import FIELDS
from domain.facts import AGGREGATES
from domain.facts.fact import Fact, FactKind
from domain.facts.listings import LISTING_EVENTS, ListingEvent
from domain.facts.ratings import Moderation, Rating, is_removed
from domain.ports import ShopKey
from domain.recount import Recount
from domain.rules import Rules
from domain.totals import RatingState, Totals
from infra.postgres.database import Connection
from infra.postgres.statements import columns, integers, of_shop, sql

_ROWS_AT_ONCE = 500
_COUNTS_COLUMNS = ["shop_key", "day", "counter", "n"]
_UNITS_COLUMNS = ["shop_key", "listing_id", "day", "units"]


async def recount(connection: Connection, shop: ShopKey, rules: Rules) -> Recount:
    """What the facts of a shop add up to under these rules, compared with what is stored.

    Exact where all of it is read in one snapshot, or with the shop locked.
    """
    counted = Recount(rules)
    shop_key = shop.shop_key
    await count_ratings(connection, shop, counted)
    for aggregate in AGGREGATES:
        if aggregate.project is not None:
            async for facts in _aggregates(connection, shop_key, aggregate.kinds):
                counted.add(aggregate.project(facts, rules))
    events = [
        ListingEvent(*row) for row in await connection.fetch(sql(of_shop(LISTING_EVENTS)), shop_key)
    ]
    counted.add_listings(
        {listing: list(group) for listing, group in groupby(events, attrgetter("listing_id"))}
    )
    days = await connection.fetch(sql("stored_days"), shop_key)
    counts = await connection.fetch(sql("stored_counters"), shop_key)
    units = await connection.fetch(sql("stored_units"), shop_key)
    running = await connection.fetchrow(sql("stored_totals"), shop_key)
    counted.compare(
        {row["day"]: integers(row[1:]) for row in days},
        {(row["day"], row["counter"]): int(row["n"]) for row in counts},
        {(row["listing_id"], row["day"]): row["units"] for row in units},
        *((running["day"], integers(running[1:])) if running else (None, ())),
    )
    return counted


async def count_ratings(connection: Connection, shop: ShopKey, counted: Recount) -> None:
    """Add every rating of a shop, a cap's at a time, so that memory does not grow with them."""
    removed = await _removed(connection, shop)
    async for group in _cap_groups(connection, shop):
        counted.add_ratings((rating, rating.review_id in removed, state) for rating, state in group)


async def repair(connection: Connection, shop_key: int, counted: Recount) -> None:
    """Store what was recounted in place of what differs. The shop is locked."""
    rows: list[tuple[Any, ...]]
    if counted.states:
        rows = [(shop_key, review_id, state) for review_id, state in counted.states.items()]
        await connection.execute(sql("update_states"), *columns(rows, 3))
    if days := counted.wrong_days:
        await connection.execute(sql("delete_days"), shop_key, list(days))
        rows = [(shop_key, day, *totals) for day, totals in days.items() if any(totals)]
        await connection.copy_records_to_table(
            "daily_totals", columns=["shop_key", "day", *FIELDS], records=rows
        )
    if counts := counted.wrong_counts:
        await connection.execute(sql("delete_counters"), shop_key, *zip(*counts, strict=True))
        rows = [(shop_key, *key, n) for key in counts if (n := counted.counts.get(key))]
        await connection.copy_records_to_table(
            "counter_days", columns=_COUNTS_COLUMNS, records=rows
        )
    if units := counted.wrong_units:
        await connection.execute(sql("delete_units"), shop_key, *zip(*units, strict=True))
        rows = [(shop_key, *key, counted.units[key]) for key in units if key in counted.units]
        await connection.copy_records_to_table("listing_days", columns=_UNITS_COLUMNS, records=rows)
    if day := counted.wrong_running:
        await set_running(connection, {shop_key: (day, counted.running(day))})


async def set_running(connection: Connection, running: dict[int, tuple[date, Totals]]) -> None:
    """Replace the running totals of locked shops, the day they stand for, and what it adds."""
    rows = [(shop_key, day, None, *totals) for shop_key, (day, totals) in sorted(running.items())]
    await connection.execute(sql("set_totals"), rows)


async def _removed(connection: Connection, shop: ShopKey) -> set[str]:
    moderations: defaultdict[str, list[Moderation]] = defaultdict(list)
    for row in await connection.fetch(sql("recount_moderations"), *shop):
        moderation = Moderation(*row)
        moderations[moderation.review_id].append(moderation)
    return {review_id for review_id, found in moderations.items() if is_removed(found)}


async def _cap_groups(
    connection: Connection, shop: ShopKey
) -> AsyncIterator[list[tuple[Rating, RatingState]]]:
    group: list[tuple[Rating, RatingState]] = []
    rows = connection.cursor(sql("recount_ratings"), *shop, prefetch=_ROWS_AT_ONCE)
    async for row in rows:
        *fields, state = row
        rating = Rating(*fields)
        if group and (group[0][0].buyer_id, group[0][0].month) != (rating.buyer_id, rating.month):
            yield group
            group = []
        group.append((rating, RatingState(state)))
    if group:
        yield group


async def _aggregates(
    connection: Connection, shop_key: int, kinds: Sequence[FactKind]
) -> AsyncIterator[list[Fact]]:
    """Yield all facts of each aggregate, in the order of their keys, from a cursor a kind."""
    cursors = [
        (kind, aiter(connection.cursor(sql(of_shop(kind)), shop_key, prefetch=_ROWS_AT_ONCE)))
        for kind in kinds
    ]
    waiting = {kind: await _next(kind, rows) for kind, rows in cursors}
    while keys := [kind.aggregate_key(fact) for kind, fact in waiting.items() if fact]:
        first = min(keys)
        facts = []
        for kind, rows in cursors:
            while (fact := waiting[kind]) is not None and kind.aggregate_key(fact) == first:
                facts.append(fact)
                waiting[kind] = await _next(kind, rows)
        yield facts


async def _next(kind: FactKind, rows: AsyncIterator[asyncpg.Record]) -> Fact | None:
    row = await anext(rows, None)
    return None if row is None else kind.fact(*row)
