"""A caller that speaks HTTP/1.1 itself, so that it knows what was sent and what came back."""

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import Any

BATCH = "application/cloudevents-batch+json"


class NoAnswer(Exception):
    """The connection could not be made, was cut, or stayed silent."""


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


def request(key: str, method: str, path: str, body: bytes = b"", media_type: str = BATCH) -> bytes:
    """The bytes of a request."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: service",
        f"Authorization: Bearer {key}",
        *([f"Content-Type: {media_type}"] if body else []),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Caller:
    """One connection at a time, made anew when it was lost."""

    def __init__(self, host: str, port: int, key: str, deadline_s: float = 60.0) -> None:
        self._address = host, port
        self._key = key
        self._deadline_s = deadline_s
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, path: str, body: bytes = b"", media_type: str = BATCH
    ) -> Answer:
        """The answer; raises NoAnswer, after which nothing is known."""
        try:
            async with asyncio.timeout(self._deadline_s):
                reader, writer = await self.connect()
                writer.write(request(self._key, method, path, body, media_type))
                await writer.drain()
                answer = await read_answer(reader)
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            self.hang_up()
            raise NoAnswer(type(error).__name__) from None
        if answer.headers.get("connection", "").lower() == "close":
            self.hang_up()
        return answer

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The connection there is, or a new one."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
        return self._streams

    def hang_up(self) -> None:
        """Drop the connection."""
        if self._streams is not None:
            with contextlib.suppress(OSError):
                self._streams[1].transport.abort()
            self._streams = None


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """One answer; EOFError where the connection ends in it."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {}
    for line in filter(None, lines):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Answer(int(first.split()[1]), headers, body)
