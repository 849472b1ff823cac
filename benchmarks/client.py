"""Requests over kept-alive connections; every answer is checked and timed."""

import asyncio
import re
from collections.abc import Iterable
from time import perf_counter
from typing import NamedTuple, cast

import uvloop

_TIMEOUT_S = 3_600
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Failed(Exception):
    """A process, a load or a count is otherwise than it must be: no figure of it is valid."""


class Request(NamedTuple):
    """One request in bytes, made before the clock starts."""

    raw: bytes
    expected: bytes
    """What the answer, besides a status of 2xx, must hold."""
    units: int
    stored: int
    """Units that are new to the receiver."""


class Timing(NamedTuple):
    """The duration of a load, and its latencies in rising order."""

    units: int
    seconds: float
    latencies_s: list[float]

    def latency_ms(self, share: float) -> float:
        """Return a quantile of the latencies."""
        return self.latencies_s[int(share * (len(self.latencies_s) - 1))] * 1000


def request(
    line: str, key: str = "", body: bytes = b"", expected: bytes = b"", units: int = 1
) -> Request:
    """Build a request from its method and path."""
    head = f"{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return Request(f"{head}\r\n".encode() + body, expected, units, 0)


def send(port: int, requests: Iterable[Request], connections: int = 1) -> Timing:
    """Send all requests, each connection the next one when it is answered."""
    return uvloop.run(_send(port, requests, connections))


def send_paced(
    port: int, paced: Iterable[Request], per_s: float, beside: Iterable[Request] = ()
) -> tuple[Timing, Timing]:
    """Send requests at a steady pace, and others at the same time.

    The paced requests use 16 connections; the others use 8, until the paced ones are answered.

    A latency counts from the moment the request was due, whether or not a connection was free.
    """
    is_over = asyncio.Event()

    async def send_all() -> Timing:
        timing = await _send(port, paced, 16, per_s)
        is_over.set()
        return timing

    async def run() -> tuple[Timing, Timing]:
        until_over = (item for item in beside if not is_over.is_set())
        return await asyncio.gather(send_all(), _send(port, until_over, 8))

    return uvloop.run(run())


async def _send(
    port: int, requests: Iterable[Request], connections: int, per_s: float = 0.0
) -> Timing:
    connect = asyncio.get_running_loop().create_connection
    opened = [(await connect(_Connection, "127.0.0.1", port))[1] for _ in range(connections)]
    numbered = enumerate(requests)
    latencies: list[float] = []
    units = 0
    begun = perf_counter()

    async def work(connection: _Connection) -> None:
        nonlocal units
        for number, item in numbered:
            since = perf_counter()
            if per_s:
                early_s = begun + number / per_s - since
                await asyncio.sleep(max(0.0, early_s))
                # Timers fire up to a millisecond late, which is no fault of the server.
                since = perf_counter() if early_s > 0 else since + early_s
            answer = await connection.ask(item.raw)
            latencies.append(perf_counter() - since)
            units += item.units
            # The status of HTTP/1.1 stands at the tenth byte.
            if answer[9:10] != b"2" or item.expected not in answer:
                raise Failed(f"{item.raw[:60]!r}: {answer[:1000]!r} is not {item.expected!r}")

    try:
        async with asyncio.timeout(_TIMEOUT_S), asyncio.TaskGroup() as group:
            for connection in opened:
                group.create_task(work(connection))
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    finally:
        for connection in opened:
            connection.transport.abort()
    return Timing(units, perf_counter() - begun, sorted(latencies))


class _Connection(asyncio.Protocol):
    """A connection with at most one request under way."""

    transport: asyncio.Transport
    answer: asyncio.Future[bytes]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # That of uvloop is of no class of asyncio.
        self.transport = cast("asyncio.Transport", transport)
        self.buffer = bytearray()
        self.loop = asyncio.get_running_loop()

    def ask(self, raw: bytes) -> "asyncio.Future[bytes]":
        self.answer = self.loop.create_future()
        self.transport.write(raw)
        return self.answer

    def data_received(self, data: bytes) -> None:
        buffer = self.buffer
        buffer += data
        head_end = buffer.find(b"\r\n\r\n")
        length = _LENGTH.search(buffer, 0, max(head_end, 0))
        if head_end > 0 and len(buffer) >= head_end + 4 + (int(length[1]) if length else 0):
            self.answer.set_result(bytes(buffer))
            buffer.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        if hasattr(self, "answer") and not self.answer.done():
            self.answer.set_exception(exc or ConnectionError("closed by the server"))
