"""Bodies on their way in: media types, inflation, limits and deadlines.

Litestar bounds a body by its length as sent; here the inflated length counts, all bodies that are
coming in share a budget of memory, and each must come at a least rate.
"""

import asyncio
import re
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator
from email.message import Message
from functools import lru_cache
from time import monotonic
from typing import Any

from litestar.types import Receive

from api.memory_budget import Reservation
from api.operations import JSON
from api.ports import Limits
from api.problems import Problem

PART_BYTES = 64 * 1024

_ANY_JSON = re.compile(r"application/[^/]+\+json")
_GZIP = 16 + zlib.MAX_WBITS


class EmptyBody(Problem):
    """There is no body."""

    def __init__(self) -> None:
        super().__init__("bad_request", "The body is empty")


def media_type(content_type: str, accepted: Iterable[str], *, is_data: bool = False) -> str:
    """Return the media type of a `Content-Type`, without its parameters.

    The data of a CloudEvent in binary mode is JSON under any name for it, or without a name.

    Raises Problem `unsupported_media_type` for one not accepted, or in another charset.
    """
    name, charset = _parsed(content_type)
    if is_data and name not in accepted and (not content_type or _ANY_JSON.fullmatch(name)):
        name = JSON
    if name in accepted and charset in ("utf-8", "utf8"):
        return name
    raise Problem(
        "unsupported_media_type",
        f"Expected one of {', '.join(accepted)} in UTF-8",
        headers={"Accept-Post": ", ".join(accepted)},
    )


@lru_cache(256)
def _parsed(content_type: str) -> tuple[str, str]:
    if "," in content_type:
        # It was sent twice.
        return "", ""
    header = Message()
    header["content-type"] = content_type
    try:
        charset = header.get_param("charset", "utf-8")
    except ValueError:
        # The number of a continued parameter has more digits than an integer may have.
        return "", ""
    return header.get_content_type(), str(charset).lower()


def is_gzip(content_encoding: str) -> bool:
    """Tell whether a body is compressed; raises Problem for another encoding than gzip."""
    encoding = content_encoding.strip().lower()
    if encoding in ("", "gzip"):
        return bool(encoding)
    raise Problem(
        "unsupported_media_type",
        "Expected no content encoding, or gzip",
        headers={"Accept-Encoding": "gzip"},
    )


class BodyReader:
    """Reads a body part by part, with a deadline for the next one.

    Waiting uses up a timeout, which what comes in restores at its slowest rate.
    """

    def __init__(
        self, receive: Receive, limits: Limits, *, is_gzip: bool, content_length: str
    ) -> None:
        self.is_gzip = is_gzip
        self.is_done = False
        self._receive = receive
        self._length = content_length
        self._received = 0
        self._bytes_per_s = limits.body_bytes_per_s
        self._timeout_s = self._left_s = limits.body_timeout_ms / 1000

    async def part(self) -> bytes:
        """Return the next part as it was sent, which may be empty.

        Raises Problem `bad_request` where it comes too late or never will.
        """
        waiting_since = monotonic()
        try:
            async with asyncio.timeout(self._left_s):
                message: Any = await self._receive()
        except TimeoutError:
            raise Problem("bad_request", "The body did not arrive in time") from None
        if message["type"] == "http.disconnect":
            raise Problem("bad_request", "The body was cut short")
        raw: bytes = message.get("body", b"")
        self._received += len(raw)
        # The server tells of the end by itself later, which need not be waited for.
        self.is_done = not message.get("more_body", False) or str(self._received) == self._length
        left_s = self._left_s - (monotonic() - waiting_since) + len(raw) / self._bytes_per_s
        self._left_s = min(left_s, self._timeout_s)
        return raw


async def read(reader: BodyReader, reservation: Reservation, bytes_max: int) -> bytes | bytearray:
    """Read the whole inflated body; a long one is reserved until the reservation ends.

    Raises Problem: `content_too_large` over the limit, `bad_request` for a broken or empty one,
    `unavailable` where the budget has no bytes left for it.
    """
    first = await reader.part()
    if first and reader.is_done and not reader.is_gzip:
        # As nearly always: it is here in one piece.
        if len(first) > bytes_max:
            raise too_large(bytes_max)
        return first
    body = bytearray()
    async for part in reservation.reserving(chunks(reader, bytes_max, first)):
        body += part
    return body


async def chunks(
    reader: BodyReader, bytes_max: int, first: bytes | None = None
) -> AsyncIterator[bytes]:
    """Yield the inflated body as it comes in, each part bounded; `first` is here already.

    Raises as `read` does; what was yielded before a fault stays good.
    """
    inflate = _Gunzip() if reader.is_gzip else _plain
    received = inflated = 0
    raw = await reader.part() if first is None else first
    while True:
        received += len(raw)
        if received > bytes_max:
            raise too_large(bytes_max)
        for number, part in enumerate(inflate(raw) if raw else ()):
            if number:
                # A few bytes can inflate to many; let other requests run in between.
                await asyncio.sleep(0)
            inflated += len(part)
            if inflated > bytes_max:
                raise too_large(bytes_max)
            yield part
        if reader.is_done:
            break
        raw = await reader.part()
    for part in inflate(b""):
        yield part
    if not inflated:
        raise EmptyBody


def too_large(bytes_max: int) -> Problem:
    """Return the problem of a body over its limit."""
    return Problem("content_too_large", f"Expected at most {bytes_max} bytes, inflated")


def _plain(raw: bytes) -> list[bytes]:
    return [raw] if raw else []


class _Gunzip:
    """Inflates gzip members in bounded parts; an empty input tells that the body has ended."""

    def __init__(self) -> None:
        self._member: Any = None

    def __call__(self, raw: bytes) -> Iterator[bytes]:
        if not raw:
            if self._member is not None and not self._member.eof:
                raise Problem("bad_request", "The gzip body is cut short")
            return
        while raw:
            if self._member is None or self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            try:
                part = self._member.decompress(raw, PART_BYTES)
            except zlib.error:
                raise Problem("bad_request", "The body is not valid gzip") from None
            raw = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if part:
                yield part
