"""Decode JSON strictly, and tell what does not fit."""

import re
from collections.abc import Iterator
from json import JSONDecoder
from typing import Any, TypeVar

import msgspec

from api.faults import body_faults
from api.problems import ErrorDetail, Problem

T = TypeVar("T")

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for what is not JSON; ValidationError among them, for what does not fit."""

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


def array_items(body: bytes | bytearray, items_max: int, what: str) -> Iterator[bytes]:
    """Yield the items of a body that is a JSON array, each as it stands.

    Items are split off one by one, so too many of them make no objects here. Raises Problem:
    `content_too_large` for too many, `bad_request` where the body is not JSON, `invalid` where it
    is no array.
    """
    if not is_json(body):
        raise not_json()
    if not is_json_array(body):
        decode(body, _array)
    # A character a byte, as every separator of items is ASCII.
    text = body.decode("latin-1")
    at, count = _after_separator(text, text.index("[") + 1), 0
    while text[at] != "]":
        if count == items_max:
            raise Problem("content_too_large", f"Expected at most {items_max} {what}")
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
