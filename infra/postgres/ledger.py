"""The ledger on Postgres: a batch of events, one transaction."""

import asyncio
from collections import defaultdict
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
    Sized,
)
from datetime import date, datetime, timedelta
from functools import cache, partial
from operator import itemgetter
from typing import Any, TypeVar

import asyncpg
import msgspec

from domain.facts import (
    Fact,
    KnownShop,
    ListingEvent,
    Moderation,
    Order,
    Rating,
    Refund,
    StockCount,
)
from domain.recording import (
    Outcome,
    Recording,
    Refused,
    Stored,
    Submission,
    Touched,
    admitted,
    settle,
    touched,
)
from domain.totals import FIELDS, RatingState
from domain.windows import window_totals, windows_before
from infra.postgres.database import Database
from infra.postgres.pool import Connection
from infra.postgres.rules import RuleBook
from infra.postgres.statements import sql

T = TypeVar("T")

_ITEMS_A_TURN = 200

TABLES: dict[type[Fact], str] = {
    Rating: "ratings",
    Moderation: "moderations",
    Order: "orders",
    Refund: "refunds",
    ListingEvent: "listing_events",
    StockCount: "stock_counts",
}
"""Where each kind of fact is kept; its fields are the columns, a rating has `state` besides."""


class Ledger:
    """Records batches of requests, each batch in one transaction."""

    def __init__(self, database: Database, rules: RuleBook) -> None:
        self._database = database
        self._rules = rules
        self.patience_s = database.patience_s

    async def record(self, submissions: Sequence[Submission], now: datetime) -> list[list[Outcome]]:
        """Record several requests in one transaction; outcomes in order, after commit.

        Waits for other writers of their shops.
        """

        async def work(connection: Connection, *, thorough: bool) -> list[list[Outcome]]:
            locked = await lock_shops(connection, named_shops(submissions))
            return await self._record(connection, submissions, locked, now, thorough=thorough)

        return await self._run(work)

    async def record_free(
        self, submissions: Sequence[Submission], now: datetime
    ) -> list[list[Outcome] | None]:
        """Record likewise, but wait for nobody: None for a request of shops that are held now."""

        async def work(connection: Connection, *, thorough: bool) -> list[list[Outcome] | None]:
            names = [named_shops([submission]) for submission in submissions]
            rows = await connection.fetch(sql("lock_free_shops"), *_texts(set().union(*names), 2))
            busy = {(row["tenant_id"], row["shop_id"]) for row in rows if row["shop_key"] is None}
            free = [
                submission
                for submission, named in zip(submissions, names, strict=True)
                if not busy & named
            ]
            locked = await _current(
                connection, [row for row in rows if row["shop_key"] is not None]
            )
            recorded = await self._record(connection, free, locked, now, thorough=thorough)
            outcomes = iter(recorded)
            return [None if busy & named else next(outcomes) for named in names]

        return await self._run(work)

    async def _run(self, work: Callable[..., Awaitable[T]]) -> T:
        """Work that first looks for ratings by buyer and month only.

        So it finds what was sent before, and what the cap needs. A review sent again as another
        buyer's or another month's, which is a conflict, is refused by the table's key; only then
        is every review looked for by its id.
        """
        try:
            return await self._database.run(partial(work, thorough=False))
        except asyncpg.UniqueViolationError:
            return await self._database.run(partial(work, thorough=True))

    async def _record(
        self,
        connection: Connection,
        submissions: Sequence[Submission],
        locked: Sequence[asyncpg.Record],
        now: datetime,
        *,
        thorough: bool,
    ) -> list[list[Outcome]]:
        named = await self._known(connection, locked)
        shops = {shop.shop_key: shop for shop in named.values()}
        batch = [
            (await _all(admitted(submission, named, now), submission.events), submission.strict)
            for submission in submissions
        ]
        facts = (item for items, _ in batch for item in items if not isinstance(item, Refused))
        stored = await _read(connection, touched(facts), shops, thorough=thorough)
        recording = settle(batch, stored, shops)
        await _write(connection, recording, stored, shops)
        return recording.outcomes

    async def _known(
        self, connection: Connection, locked: Sequence[asyncpg.Record]
    ) -> dict[tuple[int, str], KnownShop]:
        """Rows of locked shops by tenant and id, with their rules."""
        found = {}
        for row in locked:
            tenant_id, shop_id, shop_key, currency, time_zone, name, version, totals_day, _ = row
            rules = self._rules.seen(tenant_id, name, version) or await self._rules.version(
                connection, tenant_id, name, version
            )
            found[tenant_id, shop_id] = KnownShop(
                shop_key, currency, time_zone, rules.rules, totals_day
            )
        return found


def named_shops(submissions: Iterable[Submission]) -> set[tuple[int, str]]:
    """Tenants and ids of the shops that requests are about, as far as their keys reach."""
    return {
        (submission.tenant_id, shop_id)
        for submission in submissions
        for shop_id in submission.subjects()
    }


def _texts(rows: Collection[tuple[Any, ...]], width: int) -> list[str]:
    """Rows as so many columns, each one text with spaces between; no id has a space in it.

    The driver takes three times as long for arrays, whose members it looks at one by one.
    """
    return [" ".join(map(str, column)) for column in zip(*rows, strict=True)] or [""] * width


async def lock_shops(
    connection: Connection, named: Collection[tuple[int, str]]
) -> list[asyncpg.Record]:
    """Definitions of those shops, by tenant and id, that exist, and the day of their totals.

    Other writers of them wait until the end of the transaction.
    """
    names = _texts(named, 2)
    rows = await connection.fetch(sql("lock_shops"), *names)
    if len(rows) < len(named):
        await connection.execute(sql("begin_totals"), *names)
        rows = await connection.fetch(sql("lock_shops"), *names)
    return await _current(connection, rows)


