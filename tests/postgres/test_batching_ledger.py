"""Batches of requests: a locked shop delays only its own requests, up to one deadline."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import asyncpg
import pytest

from domain.errors import Unavailable
from domain.facts.aggregate import AffectedKeys
from domain.facts.ratings import PostedReview, ReviewPosted, Scores
from domain.recording import Outcome, Submission
from domain.shops import Shop
from infra.postgres.batching_ledger import BULK_EVENTS_AT_ONCE, SMALL_EVENTS_MAX, BatchingLedger
from infra.postgres.database import Connection, PoolLimits, open_database
from infra.postgres.ledger import Ledger, PreparedBatch, named_shops
from infra.postgres.statements import sql
from tests.postgres.conftest import Storage, new_storage, published
from tests.reference.worlds import NOW

TIMEOUT_S = 0.4


class Scripted(Ledger):
    """A ledger whose tries to lock shops take `tries_s`, and whose waits take `waits_s`."""

    def __init__(self, *, held: bool, tries_s: float = 0.0, waits_s: float = 0.0) -> None:
        self.timeout_s = TIMEOUT_S
        self.tried: list[int] = []
        self.waited = 0
        self._held, self._tries_s, self._waits_s = held, tries_s, waits_s

    async def prepare(self, submission: Submission, now: datetime) -> PreparedBatch:
        return prepared(submission, now)

    async def record_free(self, batches: Sequence[PreparedBatch]) -> list[list[Outcome] | None]:
        self.tried.append(len(batches))
        await asyncio.sleep(self._tries_s)
        return [None if self._held else ["stored"] for _ in batches]

    async def record(self, batches: Sequence[PreparedBatch]) -> list[list[Outcome]]:
        self.waited += 1
        await asyncio.sleep(self._waits_s)
        return [["stored"] for _ in batches]


async def test_only_a_request_whose_shop_is_held_waits() -> None:
    for held, waited in ((False, 0), (True, 1)):
        ledger = Scripted(held=held)
        assert await BatchingLedger(ledger).record(listings("s"), NOW) == ["stored"]
        assert (ledger.tried, ledger.waited) == ([1], waited)


class Holding(Ledger):
    """A ledger whose large transactions lock all shops until `end` is set."""

    def __init__(self) -> None:
        self.timeout_s = 5.0
        self.steps: list[str] = []
        self.end = asyncio.Event()

    async def prepare(self, submission: Submission, now: datetime) -> PreparedBatch:
        return prepared(submission, now)

    async def record_free(self, batches: Sequence[PreparedBatch]) -> list[list[Outcome] | None]:
        self.steps.append(f"{len(batches)} free")
        return [["stored"] for _ in batches]

    async def record(self, batches: Sequence[PreparedBatch]) -> list[list[Outcome]]:
        self.steps.append("large")
        await self.end.wait()
        return [["stored"] for _ in batches]


async def test_requests_for_shops_of_a_large_transaction_precede_the_next_large_one() -> None:
    ledger = Holding()
    batching = BatchingLedger(ledger)
    large = [listings("s", SMALL_EVENTS_MAX + 1), listings("t", BULK_EVENTS_AT_ONCE)]
    requests = [asyncio.create_task(batching.record(request, NOW)) for request in large]
    await asyncio.sleep(0.01)
    requests += [asyncio.create_task(batching.record(listings("s"), NOW)) for _ in range(3)]
    assert await batching.record(listings("other"), NOW) == ["stored"]
    ledger.end.set()
    await asyncio.gather(*requests)
    assert ledger.steps == ["large", "1 free", "3 free", "large"]


async def test_large_requests_over_the_bound_are_refused_even_before_preparation() -> None:
    ledger = Holding()
    events = SMALL_EVENTS_MAX + 1
    batching = BatchingLedger(ledger, waiting_max=3 * events)
    large = [listings(name, events) for name in "stuv"]
    requests = [asyncio.create_task(batching.record(request, NOW)) for request in large]
    with pytest.raises(Unavailable):
        await requests.pop()
    ledger.end.set()
    await asyncio.gather(*requests)
    assert set(await batching.record(large[0], NOW)) == {"stored"}


async def test_a_shop_held_by_another_worker_keeps_no_large_request_waiting(
    storage: Storage,
) -> None:
    tenant_id = await two_shops(storage)
    ledger = BatchingLedger(storage.ledger)
    async with held(storage.url, "a") as holder:
        first = asyncio.create_task(ledger.record(listings("a", tenant_id=tenant_id), NOW))
        await lock_waited_for(holder)
        async with asyncio.timeout(5):
            large = listings("b", SMALL_EVENTS_MAX + 1, tenant_id)
            assert set(await ledger.record(large, NOW)) == {"stored"}
        assert not first.done()
    assert await first == ["stored"]


@pytest.mark.parametrize(
    ("tries_s", "events"),
    [(0.0, 1), (0.6 * TIMEOUT_S, 1), (10 * TIMEOUT_S, 1), (0.0, SMALL_EVENTS_MAX + 1)],
    ids=["in the queue that waits", "in both", "in a try that takes long", "of many events"],
)
async def test_nobody_waits_for_a_held_shop_longer_than_one_deadline(
    tries_s: float, events: int
) -> None:
    ledger = BatchingLedger(Scripted(held=True, tries_s=tries_s, waits_s=10 * TIMEOUT_S))
    start = time.monotonic()
    with pytest.raises(Unavailable):
        await ledger.record(listings("s", events), NOW)
    assert TIMEOUT_S * 0.9 < time.monotonic() - start < TIMEOUT_S * 2


async def test_a_shop_that_is_held_keeps_only_its_own_requests_waiting(storage: Storage) -> None:
    tenant_id = await two_shops(storage)
    ledger = BatchingLedger(storage.ledger)
    async with held(storage.url, "a"):
        first = asyncio.create_task(ledger.record(listings("a", tenant_id=tenant_id), NOW))
        async with asyncio.timeout(5):
            other = ledger.record(listings("b", tenant_id=tenant_id), NOW)
            assert await other == ["stored"]
        assert not first.done()
    assert await first == ["stored"]
    assert await storage.facts() == 2


async def test_a_request_that_waited_for_a_shop_follows_its_present_rules(storage: Storage) -> None:
    tenant_id = await two_shops(storage)
    async with held(storage.url, "a") as holder:
        waiting = asyncio.create_task(storage.record_together(rated_long_ago("a", tenant_id)))
        await lock_waited_for(holder)
        shop = ("taobao", "baby", "CNY", "Asia/Shanghai", "individual", None, "pinduoduo", 1)
        await holder.execute(sql("update_shop"), tenant_id, "a", *shop)
    assert await waiting == [["stored"]]
    assert await storage.differences() == []


async def test_a_shop_that_is_held_too_long_makes_its_request_unavailable_and_leaves_nothing(
    database_url: str,
) -> None:
    limits = PoolLimits(connections_max=4, acquire_timeout_ms=100, lock_timeout_ms=200)
    async with open_database(database_url, limits) as database:
        storage = await new_storage(database, database_url)
        tenant_id = await two_shops(storage)
        ledger = BatchingLedger(storage.ledger)
        async with held(database_url, "a"):
            start = time.monotonic()
            with pytest.raises(Unavailable):
                await ledger.record(listings("a", tenant_id=tenant_id), NOW)
            assert time.monotonic() - start < database.work_timeout_s
            assert await storage.facts() == 0
        again = ledger.record(listings("a", tenant_id=tenant_id), NOW)
        assert await again == ["stored"]
        assert await storage.differences() == []


def prepared(submission: Submission, now: datetime) -> PreparedBatch:
    """Return a prepared request whose shops are not known."""
    return PreparedBatch(submission, now, named_shops(submission), {}, [], AffectedKeys())


def listings(shop_id: str, events: int = 1, tenant_id: int = 1) -> Submission:
    """Return a request with as many listings."""
    numbered = [published(f"l-{number}", shop_id) for number in range(events)]
    return Submission(tenant_id, None, numbered)


def rated_long_ago(shop_id: str, tenant_id: int) -> Submission:
    """Return a rating within the window of `taobao` and before that of `pinduoduo`."""
    event = ReviewPosted(
        specversion="1.0",
        id="1",
        source="/tests",
        time=NOW - timedelta(days=120),
        subject=shop_id,
        data=PostedReview("r", Scores(5, 5, 5), "o", "b"),
    )
    return Submission(tenant_id, None, [event])


async def lock_waited_for(holder: Connection) -> None:
    """Wait until a session waits for a lock in Postgres."""
    async with asyncio.timeout(5):
        while not await holder.fetchval("select count(*) from pg_locks where not granted"):
            await asyncio.sleep(0.01)


async def two_shops(storage: Storage) -> int:
    """Create the shops `a` and `b`, and return their tenant."""
    shops = [
        Shop(name, "taobao", "baby", "CNY", "Asia/Shanghai", "individual", None, "taobao")
        for name in ("a", "b")
    ]
    outcomes = await storage.shops.put(storage.act, shops)
    assert outcomes == ["created", "created"]
    return storage.tenant_id


@asynccontextmanager
async def held(url: str, shop_id: str) -> AsyncIterator[Connection]:
    """Lock the shop by another session for the block."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            locked_id = await connection.fetchval(
                "select shop_id from shop_totals join shops using (shop_key)"
                " where shop_id = $1 for update of shop_totals",
                shop_id,
            )
            assert locked_id == shop_id
            yield connection
    finally:
        await connection.close()
