"""Recounting a shop's stored totals from its facts: to audit, to repair, to change its rules."""

from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import date
from operator import attrgetter
from typing import Any

from domain.counters import FIELDS
from domain.facts import AGGREGATES
from domain.facts.aggregate import ProjectedAggregate
from domain.facts.fact import Fact, FactKind, KnownShop
from domain.facts.ratings import Moderation, Rating, is_removed
from domain.ports import ShopKey, StoredShop
from domain.recount import Recount
from domain.rules import Rules
from domain.totals import RatingState, Totals
from infra.postgres.database import Connection
from infra.postgres.fact_statements import facts_of_shop
from infra.postgres.statements import columns, integers, pieces, sql
from infra.turns import in_turns, parts

_ROWS_AT_ONCE = 500
_ROWS_WRITTEN_AT_ONCE = 2_000
_COUNTS_COLUMNS = ["shop_key", "day", "counter", "n"]
_UNITS_COLUMNS = ["shop_key", "listing_id", "day", "units"]


async def recount(connection: Connection, shop: StoredShop, rules: Rules) -> Recount:
    """Compare the sums of a shop's facts under these rules with what is stored.

    Exact where all of it is read in one snapshot, or with the shop locked.
    """
    shop_key = shop.shop_key
    counted = Recount(KnownShop(shop_key, shop.shop.currency, shop.shop.time_zone, rules))
    async for cohort in cohorts(connection, shop.key):
        await in_turns(counted.add_ratings(cohort))
    for aggregate in AGGREGATES:
        if isinstance(aggregate, ProjectedAggregate):
            async for facts in _aggregates(connection, shop_key, aggregate):
                counted.add(aggregate, facts)
    await in_turns(counted.add_unlisted())
    days = await connection.fetch(sql("stored_days"), shop_key)
    counts = await connection.fetch(sql("stored_counters"), shop_key)
    units = await connection.fetch(sql("stored_units"), shop_key)
    running = await connection.fetchrow(sql("stored_totals"), shop_key)
    comparison = counted.compare(
        {row["day"]: integers(row[1:]) async for part in parts(days) for row in part},
        {
            (row["day"], row["counter"]): int(row["n"])
            async for part in parts(counts)
            for row in part
        },
        {
            (row["listing_id"], row["day"]): row["units"]
            async for part in parts(units)
            for row in part
        },
        *((running["day"], integers(running[1:])) if running else (None, ())),
    )
    await in_turns(comparison)
    return counted


async def repair(connection: Connection, shop_key: int, counted: Recount) -> None:
    """Store the recounted totals of a locked shop where they differ."""
    rows: list[tuple[Any, ...]]
    if counted.states:
        for states in pieces(list(counted.states.items()), _ROWS_WRITTEN_AT_ONCE):
            rows = [(shop_key, review_id, state) for review_id, state in states]
            await connection.execute(sql("update_states"), *columns(rows, 3))
    if days := counted.wrong_days:
        await connection.execute(sql("delete_days"), shop_key, list(days))
        rows = [(shop_key, day, *totals) for day, totals in days.items() if any(totals)]
        await connection.copy_records_to_table(
            "daily_totals", columns=["shop_key", "day", *FIELDS], records=rows
        )
    if counts := counted.wrong_counts:
        await connection.execute(sql("delete_counters"), shop_key, *zip(*counts, strict=True))
        rows = [(shop_key, *key, n) for key, n in counts.items() if n]
        await connection.copy_records_to_table(
            "counter_days", columns=_COUNTS_COLUMNS, records=rows
        )
    if units := counted.wrong_units:
        for keys in pieces(list(units), _ROWS_WRITTEN_AT_ONCE):
            await connection.execute(sql("delete_units"), shop_key, *columns(keys, 2))
        rows = [(shop_key, *key, n) async for part in parts(units.items()) for key, n in part if n]
        for some in pieces(rows, _ROWS_WRITTEN_AT_ONCE):
            await connection.copy_records_to_table(
                "listing_days", columns=_UNITS_COLUMNS, records=some
            )
    if day := counted.wrong_running:
        await set_running(connection, {shop_key: (day, counted.running(day))})


async def set_running(connection: Connection, running: dict[int, tuple[date, Totals]]) -> None:
    """Replace the running totals of locked shops, with their day and its totals."""
    rows = [(shop_key, day, None, *totals) for shop_key, (day, totals) in sorted(running.items())]
    await connection.execute(sql("set_totals"), rows)


async def cohorts(
    connection: Connection, shop: ShopKey
) -> AsyncIterator[list[tuple[Rating, bool, RatingState]]]:
    """Yield the ratings of a shop, those of one buyer and month at a time.

    A rating without a buyer comes alone. With each rating come whether it is removed and its stored
    state. Memory does not grow with the ratings.
    """
    moderations: defaultdict[str, list[Moderation]] = defaultdict(list)
    async for part in parts(await connection.fetch(sql("recount_moderations"), *shop)):
        for row in part:
            moderation = Moderation(*row)
            moderations[moderation.review_id].append(moderation)
    removed = {
        review_id
        async for part_of in parts(moderations.items())
        for review_id, of in part_of
        if is_removed(of)
    }
    cohort: list[tuple[Rating, bool, RatingState]] = []
    rows = connection.cursor(sql("recount_ratings"), *shop, prefetch=_ROWS_AT_ONCE)
    async for row in rows:
        *fields, state = row
        rating = Rating(*fields)
        if cohort and (rating.buyer_id is None or cohort[0][0].buyer_month != rating.buyer_month):
            yield cohort
            cohort = []
        cohort.append((rating, rating.review_id in removed, RatingState(state)))
    if cohort:
        yield cohort


async def _aggregates(
    connection: Connection, shop_key: int, aggregate: ProjectedAggregate
) -> AsyncIterator[list[Fact]]:
    """Yield the facts of a shop, those of one aggregate at a time."""
    id_of = attrgetter(aggregate.key)
    streams = [_facts(connection, shop_key, kind) for kind in aggregate.projected]
    heads = [await anext(stream, None) for stream in streams]
    while waiting := [id_of(fact) for fact in heads if fact is not None]:
        first = min(waiting)
        facts: list[Fact] = []
        for place, stream in enumerate(streams):
            while (fact := heads[place]) is not None and id_of(fact) == first:
                facts.append(fact)
                heads[place] = await anext(stream, None)
        yield facts


async def _facts(connection: Connection, shop_key: int, kind: FactKind) -> AsyncIterator[Fact]:
    statement = sql(facts_of_shop(kind))
    async for row in connection.cursor(statement, shop_key, prefetch=_ROWS_AT_ONCE):
        yield kind.fact(*row)