async def _current(connection: Connection, rows: list[asyncpg.Record]) -> list[asyncpg.Record]:
    """Rows of locked shops, read again where a definition was changed before its lock was had."""
    if all(row["current"] for row in rows):
        return rows
    shop_keys = " ".join(str(row["shop_key"]) for row in rows)
    read: list[asyncpg.Record] = await connection.fetch(sql("locked_shops"), shop_keys)
    return read


async def _read(
    connection: Connection, asked: Touched, shops: Mapping[int, KnownShop], *, thorough: bool
) -> Stored:
    stored = Stored({}, {}, defaultdict(list))

    def keep(facts: Iterable[Fact]) -> None:
        stored.facts.update((fact.identity, fact) for fact in facts)

    async def fetch(name: str, *keys: Iterable[tuple[Any, ...]]) -> list[Any]:
        columns = [column for part in keys for column in zip(*part, strict=True)]
        rows: list[Any] = await connection.fetch(sql(name), *columns)
        return rows

    if reviews := asked.moderated | asked.rated:
        found = await connection.fetch(sql("known_moderations"), *_texts(reviews, 2))
        keep(Moderation(*row) for row in found)
        named = _texts(reviews if thorough else asked.moderated, 2)
        months = _texts(asked.buyer_months, 3)
        for row in await connection.fetch(sql("known_ratings"), *named, *months):
            *fields, state = row
            rating = Rating(*fields)
            keep([rating])
            stored.states[rating.shop_key, rating.review_id] = RatingState(state)
    if asked.orders:
        keep(Order(*row) for row in await fetch("known_orders", asked.orders))
    if asked.refunds:
        keep(Refund(*row) for row in await fetch("known_refunds", asked.refunds))
    if asked.listings:
        keep(ListingEvent(*row) for row in await fetch("known_listing_events", asked.listings))
        since = [
            (*key, day - timedelta(days=shops[key[0]].rules.sold_window_days))
            for key, day in asked.listings.items()
        ]
        for shop_key, listing_id, day in await fetch("known_sale_days", since):
            stored.sale_days[shop_key, listing_id].append(day)
    if asked.stock:
        keep(StockCount(*row) for row in await fetch("known_stock_counts", asked.stock))
    return stored


async def _write(
    connection: Connection,
    recording: Recording,
    stored: Stored,
    shops: Mapping[int, KnownShop],
) -> None:
    rows: defaultdict[type[Fact], list[tuple[Any, ...]]] = defaultdict(list)
    for fact in recording.facts:
        row = msgspec.structs.astuple(fact)
        if isinstance(fact, Rating):
            row += (recording.states[fact.shop_key, fact.review_id],)
        rows[type(fact)].append(row)
    for kind, table in TABLES.items():
        if kind in rows:
            await copy(
                connection, table, columns_of(kind), sorted(rows[kind], key=itemgetter(0, 1))
            )

    moved = [(*key, state) for key, state in recording.states.items() if key in stored.states]
    if moved:
        await connection.execute(sql("update_states"), *zip(*sorted(moved), strict=True))
    if recording.units:
        units = [(*key, units) for key, units in recording.units.items()]
        await connection.execute(sql("add_units"), *_texts(units, 4))
    days = [(False, *key, *totals) for key, totals in sorted(recording.days.items())]
    running = _running(recording, shops)
    if days:
        await copy(connection, "staged", STAGED_COLUMNS, days + running)
        # Prepared, which `execute` without arguments is not.
        await connection.fetch(sql("add_days"))
    if running:
        await connection.fetch(sql("add_totals"))


def _running(recording: Recording, shops: Mapping[int, KnownShop]) -> list[tuple[Any, ...]]:
    """What the running totals move by: windows that end on their day, without that day."""
    by_shop: defaultdict[int, dict[date, list[int]]] = defaultdict(dict)
    for (shop_key, day), totals in recording.days.items():
        if day < shops[shop_key].totals_day:
            by_shop[shop_key][day] = totals
    found = []
    for shop_key, days in sorted(by_shop.items()):
        shop = shops[shop_key]
        moved = window_totals(days, windows_before(shop.totals_day, shop.rules))
        if any(moved):
            found.append((True, shop_key, shop.totals_day, *moved))
    return found


async def copy(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Write rows by COPY."""
    await connection.copy_records_to_table(
        table,
        records=_paced(rows) if len(rows) > _ITEMS_A_TURN else rows,
        columns=columns,
    )


async def _all(items: Iterable[T], of: Sized) -> list[T]:
    """The items in a list, paced where there are many."""
    return list(items) if len(of) <= _ITEMS_A_TURN else [item async for item in _paced(items)]


async def _paced(items: Iterable[T]) -> AsyncIterator[T]:
    """The items, with a turn for whatever else waits after every so many."""
    for number, item in enumerate(items, 1):
        yield item
        if number % _ITEMS_A_TURN == 0:
            await asyncio.sleep(0)


@cache
def columns_of(kind: type[Fact]) -> list[str]:
    """Columns that hold a kind of fact, in the order of its fields."""
    names = [field.name for field in msgspec.structs.fields(kind)]
    return [*names, "state"] if kind is Rating else names


STAGED_COLUMNS = ["running", "shop_key", "day", *FIELDS]
UNITS_COLUMNS = ["shop_key", "listing_id", "day", "units"]
