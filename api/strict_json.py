"""Decode JSON strictly, and tell what does not fit."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TypeVar

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
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_FLAT = rb"[{[][^][{}\"]{0,4096}+(?:%b[^][{}\"]{0,4096}+){0,64}+[]}]" % _STRING
_ITEM = rb"[^][{}\",]{1,4096}+|%b|%b" % (_STRING, _FLAT)
_TOKENS = {
    False: re.compile(rb"%b|[][{},]" % _ITEM, re.DOTALL),
    True: re.compile(rb"(?:,|%b){1,16}+|[][{}]" % _ITEM, re.DOTALL),
}
"""Tokens of an array by whether they are inside one of its items, where commas end nothing.

An object or array of few texts is one token.
"""

_SURROGATES = re.compile(
    rb"\\u[dD](?:[89aAbB][0-9a-fA-F]{2}(\\u[dD][c-fC-F][0-9a-fA-F]{2})?|[c-fC-F][0-9a-fA-F]{2})"
)
"""Two escapes that together are one character, or one of them alone, which is none."""

_CLOSING_BRACKET = ord("]")


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
        if item is None or (part and part_bytes + len(item) > TURN_BYTES):
            if part:
                yield part
            await asyncio.sleep(0)
            part, part_bytes = [], 0
        if item is not None:
            part.append(item)
            part_bytes += len(item)
    if part:
        yield part


def _items(
    body: bytes | bytearray, items_max: int, what: str
) -> Iterable[bytes | msgspec.Raw | None]:
    """Return the items of an array; None in between where others should run."""
    too_many = Problem("content_too_large", f"Expected at most {items_max} {what}")
    if not is_json_array(body):
        decode(body, _array)
    if body.count(b",") > _COMMAS_AN_ITEM * items_max:
        if not _may_be_split(body):
            raise not_json()
        return _split(body, items_max, too_many)
    try:
        items = _array.decode(body)
    except NOT_JSON:
        if not _may_be_split(body):
            raise not_json() from None
        return _split(body, items_max, too_many)
    if len(items) > items_max:
        raise too_many
    return items


def _may_be_split(body: bytes | bytearray) -> bool:
    """Tell whether a body is JSON, but for depth and halves of characters."""
    try:
        if is_json(body):
            return True
        whole = _SURROGATES.sub(lambda pair: pair[0] if pair[1] else b"?", body)
        msgspec.json.decode(whole, type=msgspec.Raw)
    except RecursionError:
        return True
    except NOT_JSON:
        return False
    return True


def _split(body: bytes | bytearray, items_max: int, too_many: Problem) -> Iterator[bytes | None]:
    """Split an array that is JSON at the commas between its items."""
    at = start = body.index(b"[") + 1
    depth = count = 0
    turn_end = at + TURN_BYTES
    while token := _TOKENS[depth > 0].match(body, at):
        if at > turn_end:
            yield None
            turn_end = at + TURN_BYTES
        byte, at = body[at], token.end()
        if not depth and byte in b",]":
            if item := bytes(body[start : at - 1]).strip():
                count += 1
                if count > items_max:
                    raise too_many
                yield item
            start = at
            if byte == _CLOSING_BRACKET:
                return
        elif at == token.start() + 1:
            depth += (byte in b"{[") - (byte in b"}]")


_array = msgspec.json.Decoder(list[msgspec.Raw])
