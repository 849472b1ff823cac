"""The ledger on Postgres: a batch of events, one transaction."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from itertools import zip_longest
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias, TypeVar

import asyncpg

from domain.facts import KINDS, affected_keys, identity_of
from domain.facts.aggregate import AffectedKeys, Stored, merge
from domain.facts.fact import Fact, FactKind, Identity, Version
from domain.facts.listings import ListingEvent
from domain.facts.ratings import Moderation, Rating
from domain.recording import (
    Outcome,
    Recording,
    Refused,
    Submission,
    admit_events,
    decide,
    keep_erased,
    replaced_facts,
)
from domain.totals import RatingState
from domain.windows import window_totals, windows_before
from infra.postgres.database import Connection, Database
from infra.postgres.fact_statements import delete_facts, known_facts
from infra.postgres.shop_cache import LockedShop, ShopCache, ShopDefinition, ShopName
from infra.postgres.statements import columns, composites, sql
from infra.turns import each, in_turns, parts

T = TypeVar("T")

SaleDaysByShop: TypeAlias = dict[int, defaultdict[str, dict[date, int]]]

_ROWS_AT_ONCE = 5_000
"""Days of listings that one statement reads or changes."""


class PreparedBatch(NamedTuple):
    """A request to record, by the definitions of its shops that are known before the lock."""

    submission: Submission
    at: datetime
    named: frozenset[ShopName]
    """Shops of its events that are open to its key."""
    shops: dict[ShopName, ShopDefinition]
    """The shops of `named` that exist."""
    items: Sequence[Version | Refused]
    affected: AffectedKeys


class Ledger:
    """Records batches of requests, each batch in one transaction."""

    def __init__(self, database: Database, shop_cache: ShopCache) -> None:
        self._database = database
        self._shop_cache = shop_cache
        self.timeout_s = database.work_timeout_s

    async def prepare(self, submission: Submission, now: datetime) -> PreparedBatch:
        """Prepare a request as far as possible while other requests are recorded."""
        named = named_shops(submission)
        return await _prepare(submission, now, named, await self._shop_cache.find(named))

    async def record(self, batches: Sequence[PreparedBatch]) -> list[list[Outcome]]:
        """Record requests in one transaction and return their outcomes after the commit.

        Waits for other writers of the shops.
        """
        shops = _shops_of(batches)

        async def work(connection: Connection, *, thorough: bool) -> list[list[Outcome]]:
            locked = await self._shop_cache.lock(connection, shops)
            return await _record(connection, batches, locked, thorough=thorough)

        return await self._run(work)

    async def record_free(self, batches: Sequence[PreparedBatch]) -> list[list[Outcome] | None]:
        """Record without waiting; return None for a request whose shops are locked now."""
        shops = _shops_of(batches)

        async def work(connection: Connection, *, thorough: bool) -> list[list[Outcome] | None]:
            locked = await self._shop_cache.lock_free(connection, shops)
            free = [batch for batch in batches if batch.shops.keys() <= locked.keys()]
            outcomes = iter(await _record(connection, free, locked, thorough=thorough))
            return [
                next(outcomes) if batch.shops.keys() <= locked.keys() else None for batch in batches
            ]

        return await self._run(work)

    async def _run(self, work: Callable[..., Awaitable[T]]) -> T:
        """Run work that reads a rating by id only if its buyer's month has any.

        A review sent again with another buyer or month, which is a conflict, violates the primary
        key; only then is every review read by its id.
        """
        try:
            return await self._database.run(partial(work, thorough=False))
        except asyncpg.UniqueViolationError:
            return await self._database.run(partial(work, thorough=True))


def named_shops(submission: Submission) -> frozenset[ShopName]:
    """Return the names of the shops of a request that are open to its key."""
    return frozenset((submission.tenant_id, shop_id) for shop_id in submission.subjects())


def _shops_of(batches: Iterable[PreparedBatch]) -> dict[ShopName, ShopDefinition]:
    return {name: definition for batch in batches for name, definition in batch.shops.items()}


async def _prepare(
    submission: Submission,
    now: datetime,
    named: frozenset[ShopName],
    shops: dict[ShopName, ShopDefinition],
) -> PreparedBatch:
    known = {name: definition.known for name, definition in shops.items()}
    items = await in_turns(admit_events(submission, known, now))
    affected = await in_turns(affected_keys(_versions(items)))
    return PreparedBatch(submission, now, named, shops, items, affected)


async def _current(batch: PreparedBatch, locked: Mapping[ShopName, LockedShop]) -> PreparedBatch:
    """Prepare the batch again if the definition of a locked shop has changed."""
    if all(
        name in locked and locked[name].definition is shop for name, shop in batch.shops.items()
    ):
        return batch
    shops = {name: locked[name].definition for name in batch.shops if name in locked}
    return await _prepare(batch.submission, batch.at, batch.named, shops)


async def _record(
    connection: Connection,
    batches: Sequence[PreparedBatch],
    locked: Mapping[ShopName, LockedShop],
    *,
    thorough: bool,
) -> list[list[Outcome]]:
    batches = [await _current(batch, locked) for batch in batches]
    shops = {shop.definition.known.shop_key: shop for shop in locked.values()}
    known = {key: shop.definition.known for key, shop in shops.items()}
    stored = await _read(connection, batches, shops, thorough=thorough)
    while (left := [await _keep_erased(batch, stored) for batch in batches]) != batches:
        # The ids in place of the buyers' affect other months, of which nothing is read yet.
        batches = left
        stored = await _read(connection, batches, shops, thorough=thorough)
    submissions = [(batch.items, batch.submission.strict) for batch in batches]
    recording = await in_turns(decide(submissions, stored, known))
    await _write(connection, recording, stored, shops)
    return recording.outcomes


async def _keep_erased(batch: PreparedBatch, stored: Stored) -> PreparedBatch:
    """Return the batch without what was erased; the same batch if nothing was."""
    items = keep_erased(batch.items, stored)
    if items is batch.items:
        return batch
    affected = await in_turns(affected_keys(_versions(items)))
    return batch._replace(items=items, affected=affected)


def _versions(items: Iterable[Version | Refused]) -> Iterator[Version]:
    return (item for item in items if not isinstance(item, Refused))


async def _read(
    connection: Connection,
    batches: Sequence[PreparedBatch],
    shops: Mapping[int, LockedShop],
    *,
    thorough: bool,
) -> Stored:
    """Return what the versions of these batches affect, and what the facts they replace do."""
    sale_days: SaleDaysByShop = {shop_key: defaultdict(dict) for shop_key in shops}
    stored = Stored({}, {}, sale_days)

    async def read(affected: AffectedKeys) -> None:
        await _read_facts(connection, affected, stored)
        await _read_listings(connection, affected, sale_days, stored, shops)

    affected = merge(batch.affected for batch in batches)
    if affected.rated or affected.named:
        await _read_reviews(connection, affected, shops, stored, thorough=thorough)
    await read(affected)
    items = (item for batch in batches for item in batch.items)
    if replaced := replaced_facts(items, stored):
        # Replaced ratings are named, so that their months are read already.
        await read(await in_turns(affected_keys(replaced)))
    return stored


async def _read_facts(connection: Connection, affected: AffectedKeys, stored: Stored) -> None:
    for fact, keys in affected.facts.items():
        kind = KINDS[fact]
        rows = await connection.fetch(sql(known_facts(kind)), *columns(keys, len(kind.identity)))
        async for part in parts(map(kind.version, rows)):
            stored.facts.update((identity_of(version), version) for version in part)


async def _read_listings(
    connection: Connection,
    affected: AffectedKeys,
    sale_days: SaleDaysByShop,
    stored: Stored,
    shops: Mapping[int, LockedShop],
) -> None:
    """Read what decides on which days the affected listings were on sale, and sold."""
    windows = {
        shop_key: shop.definition.known.rules.sold_window_days for shop_key, shop in shops.items()
    }
    sold = [(*key, windows[key[0]]) for key in sorted(affected.sale_days)]
    listed = [(*key, windows[key[0]]) for key in sorted(affected.listing_events)]
    if not sold and not listed:
        return
    for some_sold, some_listed in zip_longest(_pieces(sold), _pieces(listed), fillvalue=()):
        rows = await connection.fetch(
            sql("known_sale_days"), *columns(some_sold, 4), *columns(some_listed, 4)
        )
        async for part in parts(rows):
            for shop_key, listing_id, day, units in part:
                sale_days[shop_key][listing_id][day] = units
    events = [(*key, 1, key[2] + timedelta(days=windows[key[0]])) for key in affected.sale_days]
    # The number before may be the only ones of the day, and leave it.
    events += [(*key, count + 1, key[2]) for key, count in affected.listing_events.items()]
    version_of = KINDS[ListingEvent].version
    for some in _pieces(sorted(events)):
        rows = await connection.fetch(sql("known_listing_events"), *columns(some, 5))
        async for events_of_part in parts(map(version_of, rows)):
            stored.facts.update((identity_of(version), version) for version in events_of_part)


def _pieces(rows: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Yield sorted rows of listings in pieces; those of one listing stay together."""
    start = 0
    while start < len(rows):
        end = start + _ROWS_AT_ONCE
        while end < len(rows) and rows[end][:2] == rows[end - 1][:2]:
            end += 1
        yield rows[start:end]
        start = end


