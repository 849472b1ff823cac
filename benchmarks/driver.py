"""Requests over raw sockets: connections kept alive, answers read to their end, times noted."""

import asyncio
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from time import perf_counter
from typing import cast

import msgspec

from benchmarks.drawing import Drawing, EventTexts, RatingTexts
from benchmarks.load import Load

_EVENTS_PATH = "/v1/events"
_RATINGS_PATH = "/ratings"
_PRIMER = 500

PATIENCE_S = 30.0
"""How much longer than it should a load may last until each connection has one answer."""


class Answer(msgspec.Struct):
    """What is looked at in an answer to a write."""

    stored: int = 0


_answer = msgspec.json.Decoder(Answer)


class Prepared(msgspec.Struct):
    """Requests in bytes, made before the clock starts."""

    primer: list[bytes]
    """Sent and answered first."""
    requests: Iterator[bytes]


def prepare(load: Load) -> Prepared:
    """Everything a load may send."""
    if load.recipe == "send":
        made = [request(load, method, path) for method, path in load.requests]
        return Prepared([], islice(cycle(made), load.requests_max))
    drawing = Drawing(load.prefix, len(load.subjects))
    supply = iter(drawing)
    form = EventTexts if load.recipe == "events" else RatingTexts
    text = form(drawing, load.subjects)
    path = _EVENTS_PATH if load.recipe == "events" else _RATINGS_PATH
    sent_before = [text(drawn) for drawn in islice(supply, _PRIMER)] if load.duplicates else []
    random = drawing.random.random
    requests = []
    for _ in range(requests_bound(load)):
        texts = [
            sent_before[int(random() * _PRIMER)]
            if load.duplicates and random() < load.duplicates
            else text(drawn)
            for drawn in islice(supply, load.batch)
        ]
        requests.append(request(load, "POST", path, _body(load, texts)))
    primer = [request(load, "POST", path, _body(load, sent_before))] if sent_before else []
    return Prepared(primer, iter(requests))


def requests_bound(load: Load) -> int:
    """How many requests are prepared."""
    seconds = load.warm_s + load.run_s
    return min(load.requests_max, max(1, int(load.units_per_s_max * seconds / load.batch)))


