"""The ledger with requests joined: one transaction for all that wait."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime
from time import monotonic
from typing import TypeAlias, TypeVar

from domain.errors import Unavailable
from domain.recording import Outcome, Submission
from infra.joining import Joiner
from infra.postgres.ledger import Ledger

SMALL_EVENTS_MAX = 50
"""Requests of more events go by lanes of their own, so that they keep no small one waiting."""

SMALL_EVENTS_AT_ONCE, BULK_EVENTS_AT_ONCE = 1_000, 5_000
EVENTS_WAITING = 100_000

Asked: TypeAlias = tuple[Submission, datetime]
Found = TypeVar("Found")


class JoinedLedger:
    """See `domain.ports.Ledger`; Unavailable where over `waiting_max` events wait in a lane.

    A small request never waits in a transaction for a shop that another writer holds, for that
    would keep those joined with it waiting too: it steps aside. Those that did go all together
    when the large transaction of this worker ends, and before its next one.
    """

    def __init__(self, ledger: Ledger, waiting_max: int = EVENTS_WAITING) -> None:
        def lane(
            work: Callable[[Sequence[Submission], datetime], Awaitable[Sequence[Found]]],
            events_at_once: int,
            turn: AbstractAsyncContextManager[None],
        ) -> Joiner[Asked, Found]:
            async def joined(asked: Sequence[Asked]) -> Sequence[Found]:
                # Of several clocks the earliest is the strictest on what has happened already.
                now = min(now for _, now in asked)
                return await work([submission for submission, _ in asked], now)

            return Joiner(
                joined,
                lanes=1,
                weight_max=events_at_once,
                waiting_max=waiting_max,
                patience_s=ledger.patience_s,
                turn=turn,
            )

        self._patience_s = ledger.patience_s
        turn = asyncio.Lock()
        self._small = lane(ledger.record_free, SMALL_EVENTS_AT_ONCE, nullcontext())
        self._patient = lane(ledger.record, SMALL_EVENTS_AT_ONCE, turn)
        self._bulk = lane(ledger.record, BULK_EVENTS_AT_ONCE, turn)

    async def record(self, submission: Submission, now: datetime) -> list[Outcome]:
        """Record one request, perhaps in one transaction with others; outcomes after commit."""
        asked, weight = (submission, now), len(submission.events)
        if weight > SMALL_EVENTS_MAX:
            return await self._bulk.ask(asked, weight)
        end = monotonic() + self._patience_s
        outcomes = await self._small.ask(asked, weight)
        if outcomes is not None:
            return outcomes
        try:
            async with asyncio.timeout(end - monotonic()):
                return await self._patient.ask(asked, weight)
        except TimeoutError:
            raise Unavailable("waited too long") from None
