"""The ledger in batches: one transaction for all requests that wait."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from time import monotonic
from typing import Any, TypeVar

from domain.errors import Unavailable
from domain.recording import Outcome, Submission
from infra.postgres.ledger import Ledger, PreparedBatch
from infra.postgres.shop_cache import ShopName
from infra.request_batcher import RequestBatcher

SMALL_EVENTS_MAX = 50
"""Requests of more events have a queue of their own, so that no small request waits for them."""

BLOCKING_QUEUES = 3
SMALL_EVENTS_AT_ONCE, BULK_EVENTS_AT_ONCE = 1_000, 5_000
EVENTS_WAITING = 100_000

_NO_LOCK: AbstractAsyncContextManager[None] = nullcontext()

Outcomes = TypeVar("Outcomes")


class BatchingLedger:
    """See `domain.ports.Ledger`; Unavailable where over `waiting_max` events wait in a queue.

    A batch of small requests never waits in its transaction for a locked shop, since all of its
    requests would wait. Requests for shops that a large transaction of this worker has locked are
    recorded in one batch when it ends, before the next large transaction. Requests for shops that
    another worker has locked move to the queues that wait for locks in Postgres.
    """

    def __init__(self, ledger: Ledger, waiting_max: int = EVENTS_WAITING) -> None:
        def queues(
            work: Callable[[Sequence[PreparedBatch]], Awaitable[Sequence[Outcomes]]],
            events_at_once: int,
            *,
            count: int = 1,
            lock: AbstractAsyncContextManager[None] = _NO_LOCK,
        ) -> RequestBatcher[PreparedBatch, Outcomes]:
            return RequestBatcher(
                work,
                queues=count,
                weight_max=events_at_once,
                waiting_max=waiting_max,
                timeout_s=ledger.timeout_s,
                lock=lock,
            )

        self._ledger = ledger
        self._locked: set[ShopName] = set()
        self._waiting_max = waiting_max
        self._large = 0
        self._preparing = asyncio.Lock()
        lock = asyncio.Lock()
        self._small = queues(ledger.record_free, SMALL_EVENTS_AT_ONCE)
        self._after_bulk = queues(ledger.record_free, SMALL_EVENTS_AT_ONCE, lock=lock)
        self._blocking = queues(ledger.record, SMALL_EVENTS_AT_ONCE, count=BLOCKING_QUEUES)
        self._bulk = queues(self._record_bulk, BULK_EVENTS_AT_ONCE, lock=lock)

    @property
    def queues(self) -> Mapping[str, RequestBatcher[PreparedBatch, Any]]:
        """Return the queues, which count their batches, by name."""
        return {
            "small": self._small,
            "after_bulk": self._after_bulk,
            "blocking": self._blocking,
            "bulk": self._bulk,
        }

    async def record(self, submission: Submission, now: datetime) -> list[Outcome]:
        """Record a request, batched with others; return its outcomes after the commit."""
        weight = len(submission.events)
        if weight > SMALL_EVENTS_MAX:
            return await self._record_large(submission, now)
        end = monotonic() + self._ledger.timeout_s
        batch = await self._ledger.prepare(submission, now)
        if not self._is_locked(batch):
            outcomes = await self._small.submit(batch, weight)
            if outcomes is not None:
                return outcomes
        try:
            async with asyncio.timeout(end - monotonic()):
                if self._is_locked(batch):
                    outcomes = await self._after_bulk.submit(batch, weight)
                    if outcomes is not None:
                        return outcomes
                return await self._blocking.submit(batch, weight)
        except TimeoutError:
            raise Unavailable("waited too long") from None

    async def _record_large(self, submission: Submission, now: datetime) -> list[Outcome]:
        weight = len(submission.events)
        if self._large and self._large + weight > self._waiting_max:
            raise Unavailable("too much is waiting")
        self._large += weight
        try:
            async with asyncio.timeout(self._ledger.timeout_s):
                # One at a time, so that a running transaction waits for one of them only.
                async with self._preparing:
                    batch = await self._ledger.prepare(submission, now)
                return await self._bulk.submit(batch, weight)
        except TimeoutError:
            raise Unavailable("waited too long") from None
        finally:
            self._large -= weight

    def _is_locked(self, batch: PreparedBatch) -> bool:
        """Return whether the large transaction that runs has locked a shop of the batch."""
        return bool(self._locked) and not self._locked.isdisjoint(batch.named)

    async def _record_bulk(self, batches: Sequence[PreparedBatch]) -> Sequence[list[Outcome]]:
        self._locked = {name for batch in batches for name in batch.named}
        try:
            return await self._ledger.record(batches)
        finally:
            self._locked = set()
