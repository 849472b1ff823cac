"""Decode JSON strictly, and tell what does not fit."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from json import JSONDecoder
from typing import Any, TypeVar

import msgspec

from api.faults import body_faults
from api.problems import ErrorDetail, Problem

T = TypeVar("T")

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for what is not JSON; ValidationError among them, for what does not fit."""

TURN_BYTES = 16 * 1024
"""Bytes of items that are decoded at a time."""

_COMMAS_AN_ITEM = 40
"""An item has fewer, but for long ones, so that commas bound the number of items."""

_ARRAY = re.compile(rb"[ \t\r\n]*\[")
_SEPARATOR = re.compile(r"[ \t\r\n]*,?[ \t\r\n]*")


def is_utf8(text: bytes | bytearray) -> bool:
    """Tell whether text is UTF-8; decoders check only the text that they return."""
    try:
        return text.isascii() or bool(text.decode())
    except UnicodeDecodeError:
        return False


def is_json(body: bytes | bytearray) -> bool:
    """Tell whether a body is one JSON value in UTF-8, whatever it says."""
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except NOT_JSON:
        return False
    return is_utf8(body)


def is_json_array(body: bytes | bytearray) -> bool:
    """Tell whether a JSON value is an array."""
    return _ARRAY.match(body) is not None


def not_json() -> Problem:
    """Return the problem of a body that is not JSON."""
    return Problem("bad_request", "The body is not valid JSON")


def decode(body: bytes | bytearray, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode a whole body.

    Raises Problem: `bad_request` where it is not JSON, `invalid` where it does not fit.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        if not is_json(body):
            raise not_json() from None
        raise Problem(
            "invalid",
            "The body does not fit",
            errors=[
                ErrorDetail(detail=fault.detail, pointer=fault.pointer)
                for fault in body_faults(body, decoder.type)
            ],
        ) from None
    except NOT_JSON:
        raise not_json() from None


async def array_parts(
    body: bytes | bytearray, items_max: int, what: str
) -> AsyncIterator[list[bytes | msgspec.Raw]]:
    """Yield the items of a JSON array, each as it stands, some at a time.

    Those are at most `TURN_BYTES`, or one item; other requests run in between. Items beyond the
    limit make no objects. Raises Problem: `content_too_large` for too many, `bad_request` where the
    body is not JSON, `invalid` where it is no array.
    """
    part: list[bytes | msgspec.Raw] = []
    part_bytes = 0
    for item in _items(body, items_max, what):
        if part and part_bytes + len(item) > TURN_BYTES:
            yield part
            await asyncio.sleep(0)
            part, part_bytes = [], 0
        part.append(item)
        part_bytes += len(item)
    if part:
        yield part


def _items(body: bytes | bytearray, items_max: int, what: str) -> Iterable[bytes | msgspec.Raw]:
    """Return the items of an array, one by one where too many might make objects."""
    too_many = Problem("content_too_large", f"Expected at most {items_max} {what}")
    if not is_json_array(body) or body.count(b",") <= _COMMAS_AN_ITEM * items_max:
        items = decode(body, _array)
        if len(items) > items_max:
            raise too_many
        return items
    if not is_json(body):
        raise not_json()
    return _scanned(body, items_max, too_many)


def _scanned(body: bytes | bytearray, items_max: int, too_many: Problem) -> Iterator[bytes]:
    # A character a byte, as every separator of items is ASCII.
    text = body.decode("latin-1")
    at, count = _after_separator(text, text.index("[") + 1), 0
    while text[at] != "]":
        if count == items_max:
            raise too_many
        try:
            _, end = _scanner.raw_decode(text, at)
        except RecursionError:
            raise not_json() from None
        yield bytes(body[at:end])
        at, count = _after_separator(text, end), count + 1


def _after_separator(text: str, at: int) -> int:
    matched = _SEPARATOR.match(text, at)
    assert matched is not None
    return matched.end()


def _nothing(_: object) -> Any:
    return None


_array = msgspec.json.Decoder(list[msgspec.Raw])
_scanner = JSONDecoder(
    object_pairs_hook=_nothing,
    parse_int=_nothing,
    parse_float=_nothing,
    parse_constant=_nothing,
    strict=False,
)
