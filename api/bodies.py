"""Bodies on their way in: media types, inflation, limits and deadlines."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from email.message import Message
from functools import lru_cache
from time import monotonic
from typing import Any

from api.context import Call
from api.problems import Problem


class EmptyBody(Problem):
    """There is no body."""

    def __init__(self) -> None:
        super().__init__("bad_request", "The body is empty")


_GZIP = 16 + zlib.MAX_WBITS


def media_type(call: Call, accepted: tuple[str, ...]) -> str:
    """The media type of the body, without its parameters.

    Raises Problem `unsupported_media_type` for one not accepted, or in another charset or
    encoding.
    """
    found, charset = _parsed(call.header(b"content-type"))
    if found in accepted and charset in ("utf-8", "utf8"):
        _encoding(call)
        return found
    raise Problem(
        "unsupported_media_type",
        f"Expected one of {', '.join(accepted)} in UTF-8",
        headers={"Accept-Post": ", ".join(accepted)},
    )


@lru_cache(256)
def _parsed(content_type: str) -> tuple[str, str]:
    if "," in content_type:
        # It was said twice.
        return "", ""
    header = Message()
    header["content-type"] = content_type
    return header.get_content_type(), str(header.get_param("charset", "utf-8")).lower()


async def read_optional(call: Call, accepted: tuple[str, ...], bytes_max: int) -> bytes:
    """The whole inflated body, empty where there is none; its media type counts if it is given.

    Raises as `media_type` and `read` do.
    """
    if call.header(b"content-type"):
        media_type(call, accepted)
    try:
        body = await read(call, bytes_max)
    except EmptyBody:
        return b""
    media_type(call, accepted)
    return body


class Sender:
    """Who sends a body: its parts as they come, and how long to wait for the next one.

    Waiting uses up a timeout, which what comes in restores at its slowest rate.
    """

    def __init__(self, call: Call) -> None:
        limits = call.context.limits
        self.inflates = _encoding(call) == "gzip"
        self.is_done = False
        self._receive = call.receive
        self._patience = call.context.patience
        self._length = call.header(b"content-length")
        self._received = 0
        self._bytes_per_s = limits.body_bytes_per_s
        self._timeout_s = self._patience_s = limits.body_timeout_ms / 1000

    async def part(self) -> bytes:
        """The next part as it was sent, which may be empty.

        Raises Problem `bad_request` where it comes too late or never will.
        """
        asked_at = monotonic()
        try:
            message = await self._patience.wait(self._receive(), self._patience_s)
        except TimeoutError:
            raise Problem("bad_request", "The body did not arrive in time") from None
        if message["type"] == "http.disconnect":
            raise Problem("bad_request", "The body was cut short")
        raw: bytes = message.get("body", b"")
        self._received += len(raw)
        # The server tells of the end by itself later, which need not be waited for.
        self.is_done = not message.get("more_body", False) or str(self._received) == self._length
        left_s = self._patience_s - (monotonic() - asked_at) + len(raw) / self._bytes_per_s
        self._patience_s = min(left_s, self._timeout_s)
        return raw


async def read(call: Call, bytes_max: int) -> bytes:
    """The whole inflated body.

    Raises Problem: `content_too_large` over the limit, `bad_request` for a broken or empty one,
    `unavailable` where there is no room for it among those that are coming in.
    """
    sender = Sender(call)
    first = await sender.part()
    if first and sender.is_done and not sender.inflates:
        # As nearly always: it is here in one piece.
        if len(first) > bytes_max:
            raise _too_large(bytes_max)
        return first
    with call.context.room.share() as share:
        parts = share.holding(chunks(sender, bytes_max, first))
        return b"".join([part async for part in parts])


async def chunks(sender: Sender, bytes_max: int, raw: bytes | None = None) -> AsyncIterator[bytes]:
    """The inflated body as it comes in, each part bounded; `raw` is what has come already.

    Raises as `read` does; what was yielded before a fault stays good.
    """
    inflate = _Gunzip() if sender.inflates else _as_it_is
    received = inflated = 0
    while True:
        if raw is None:
            raw = await sender.part()
        received += len(raw)
        if received > bytes_max:
            raise _too_large(bytes_max)
        for number, part in enumerate(inflate(raw) if raw else ()):
            if number:
                # A little can inflate to a lot; others get their turn in between.
                await asyncio.sleep(0)
            inflated += len(part)
            if inflated > bytes_max:
                raise _too_large(bytes_max)
            yield part
        if sender.is_done:
            break
        raw = None
    for part in inflate(b""):
        yield part
    if not inflated:
        raise EmptyBody


def _too_large(bytes_max: int) -> Problem:
    return Problem("content_too_large", f"Expected at most {bytes_max} bytes, inflated")


def _as_it_is(raw: bytes) -> list[bytes]:
    return [raw] if raw else []


def _encoding(call: Call) -> str:
    encoding = call.header(b"content-encoding").strip().lower()
    if encoding in ("", "gzip"):
        return encoding
    raise Problem(
        "unsupported_media_type",
        "Expected no content encoding, or gzip",
        headers={"Accept-Encoding": "gzip"},
    )


class _Gunzip:
    """Inflates gzip members in bounded parts; an empty input says that the body has ended."""

    part_bytes = 64 * 1024

    def __init__(self) -> None:
        self._member: Any = None

    def __call__(self, raw: bytes) -> Any:
        if not raw:
            if self._member is not None and not self._member.eof:
                raise Problem("bad_request", "The gzip body is cut short")
            return
        while raw:
            if self._member is None or self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            try:
                part = self._member.decompress(raw, self.part_bytes)
            except zlib.error:
                raise Problem("bad_request", "The body is not valid gzip") from None
            raw = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if part:
                yield part
