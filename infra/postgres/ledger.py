"""The ledger on Postgres: a batch of events, one transaction."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import Any

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
from domain.rules import Rules
from domain.totals import FIELDS, RatingState
from domain.windows import window_totals, windows_before
from infra.postgres.database import Connection, Database
from infra.postgres.rules import RuleBook
from infra.postgres.statements import sql

TABLES: dict[type[Fact], str] = {
    Rating: "ratings",
    Moderation: "moderations",
    Order: "orders",
    Refund: "refunds",
    ListingEvent: "listing_events",
    StockCount: "stock_counts",
}
"""Where each kind of fact is kept; its fields are the columns, a rating has `state` besides."""


class LockedShop(msgspec.Struct, frozen=True):
    """A shop that no other writer can change until the transaction ends."""

    known: KnownShop
    totals_day: date


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
        return await self._database.run(
            lambda connection: self._record(connection, submissions, now)
        )

    async def record_free(
        self, submissions: Sequence[Submission], now: datetime
    ) -> list[list[Outcome] | None]:
        """Record likewise, but wait for nobody: None for a request of shops that are held now."""

        async def work(connection: Connection) -> list[list[Outcome] | None]:
            rows = await connection.fetch(sql("busy_shops"), *_columns(_named(submissions), 2))
            busy = {(row["tenant_id"], row["shop_id"]) for row in rows}
            free = [submission for submission in submissions if not busy & _named([submission])]
            outcomes = iter(await self._record(connection, free, now))
            return [
                None if busy & _named([submission]) else next(outcomes)
                for submission in submissions
            ]

        return await self._database.run(work)

    async def _record(
        self, connection: Connection, submissions: Sequence[Submission], now: datetime
    ) -> list[list[Outcome]]:
        shops = await self._lock(connection, submissions, now)
        batch = []
        for submission in submissions:
            reached = {
                shop_id: shops[submission.tenant_id, shop_id].known
                for shop_id in submission.subjects()
                if (submission.tenant_id, shop_id) in shops
            }
            batch.append((admitted(submission, reached, now), submission.strict))
        locked = {shop.known.shop_key: shop for shop in shops.values()}
        rules = {shop_key: shop.known.rules for shop_key, shop in locked.items()}
        facts = (item for items, _ in batch for item in items if not isinstance(item, Refused))
        stored = await _read(connection, touched(facts), rules)
        recording = settle(batch, stored, rules)
        await _write(connection, recording, stored, locked)
        return recording.outcomes

    async def _lock(
        self, connection: Connection, submissions: Sequence[Submission], now: datetime
    ) -> dict[tuple[int, str], LockedShop]:
        tenant_ids, shop_ids = _columns(_named(submissions), 2)
        shop_keys = await lock_shops(connection, tenant_ids, shop_ids, now)
        found = {}
        for row in await connection.fetch(sql("locked_shops"), shop_keys):
            rules = await self._rules.version(
                connection, row["tenant_id"], row["rules"], row["rules_version"]
            )
            known = KnownShop(row["shop_key"], row["currency"], row["time_zone"], rules.rules)
            found[row["tenant_id"], row["shop_id"]] = LockedShop(known, row["totals_day"])
        return found


def _named(submissions: Iterable[Submission]) -> set[tuple[int, str]]:
    """Tenants and ids of the shops that requests are about, as far as their keys reach."""
    return {
        (submission.tenant_id, shop_id)
        for submission in submissions
        for shop_id in submission.subjects()
    }


def _columns(rows: Collection[tuple[Any, ...]], width: int) -> list[tuple[Any, ...]]:
    """Rows as so many columns, which may be empty."""
    return list(zip(*rows, strict=True)) or [()] * width


async def lock_shops(
    connection: Connection, tenant_ids: Sequence[int], shop_ids: Sequence[str], now: datetime
) -> list[int]:
    """Keys of the shops that exist; their other writers wait until this transaction ends."""
    rows = await connection.fetch(sql("lock_shops"), tenant_ids, shop_ids, now.date())
    return [row["shop_key"] for row in rows]


async def _read(connection: Connection, asked: Touched, rules: Mapping[int, Rules]) -> Stored:
    stored = Stored({}, {}, defaultdict(list))

    def keep(facts: Iterable[Fact]) -> None:
        stored.facts.update((fact.identity, fact) for fact in facts)

    async def fetch(name: str, *keys: Iterable[tuple[Any, ...]]) -> list[Any]:
        columns = [column for part in keys for column in zip(*part, strict=True)]
        rows: list[Any] = await connection.fetch(sql(name), *columns)
        return rows

    if asked.reviews:
        keep(Moderation(*row) for row in await fetch("known_moderations", asked.reviews))
        reviews = _columns(asked.reviews, 2)
        months = _columns(asked.buyer_months, 3)
        for row in await connection.fetch(sql("known_ratings"), *reviews, *months):
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
            (*key, day - timedelta(days=rules[key[0]].sold_window_days))
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
    locked: Mapping[int, LockedShop],
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
    if recording.days:
        days = [(*key, *totals) for key, totals in sorted(recording.days.items())]
        await copy(connection, "staged_days", ["shop_key", "day", *FIELDS], days)
        await connection.execute(sql("add_days"))
    if recording.units:
        units = [(*key, units) for key, units in sorted(recording.units.items())]
        await copy(connection, "staged_units", UNITS_COLUMNS, units)
        await connection.execute(sql("add_units"))
    running = _running(recording, locked)
    if running:
        await copy(connection, "staged_totals", ["shop_key", "day", *FIELDS], running)
        await connection.execute(sql("add_totals"))


def _running(recording: Recording, locked: Mapping[int, LockedShop]) -> list[tuple[Any, ...]]:
    """What the running totals move by: windows that end on their day, without that day."""
    by_shop: defaultdict[int, dict[date, list[int]]] = defaultdict(dict)
    for (shop_key, day), totals in recording.days.items():
        if day < locked[shop_key].totals_day:
            by_shop[shop_key][day] = totals
    found = []
    for shop_key, days in sorted(by_shop.items()):
        shop = locked[shop_key]
        moved = window_totals(days, windows_before(shop.totals_day, shop.known.rules))
        if any(moved):
            found.append((shop_key, shop.totals_day, *moved))
    return found


async def copy(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Write rows by COPY."""
    await connection.copy_records_to_table(table, records=rows, columns=columns)


def columns_of(kind: type[Fact]) -> list[str]:
    """Columns that hold a kind of fact, in the order of its fields."""
    names = [field.name for field in msgspec.structs.fields(kind)]
    return [*names, "state"] if kind is Rating else names


UNITS_COLUMNS = ["shop_key", "listing_id", "day", "units"]
