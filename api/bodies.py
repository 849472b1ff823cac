"""Bodies on their way in: media types, inflation, limits and deadlines."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from email.message import Message
from time import monotonic
from typing import Any

from litestar import Request
from litestar.exceptions import InternalServerException

from api.context import context
from api.problems import Problem


class EmptyBody(Problem):
    """There is no body."""

    def __init__(self) -> None:
        super().__init__("bad_request", "The body is empty")


_GZIP = 16 + zlib.MAX_WBITS


def media_type(request: Request[Any, Any, Any], accepted: tuple[str, ...]) -> str:
    """The media type of the body, without its parameters.

    Raises Problem `unsupported_media_type` for one not accepted, or in another charset or
    encoding.
    """
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    found = header.get_content_type()
    charset = header.get_param("charset", "utf-8")
    if found in accepted and str(charset).lower() in ("utf-8", "utf8"):
        _encoding(request)
        return found
    raise Problem(
        "unsupported_media_type",
        f"Expected one of {', '.join(accepted)} in UTF-8",
        headers={"Accept-Post": ", ".join(accepted)},
    )


async def read_optional(
    request: Request[Any, Any, Any], accepted: tuple[str, ...], bytes_max: int
) -> bytes:
    """The whole inflated body, empty where there is none; its media type counts if it is given.

    Raises as `media_type` and `read` do.
    """
    if "content-type" in request.headers:
        media_type(request, accepted)
    try:
        body = await read(request, bytes_max)
    except EmptyBody:
        return b""
    media_type(request, accepted)
    return body


async def read(request: Request[Any, Any, Any], bytes_max: int) -> bytes:
    """The whole inflated body.

    Raises Problem: `content_too_large` over the limit, `bad_request` for a broken or empty one,
    `unavailable` where there is no room for it among those that are coming in.
    """
    with context(request).room.share() as share:
        return b"".join([part async for part in share.holding(chunks(request, bytes_max))])


async def chunks(  # noqa: C901 - one bound after the other
    request: Request[Any, Any, Any], bytes_max: int
) -> AsyncIterator[bytes]:
    """The inflated body as it comes in, each part bounded, and the time to wait for it too.

    Waiting for the sender uses up a timeout, which what comes in restores at its slowest rate.
    Raises as `read` does; what was yielded before a fault stays good.
    """
    limits = context(request).limits
    timeout_s = patience_s = limits.body_timeout_ms / 1000
    inflate = _inflater(request)
    received = inflated = 0
    stream = request.stream()
    while True:
        asked_at = monotonic()
        try:
            async with asyncio.timeout(patience_s):
                raw = await anext(stream, None)
        except TimeoutError:
            raise Problem("bad_request", "The body did not arrive in time") from None
        except InternalServerException:
            # So Litestar tells that the sender is gone.
            raise Problem("bad_request", "The body was cut short") from None
        if raw is None:
            break
        gained_s = len(raw) / limits.body_bytes_per_s
        patience_s = min(patience_s - (monotonic() - asked_at) + gained_s, timeout_s)
        received += len(raw)
        if received > bytes_max:
            raise _too_large(bytes_max)
        for number, part in enumerate(inflate(raw)):
            if number:
                # A little can inflate to a lot; others get their turn in between.
                await asyncio.sleep(0)
            inflated += len(part)
            if inflated > bytes_max:
                raise _too_large(bytes_max)
            yield part
    for part in inflate(b""):
        yield part
    if not inflated:
        raise EmptyBody


def _too_large(bytes_max: int) -> Problem:
    return Problem("content_too_large", f"Expected at most {bytes_max} bytes, inflated")


def _inflater(request: Request[Any, Any, Any]) -> Any:
    if _encoding(request) == "gzip":
        return _Gunzip()
    return lambda raw: [raw] if raw else []


def _encoding(request: Request[Any, Any, Any]) -> str:
    encoding = ",".join(request.headers.getall("content-encoding", [])).strip().lower()
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
