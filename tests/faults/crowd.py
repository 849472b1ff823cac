"""Clients under way: connections that send batches until they end, and what they then know."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

import httpx

from tests.faults.stream import Json, batch, encoded, post
from tests.harness.client import open_async_client
from tests.harness.processes import wait_until

TIMEOUT_S = 120
PAUSE_S = 0.03
FINISH_S = 45.0
SURPRISES_MAX = 20
_CLIENT = 0


@dataclass(frozen=True)
class Model:
    """What clients know: batches acknowledged, and batches of which nothing is known."""

    acknowledged: list[list[Json]]
    unknown: list[list[Json]]

    @property
    def events(self) -> int:
        """Events acknowledged."""
        return sum(len(events) for events in self.acknowledged)


class Crowd:
    """Connections in a thread of their own; their events lie before `start`."""

    def __init__(self, url: str, key: str, seed: int) -> None:
        self.start = datetime.now(UTC)
        self.seed = seed
        self.acknowledged = 0
        """Events acknowledged so far."""
        self.surprises: list[str] = []
        """Responses that should never be."""
        self.slowest_s = 0.0
        """The longest wait for a response."""
        self._url, self._key = url, key
        self._model = Model([], [])
        self._statuses: Counter[str] = Counter()
        self._serials = count(1)
        self._stop, self._cancel = threading.Event(), threading.Event()
        self._thread = ThreadPoolExecutor(1)
        self._sending: Future[None] | None = None

    def go(self, connections: int = 8, timeout_s: float = 60.0) -> None:
        """Start to send."""
        self._sending = self._thread.submit(asyncio.run, self._send_all(connections, timeout_s))

    def until_more(self, events: int, timeout_s: float = TIMEOUT_S) -> None:
        """Wait until so many more events are acknowledged."""
        before = self.acknowledged

        def have_come() -> bool:
            if self._sending is not None and self._sending.done():
                self._sending.result()
            return self.acknowledged >= before + events

        wait_until(have_come, timeout_s, f"{events} more events")

    def finish(self) -> Model:
        """Let connections finish what is under way, and return what is known then."""
        self._stop.set()
        if self._sending is not None:
            self._sending.result(TIMEOUT_S)
        return self._model

    def answers(self) -> dict[str, int]:
        """Return how often each status was answered."""
        return dict(sorted(self._statuses.items()))

    def end(self) -> None:
        """Leave nothing under way."""
        self._stop.set()
        self._cancel.set()
        self._thread.shutdown()

    async def _send_all(self, connections: int, timeout_s: float) -> None:
        sending = asyncio.gather(*(self._connection(timeout_s) for _ in range(connections)))
        while not sending.done():
            await asyncio.wait([sending], timeout=PAUSE_S)
            if self._cancel.is_set():
                sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending

    async def _connection(self, timeout_s: float) -> None:
        """Send batch after batch, each until it is acknowledged or given up."""
        async with open_async_client(self._url, self._key, timeout_s) as client:
            while not self._stop.is_set():
                serial = next(self._serials)
                events = batch(self.start, self.seed, _CLIENT, serial)
                # Some batches are never sent again: they must be stored whole or not at all.
                if await self._send(client, events, again=serial % 5 != 0):
                    self._model.acknowledged.append(events)
                    self.acknowledged += len(events)
                else:
                    self._model.unknown.append(events)

    async def _send(self, client: httpx.AsyncClient, events: list[Json], *, again: bool) -> bool:
        body = encoded(events)
        give_up = None
        while give_up is None or time.monotonic() < give_up:
            if await self._try(client, body, len(events)):
                return True
            if not again:
                break
            if self._stop.is_set() and give_up is None:
                give_up = time.monotonic() + FINISH_S
            await asyncio.sleep(PAUSE_S)
        return False

    async def _try(self, client: httpx.AsyncClient, body: bytes, events: int) -> bool:
        started = time.monotonic()
        try:
            answer = await post(client, body)
        except httpx.TransportError as error:
            self._statuses[f"none: {type(error).__name__}"] += 1
            return False
        finally:
            self.slowest_s = max(self.slowest_s, time.monotonic() - started)
        self._statuses[str(answer.status_code)] += 1
        if answer.status_code == 503:
            if "retry-after" not in answer.headers:
                self._note("503 without Retry-After")
            return False
        if answer.status_code != 200:
            self._note(f"{answer.status_code} {answer.text[:300]}")
            return False
        outcome = answer.json()
        if outcome["stored"] + outcome["duplicates"] != events or outcome["rejected"]:
            self._note(answer.text[:300])
        return True

    def _note(self, surprise: str) -> None:
        if len(self.surprises) < SURPRISES_MAX:
            self.surprises.append(surprise)


@contextmanager
def crowd(url: str, key: str, seed: int) -> Iterator[Crowd]:
    """Make clients for the block, not yet started."""
    clients = Crowd(url, key, seed)
    try:
        yield clients
    finally:
        clients.end()