async def _read_reviews(
    connection: Connection,
    affected: AffectedKeys,
    shops: Mapping[int, LockedShop],
    stored: Stored,
    *,
    thorough: bool,
) -> None:
    uncapped = [
        shop_key
        for shop_key, shop in shops.items()
        if shop.definition.known.rules.ratings_per_buyer_month is None
    ]
    reviews = {(shop_key, review_id) for shop_key, _, _, review_id in affected.rated}
    named = affected.named | {key for key in reviews if thorough or key[0] in uncapped}
    # Sorted as the indexes are, most of whose pages are in no cache of the processor.
    rated = sorted(key for key in affected.rated if key[0] not in uncapped)
    moderated = sorted(reviews | affected.named)
    rows = await connection.fetch(
        sql("known_reviews"),
        *columns(named, 2),
        *columns(rated, 4),
        *columns(moderated, 2),
        uncapped,
        [affected.moderated[key] + 1 for key in moderated],
        *columns(sorted(affected.moderations), 4),
    )
    async for part in parts(rows):
        for row in part:
            kind = KINDS[Rating if row["removes"] is None else Moderation]
            version = kind.version([row[column] for column in kind.columns])
            if isinstance(version, Rating):
                stored.states[version.shop_key, version.review_id] = RatingState(row["state"])
                if row["counted"]:
                    stored.unread[version.buyer_month] = row["counted"]
            stored.facts[identity_of(version)] = version
    async for states in parts(stored.states.items() if stored.unread else ()):
        for key, state in states:
            rating = stored.facts[Rating, *key]
            if isinstance(rating, Rating) and rating.buyer_month in stored.unread:
                stored.unread[rating.buyer_month] -= state is RatingState.COUNTED


