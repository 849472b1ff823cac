"""Requests over kept-alive connections; every response is checked and timed."""

import asyncio
import re
from collections.abc import Iterable
from time import perf_counter
from typing import NamedTuple

import uvloop

_TIMEOUT_S = 3_600
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Failed(Exception):
    """A process, a load or a count is otherwise than it must be: no figure of it is valid."""


class Request(NamedTuple):
    """One request in bytes, made before the clock starts."""

    raw: bytes
    expected: bytes = b""
    """The text that a good response contains; its status is 2xx too."""
    units: int = 1


class Timing(NamedTuple):
    """The duration of a load, and its latencies in rising order."""

    units: int
    seconds: float
    latencies_s: list[float]

    def latency_ms(self, share: float) -> float:
        """Return a quantile of the latencies."""
        return self.latencies_s[int(share * (len(self.latencies_s) - 1))] * 1000


def raw_request(line: str, key: str = "", body: bytes = b"") -> bytes:
    """Build a request from its method and path."""
    head = f"{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n".encode() + body


def send(
    port: int, requests: Iterable[Request], connections: int = 1, per_s: float = 0.0
) -> Timing:
    """Send all requests, each connection the next one when it is answered.

    With a pace a latency counts from when a request was due, whether or not a connection was free.
    """
    return uvloop.run(_send(port, requests, connections, per_s))


async def _send(port: int, requests: Iterable[Request], connections: int, per_s: float) -> Timing:
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
    numbered = enumerate(requests)
    latencies: list[float] = []
    units = 0
    begun = perf_counter()

    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal units
        for number, item in numbered:
            since = perf_counter()
            if per_s:
                early_s = begun + number / per_s - since
                await asyncio.sleep(max(0.0, early_s))
                # Timers fire up to a millisecond late, which is no fault of the server.
                since = perf_counter() if early_s > 0 else since + early_s
            writer.write(item.raw)
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            body = await reader.readexactly(int(length[1])) if length else b""
            latencies.append(perf_counter() - since)
            # The status of HTTP/1.1 stands at the tenth byte.
            if head[9:10] != b"2" or item.expected not in body:
                raise Failed(f"{item.raw[:60]!r}: {head + body[:1000]!r}, not {item.expected!r}")
            units += item.units

    try:
        async with asyncio.timeout(_TIMEOUT_S), asyncio.TaskGroup() as group:
            for streams in opened:
                group.create_task(work(*streams))
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    finally:
        for _, writer in opened:
            writer.transport.abort()
    return Timing(units, perf_counter() - begun, sorted(latencies))
