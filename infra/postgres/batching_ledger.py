"""The ledger with requests joined: one transaction for all that wait."""

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
"""Requests of more events go by a lane of their own, so that they keep no small one waiting."""

PATIENT_LANES = 3
SMALL_EVENTS_AT_ONCE, BULK_EVENTS_AT_ONCE = 1_000, 5_000
EVENTS_WAITING = 100_000

_AT_ONCE: AbstractAsyncContextManager[None] = nullcontext()

Found = TypeVar("Found")


class BatchingLedger:
    """See `domain.ports.Ledger`; Unavailable where over `waiting_max` events wait in a lane.

    A small request never waits in a transaction for a shop that another writer holds, for that
    would keep those joined with it waiting too. What this worker's large transaction holds is
    waited for outside: those who want it go all together when it ends, before the next large one.
    Who finds a shop held by another worker steps aside to queues that wait in Postgres.
    """

    def __init__(self, ledger: Ledger, waiting_max: int = EVENTS_WAITING) -> None:
        def queues(
            work: Callable[[Sequence[PreparedBatch]], Awaitable[Sequence[Found]]],
            events_at_once: int,
            *,
            count: int = 1,
            turn: AbstractAsyncContextManager[None] = _AT_ONCE,
        ) -> RequestBatcher[PreparedBatch, Found]:
            return RequestBatcher(
                work,
                queues=count,
                weight_max=events_at_once,
                waiting_max=waiting_max,
                patience_s=ledger.patience_s,
                turn=turn,
            )

        self._ledger = ledger
        self._held: set[ShopName] = set()
        self._waiting_max = waiting_max
        self._large = 0
        self._drafting = asyncio.Lock()
        turn = asyncio.Lock()
        self._small = queues(ledger.record_free, SMALL_EVENTS_AT_ONCE)
        self._between = queues(ledger.record_free, SMALL_EVENTS_AT_ONCE, turn=turn)
        self._patient = queues(ledger.record, SMALL_EVENTS_AT_ONCE, count=PATIENT_LANES)
        self._bulk = queues(self._record_bulk, BULK_EVENTS_AT_ONCE, turn=turn)

    @property
    def queues(self) -> Mapping[str, RequestBatcher[PreparedBatch, Any]]:
        """Return the queues of requests by name, which count their batches."""
        return {
            "small": self._small,
            "between": self._between,
            "patient": self._patient,
            "bulk": self._bulk,
        }

    async def record(self, submission: Submission, now: datetime) -> list[Outcome]:
        """Record one request, perhaps in one transaction with others; outcomes after commit."""
        weight = len(submission.events)
        if weight > SMALL_EVENTS_MAX:
            return await self._record_large(submission, now)
        end = monotonic() + self._ledger.patience_s
        asked = await self._ledger.draft(submission, now)
        if not self._holds(asked):
            outcomes = await self._small.ask(asked, weight)
            if outcomes is not None:
                return outcomes
        try:
            async with asyncio.timeout(end - monotonic()):
                if self._holds(asked):
                    outcomes = await self._between.ask(asked, weight)
                    if outcomes is not None:
                        return outcomes
                return await self._patient.ask(asked, weight)
        except TimeoutError:
            raise Unavailable("waited too long") from None

    async def _record_large(self, submission: Submission, now: datetime) -> list[Outcome]:
        weight = len(submission.events)
        if self._large and self._large + weight > self._waiting_max:
            raise Unavailable("too much is waiting")
        self._large += weight
        try:
            async with asyncio.timeout(self._ledger.patience_s):
                # One after the other, so what is being recorded waits for a turn of one of them.
                async with self._drafting:
                    draft = await self._ledger.draft(submission, now)
                return await self._bulk.ask(draft, weight)
        except TimeoutError:
            raise Unavailable("waited too long") from None
        finally:
            self._large -= weight

    def _holds(self, asked: PreparedBatch) -> bool:
        """Whether the large transaction under way is about one of these shops."""
        return bool(self._held) and not self._held.isdisjoint(asked.named)

    async def _record_bulk(self, drafts: Sequence[PreparedBatch]) -> Sequence[list[Outcome]]:
        self._held = {name for draft in drafts for name in draft.named}
        try:
            return await self._ledger.record(drafts)
        finally:
            self._held = set()