def request(load: Load, method: str, path: str, body: bytes = b"") -> bytes:
    """One request in bytes."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{load.port}\r\n"
    if load.key:
        head += f"Authorization: Bearer {load.key}\r\n"
    if body or method != "GET":
        head += f"Content-Length: {len(body)}\r\n"
    if body:
        head += "Content-Type: application/json\r\n"
    return f"{head}\r\n".encode() + body


def _body(load: Load, texts: Sequence[str]) -> bytes:
    """A request of one event is that event, else an array."""
    text = texts[0] if load.batch == 1 and len(texts) == 1 else f"[{','.join(texts)}]"
    return text.encode()


class Tally:
    """What has been sent, answered and measured."""

    def __init__(self, load: Load, requests: Iterator[bytes]) -> None:
        self._load = load
        self._requests = requests
        self.latencies = array("d")
        self.units = self.requests_all = self.units_all = self.stored = self.failed = 0
        self.response_bytes = 0
        self.first_failure = ""
        self.measured_from = self.measured_to = 0.0
        self.stopped = False

    def start(self, now: float) -> None:
        """Start the clock."""
        self.measured_from = now + self._load.warm_s
        self.measured_to = self.measured_from + self._load.run_s

    def next(self, now: float) -> bytes | None:
        """What to send next, until the load is over."""
        if self.stopped:
            return None
        raw = None if self._is_over(now) else next(self._requests, None)
        if raw is None:
            self.stopped = True
            self.measured_to = now
        return raw

    def _is_over(self, now: float) -> bool:
        """Whether the time is up; slow answers get more of it, one for each connection."""
        if now < self.measured_to:
            return False
        enough = len(self.latencies) >= self._load.connections
        return enough or now > self.measured_to + PATIENCE_S

    def answered(self, sent_at: float, now: float, status: int, body: bytes) -> None:
        """Note an answer."""
        load = self._load
        self.requests_all += 1
        self.units_all += load.batch
        self.response_bytes += len(body)
        if not 200 <= status < 300:
            self.failed += 1
            self.first_failure = self.first_failure or f"{status} {body[:300]!r}"
        elif load.recipe != "send":
            self.stored += _answer.decode(body).stored
        if self.measured_from <= now and not self.stopped:
            self.units += load.batch
            self.latencies.append(now - sent_at)


class _Connection(asyncio.Protocol):
    """One kept-alive connection with at most one request on its way."""

    def __init__(self, drive: "Drive") -> None:
        self._drive = drive
        self._buffer = bytearray()
        self._sent_at = 0.0
        self._is_asking = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # That of uvloop is of no class of asyncio.
        self.transport = cast("asyncio.Transport", transport)

    def send(self, raw: bytes, since: float) -> None:
        self._sent_at = since
        self._is_asking = True
        self.transport.write(raw)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        head_end = buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = bytes(buffer[:head_end]).lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 : (head.find(b"\r", at) + 1 or head_end + 1) - 1])
        if len(buffer) < head_end + 4 + length:
            return
        body = bytes(buffer[head_end + 4 : head_end + 4 + length])
        buffer.clear()
        self._is_asking = False
        self._drive.answered(self, self._sent_at, int(head[9:12]), body)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_asking:
            self._drive.lost(exc)


class Drive:
    """Runs one load to its end."""

    def __init__(self, load: Load, prepared: Prepared) -> None:
        self._load = load
        self._prepared = prepared
        self._loop = loop = asyncio.get_running_loop()
        self._idle: list[_Connection] = []
        self._waiting: deque[tuple[bytes, float]] = deque()
        self._busy = 0
        self._done: asyncio.Future[None] = loop.create_future()
        self._primed = loop.create_future()
        self._primer = len(prepared.primer)
        self._primer_stored = 0
        self.tally = Tally(load, prepared.requests)

    async def run(self) -> Tally:
        """Send everything and wait for every answer."""
        connections = []
        for _ in range(self._load.connections):
            _, connection = await self._loop.create_connection(
                lambda: _Connection(self), "127.0.0.1", self._load.port
            )
            connections.append(connection)
        for raw in self._prepared.primer:
            connections[0].send(raw, 0.0)
            await self._primed
        self.tally.start(perf_counter())
        self._idle = list(connections)
        if self._load.arrivals_per_s is None:
            for connection in connections:
                self._idle.remove(connection)
                self._next(connection)
        else:
            self._arrive(perf_counter(), 1 / self._load.arrivals_per_s)
        await self._done
        for connection in connections:
            connection.transport.abort()
        self.tally.stored += self._primer_stored
        return self.tally

    def answered(self, connection: _Connection, sent_at: float, status: int, body: bytes) -> None:
        """One answer is there: go on with its connection."""
        if self._primer:
            self._primer -= 1
            self._primer_stored += _answer.decode(body).stored
            self._primed.set_result(None)
            return
        self._busy -= 1
        self.tally.answered(sent_at, perf_counter(), status, body)
        if self._waiting:
            self._busy += 1
            connection.send(*self._waiting.popleft())
        elif self._load.arrivals_per_s is None:
            self._next(connection)
        else:
            self._idle.append(connection)
            self._end_if_over()

    def lost(self, error: Exception | None) -> None:
        """A connection ended that has not been answered."""
        if not self._done.done():
            self._done.set_exception(error or ConnectionError("closed by the server"))

    def _next(self, connection: _Connection) -> None:
        now = perf_counter()
        raw = self.tally.next(now)
        if raw is None:
            self._end_if_over()
            return
        self._busy += 1
        connection.send(raw, now)

    def _arrive(self, due: float, interval: float) -> None:
        # Timers fire up to a millisecond late, which is no fault of the server.
        now = perf_counter()
        raw = self.tally.next(now)
        if raw is None:
            self._end_if_over()
            return
        if self._idle:
            self._busy += 1
            self._idle.pop().send(raw, now)
        else:
            self._waiting.append((raw, now))
        due += interval
        self._loop.call_later(max(0.0, due - now), self._arrive, due, interval)

    def _end_if_over(self) -> None:
        over = self.tally.stopped and not self._busy and not self._waiting
        if over and not self._done.done():
            self._done.set_result(None)
