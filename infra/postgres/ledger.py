"""The ledger on Postgres: a batch of events, one transaction."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

import asyncpg
import msgspec

from domain.facts import KIND_OF, KINDS, ratings
from domain.facts.aggregate import AffectedKeys, Recording, Stored, merge
from domain.facts.fact import Fact, FactKind, Key
from domain.facts.ratings import Moderation, Rating
from domain.recording import Outcome, Refused, Submission, admitted, affected_keys, decide
from domain.totals import RatingState
from domain.windows import window_totals, windows_before
from infra.postgres.database import Connection, Database
from infra.postgres.shop_cache import LockedShop, ShopCache, ShopDefinition, ShopName
from infra.postgres.statements import columns, composites, known, sql

T = TypeVar("T")

_ITEMS_A_TURN = 200


class PreparedBatch(NamedTuple):
    """What a request asks to record, by what is known of its shops before they are locked."""

    submission: Submission
    at: datetime
    named: frozenset[ShopName]
    """Shops that it is about, as far as its key reaches."""
    shops: dict[ShopName, ShopDefinition]
    """Those of them that exist."""
    items: list[Fact | Refused]
    affected: AffectedKeys


class Ledger:
    """Records batches of requests, each batch in one transaction."""

    def __init__(self, database: Database, book: ShopCache) -> None:
        self._database = database
        self._book = book
        self.patience_s = database.patience_s

    async def draft(self, submission: Submission, now: datetime) -> PreparedBatch:
        """All about a request that can be done while others are recorded."""
        named = named_shops(submission)
        return await _drafted(submission, now, named, await self._book.find(named))

    async def record(self, drafts: Sequence[PreparedBatch]) -> list[list[Outcome]]:
        """Record several requests in one transaction; outcomes in order, after commit.

        Waits for other writers of their shops.
        """
        found = _found(drafts)

        async def work(connection: Connection, *, thorough: bool) -> list[list[Outcome]]:
            locked = await self._book.lock(connection, found)
            return await _record(connection, drafts, locked, thorough=thorough)

        return await self._run(work)

    async def record_free(self, drafts: Sequence[PreparedBatch]) -> list[list[Outcome] | None]:
        """Record likewise, but wait for nobody: None for a request of shops that are held now."""
        found = _found(drafts)

        async def work(connection: Connection, *, thorough: bool) -> list[list[Outcome] | None]:
            locked = await self._book.lock_free(connection, found)
            free = [draft for draft in drafts if draft.shops.keys() <= locked.keys()]
            outcomes = iter(await _record(connection, free, locked, thorough=thorough))
            return [
                next(outcomes) if draft.shops.keys() <= locked.keys() else None for draft in drafts
            ]

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


def named_shops(submission: Submission) -> frozenset[ShopName]:
    """Tenants and ids of the shops that a request is about, as far as its key reaches."""
    return frozenset((submission.tenant_id, shop_id) for shop_id in submission.subjects())


def _found(drafts: Iterable[PreparedBatch]) -> dict[ShopName, ShopDefinition]:
    found: dict[ShopName, ShopDefinition] = {}
    for draft in drafts:
        found |= draft.shops
    return found


async def _drafted(
    submission: Submission,
    now: datetime,
    named: frozenset[ShopName],
    shops: dict[ShopName, ShopDefinition],
) -> PreparedBatch:
    known = {name: definition.known for name, definition in shops.items()}
    items = await _all(admitted(submission, known, now))
    facts = (item for item in items if not isinstance(item, Refused))
    return PreparedBatch(submission, now, named, shops, items, affected_keys(facts))


async def _current(draft: PreparedBatch, locked: Mapping[ShopName, LockedShop]) -> PreparedBatch:
    """The draft by the definitions of the locked shops, as they are now."""
    if all(
        name in locked and locked[name].definition is shop for name, shop in draft.shops.items()
    ):
        return draft
    shops = {name: locked[name].definition for name in draft.shops if name in locked}
    return await _drafted(draft.submission, draft.at, draft.named, shops)


async def _record(
    connection: Connection,
    drafts: Sequence[PreparedBatch],
    locked: Mapping[ShopName, LockedShop],
    *,
    thorough: bool,
) -> list[list[Outcome]]:
    drafts = [await _current(draft, locked) for draft in drafts]
    shops = {shop.definition.known.shop_key: shop for shop in locked.values()}
    definitions = {key: shop.definition.known for key, shop in shops.items()}
    affected = merge(draft.affected for draft in drafts)
    stored = await _read(connection, affected, shops, thorough=thorough)
    outcomes, recording = decide(
        [(draft.items, draft.submission.strict) for draft in drafts], stored, definitions
    )
    await _write(connection, recording, stored, shops)
    return outcomes


async def _read(
    connection: Connection,
    affected: AffectedKeys,
    shops: Mapping[int, LockedShop],
    *,
    thorough: bool,
) -> Stored:
    stored = Stored({}, {}, defaultdict(list))

    async def read(kind: FactKind, key: tuple[str, ...], keys: set[Key]) -> None:
        for row in await connection.fetch(sql(known(kind, key)), *zip(*keys, strict=True)):
            fact = kind.fact(*row)
            stored.facts[kind.identify(fact)] = fact

    if affected.facts.keys() & {Rating, Moderation}:
        await _read_reviews(connection, affected, stored, thorough=thorough)
    for kind in KINDS:
        if kind in ratings.AGGREGATE.kinds:
            continue
        for key, of_kind in (
            (kind.identity, affected.facts),
            (kind.aggregate, affected.aggregates),
        ):
            if keys := of_kind.get(kind.fact):
                await read(kind, key, keys)
    if affected.listings:
        since = [
            (*key, day - timedelta(days=shops[key[0]].definition.known.rules.sold_window_days))
            for key, day in affected.listings.items()
        ]
        for shop_key, listing_id, day in await connection.fetch(
            sql("known_sale_days"), *columns(since, 3)
        ):
            stored.sale_days[shop_key, listing_id].append(day)
    return stored


async def _read_reviews(
    connection: Connection, affected: AffectedKeys, stored: Stored, *, thorough: bool
) -> None:
    rated, moderated = (affected.facts.get(fact, set()) for fact in (Rating, Moderation))
    reviews = moderated | rated
    # In the order of their indexes, most of which is in no cache of the processor.
    arguments = (
        *columns(reviews if thorough else moderated, 2),
        *columns(sorted(affected.buyer_months), 3),
        *columns(sorted(reviews), 2),
    )
    for state, shop_key, review_id, *fields in await connection.fetch(
        sql("known_reviews"), *arguments
    ):
        fact: Rating | Moderation
        if state is None:
            fact = Moderation(shop_key, review_id, fields[2], *fields[-3:])
        else:
            fact = Rating(shop_key, review_id, *fields[:-3])
            stored.states[shop_key, review_id] = RatingState(state)
        stored.facts[KIND_OF[type(fact)].identify(fact)] = fact


async def _write(
    connection: Connection,
    recording: Recording,
    stored: Stored,
    shops: Mapping[int, LockedShop],
) -> None:
    rows: defaultdict[type[Fact], list[tuple[Any, ...]]] = defaultdict(list)
    for fact in recording.facts:
        row = msgspec.structs.astuple(fact)
        if isinstance(fact, Rating):
            row += (recording.states[fact.shop_key, fact.review_id],)
        rows[type(fact)].append(row)
    for kind in KINDS:
        if kind.fact in rows:
            await connection.copy_records_to_table(
                kind.table,
                columns=[*kind.columns, *kind.beside],
                records=sorted(rows[kind.fact], key=itemgetter(0, 1)),
            )

    moved = [(*key, state) for key, state in recording.states.items() if key in stored.states]
    if moved:
        await connection.execute(sql("update_states"), *columns(sorted(moved), 3))
    if recording.units:
        units = [(*key, units) for key, units in recording.units.items()]
        await connection.execute(sql("add_units"), *columns(sorted(units), 4))
    if recording.counts:
        counts = [(*key, n) for key, n in recording.counts.items()]
        await connection.execute(sql("add_counters"), *columns(sorted(counts), 4))
    if recording.days:
        await connection.execute(sql("add_totals"), *map(composites, _added(recording, shops)))


def _added(
    recording: Recording, shops: Mapping[int, LockedShop]
) -> tuple[list[tuple[Any, ...]], ...]:
    """What is added to days, to running totals, and to the days of these, by shop."""
    days: list[tuple[Any, ...]] = []
    running: list[tuple[Any, ...]] = []
    own: list[tuple[Any, ...]] = []
    before: defaultdict[int, dict[date, list[int]]] = defaultdict(dict)
    for key, totals in sorted(recording.days.items(), key=itemgetter(0)):
        shop_key, day = key
        totals_day = shops[shop_key].totals_day
        (own if day == totals_day else days).append((*key, *totals))
        if day < totals_day:
            before[shop_key][day] = totals
    for shop_key, totals_of in before.items():
        definition, totals_day = shops[shop_key]
        moved = window_totals(totals_of, windows_before(totals_day, definition.known.rules))
        if any(moved):
            running.append((shop_key, totals_day, *moved))
    return days, running, own


async def _all(items: Iterator[T]) -> list[T]:
    """The items, with a turn for whatever else waits after every so many."""
    found: list[T] = []
    while len(some := list(islice(items, _ITEMS_A_TURN))) == _ITEMS_A_TURN:
        found += some
        await asyncio.sleep(0)
    return found + some
