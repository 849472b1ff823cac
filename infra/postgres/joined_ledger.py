"""The ledger with requests joined: one transaction for all that wait."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import TypeAlias, TypeVar

from domain.errors import Unavailable
from domain.recording import Outcome, Submission
from infra.joining import Joiner
from infra.postgres.ledger import Ledger

SMALL_EVENTS_MAX = 50
"""Requests of more events go by lanes of their own, so that they keep no small one waiting."""

SMALL_LANES, PATIENT_LANES, BULK_LANES = 1, 3, 1
SMALL_EVENTS_AT_ONCE, BULK_EVENTS_AT_ONCE = 1_000, 5_000
EVENTS_WAITING = 100_000

Asked: TypeAlias = tuple[Submission, datetime]
Found = TypeVar("Found")


class JoinedLedger:
    """See `domain.ports.Ledger`; Unavailable where over `waiting_max` events wait in a lane.

    A small request never waits in a transaction for a shop that another writer holds, for that
    would keep those joined with it waiting too: it steps aside to a lane that waits, where it
    meets its like alone and is in the row before the next large one.
    """

    def __init__(self, ledger: Ledger, waiting_max: int = EVENTS_WAITING) -> None:
        def lanes(
            work: Callable[[Sequence[Submission], datetime], Awaitable[Sequence[Found]]],
            count: int,
            events_at_once: int,
        ) -> Joiner[Asked, Found]:
            async def joined(asked: Sequence[Asked]) -> Sequence[Found]:
                # Of several clocks the earliest is the strictest on what has happened already.
                now = min(now for _, now in asked)
                return await work([submission for submission, _ in asked], now)

            return Joiner(
                joined,
                lanes=count,
                weight_max=events_at_once,
                waiting_max=waiting_max,
                patience_s=ledger.patience_s,
            )

        self._patience_s = ledger.patience_s
        self._small = lanes(ledger.record_free, SMALL_LANES, SMALL_EVENTS_AT_ONCE)
        self._patient = lanes(ledger.record, PATIENT_LANES, SMALL_EVENTS_AT_ONCE)
        self._bulk = lanes(ledger.record, BULK_LANES, BULK_EVENTS_AT_ONCE)

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