async def _write(
    connection: Connection,
    recording: Recording,
    stored: Stored,
    shops: Mapping[int, LockedShop],
) -> None:
    await _write_facts(connection, recording, stored)
    moved = [
        (*key, state)
        for key, state in recording.states.items()
        if key in stored.states and (Rating, *key) not in recording.changes
    ]
    if moved:
        await connection.execute(sql("update_states"), *columns(sorted(moved), 3))
    units = [
        (shop_key, *key, n)
        for shop_key, sums in recording.moved.items()
        async for part in parts(sums.units.items())
        for key, n in part
        if n
    ]
    for some in _pieces(sorted(units)):
        await connection.execute(sql("add_units"), *columns(some, 4))
        if any(n < 0 for *_, n in some):
            await connection.execute(sql("delete_unsold"), *columns(some, 4)[:3])
    counts = [
        (shop_key, *key, n)
        for shop_key, sums in recording.moved.items()
        for key, n in sums.counts.items()
        if n
    ]
    if counts:
        await connection.execute(sql("add_counters"), *columns(sorted(counts), 4))
    added = _added(recording, shops)
    if any(added):
        await connection.execute(sql("add_totals"), *map(composites, added))


async def _write_facts(connection: Connection, recording: Recording, stored: Stored) -> None:
    rows: defaultdict[type[Fact], list[tuple[Any, ...]]] = defaultdict(list)
    replaced: defaultdict[type[Fact], list[Identity]] = defaultdict(list)
    async for part in parts(recording.changes.items()):
        for identity, version in part:
            fact = identity[0]
            if identity in stored.facts:
                replaced[fact].append(identity[1:])
            row = KINDS[fact].row(version)
            if fact is Rating:
                row += (recording.states.get((identity[1], identity[2])),)
            rows[fact].append(row)
    for kind in KINDS.values():
        if old := replaced.get(kind.fact):
            await connection.execute(sql(delete_facts(kind)), *columns(sorted(old), len(old[0])))
        if new := rows.get(kind.fact):
            await connection.copy_records_to_table(
                kind.table, columns=columns_of(kind), records=each(sorted(new, key=kind.key_of_row))
            )


def _added(
    recording: Recording, shops: Mapping[int, LockedShop]
) -> tuple[list[tuple[Any, ...]], ...]:
    """Return the rows to add to daily totals, running totals and running days."""
    days: list[tuple[Any, ...]] = []
    running: list[tuple[Any, ...]] = []
    own: list[tuple[Any, ...]] = []
    for shop_key, sums in sorted(recording.moved.items(), key=itemgetter(0)):
        definition, totals_day = shops[shop_key]
        before: dict[date, list[int]] = {}
        for day, totals in sorted(sums.days.items(), key=itemgetter(0)):
            (own if day == totals_day else days).append((shop_key, day, *totals))
            if day < totals_day:
                before[day] = totals
        moved = window_totals(before, windows_before(totals_day, definition.known.rules))
        if any(moved):
            running.append((shop_key, totals_day, *moved))
    return days, running, own


def columns_of(kind: FactKind) -> tuple[str, ...]:
    """Return the columns that hold a kind of fact, and the state of ratings."""
    return (*kind.columns, "state") if kind.fact is Rating else kind.columns
