"""The ledger with requests joined: one transaction for all that wait."""

from collections.abc import Sequence
from datetime import datetime

from domain.recording import Outcome, Submission
from infra.joining import Joiner
from infra.postgres.ledger import Ledger

SMALL_EVENTS_MAX = 50
"""Requests of more events go by lanes of their own, so that they keep no small one waiting."""

SMALL_LANES, BULK_LANES = 1, 2
SMALL_EVENTS_AT_ONCE, BULK_EVENTS_AT_ONCE = 1_000, 5_000
EVENTS_WAITING = 100_000


class JoinedLedger:
    """See `domain.ports.Ledger`; Unavailable where over `waiting_max` events wait in a lane."""

    def __init__(self, ledger: Ledger, waiting_max: int = EVENTS_WAITING) -> None:
        self._ledger = ledger
        self._small = self._lanes(SMALL_LANES, SMALL_EVENTS_AT_ONCE, waiting_max)
        self._bulk = self._lanes(BULK_LANES, BULK_EVENTS_AT_ONCE, waiting_max)

    async def record(self, submission: Submission, now: datetime) -> list[Outcome]:
        """Record one request, perhaps in one transaction with others; outcomes after commit."""
        lanes = self._small if len(submission.events) <= SMALL_EVENTS_MAX else self._bulk
        return await lanes.ask((submission, now), len(submission.events))

    def _lanes(
        self, lanes: int, events_at_once: int, events_waiting: int
    ) -> Joiner[tuple[Submission, datetime], list[Outcome]]:
        return Joiner(
            self._record,
            lanes=lanes,
            weight_max=events_at_once,
            waiting_max=events_waiting,
            patience_s=self._ledger.patience_s,
        )

    async def _record(self, asked: Sequence[tuple[Submission, datetime]]) -> list[list[Outcome]]:
        # Of several clocks the earliest is the strictest bound on what has happened already.
        now = min(now for _, now in asked)
        return await self._ledger.record([submission for submission, _ in asked], now)
