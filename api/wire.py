"""Requests decoded, answers encoded."""

import re
from functools import cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from api.context import Call
from api.operations import Answer, Headers
from api.problems import ErrorDetail, Problem, bad_parameter
from domain.errors import FieldError

JSON = "application/json"

T = TypeVar("T")
Query = TypeVar("Query", bound=msgspec.Struct)

_AT = re.compile(r"^(?P<detail>.*?)(?: - at `(?:\$|key in \$)(?P<path>.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_NAMED = re.compile(r"(?:(?:unknown|required) field |^(?=`[^`]*`(?: must|:) ))`([^`]*)`")

_encoder = msgspec.json.Encoder()


def encode(value: object) -> bytes:
    """JSON, members in the order of their fields."""
    return _encoder.encode(value)


def reply(value: object, status: int = 200, headers: Headers = ()) -> Answer:
    """An answer with a JSON body."""
    return Answer(status, encode(value), JSON, headers)


def beside(top: msgspec.Struct, rest: msgspec.Struct) -> dict[str, object]:
    """One object with the members of two."""
    return {
        field.encode_name: getattr(struct, field.name)
        for struct in (top, rest)
        for field in msgspec.structs.fields(struct)
    }


def nothing() -> Answer:
    """An answer without a body."""
    return Answer(204)


def field_error(error: Exception) -> FieldError:
    """Where and why decoding failed: the message of msgspec with its path as a JSON pointer."""
    matched = _AT.match(str(error))
    if matched is None:
        return FieldError("", str(error))
    detail, path = matched["detail"], matched["path"] or ""
    steps = [name or index for name, index in _STEP.findall(path)]
    if named := _NAMED.search(detail):
        steps.append(named[1])
    escaped = (step.replace("~", "~0").replace("/", "~1") for step in steps)
    return FieldError("".join(f"/{step}" for step in escaped), detail)


def is_utf8(text: bytes | bytearray) -> bool:
    """Whether text is UTF-8; decoders look only at what they keep of it."""
    try:
        return text.isascii() or bool(text.decode())
    except UnicodeDecodeError:
        return False


def is_json(body: bytes) -> bool:
    """Whether a body is one JSON value in UTF-8, whatever it says."""
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return is_utf8(body)


def must_be_json(body: bytes) -> None:
    """Raise Problem `bad_request` for a body that is not JSON, before anything else about it."""
    if not is_json(body):
        raise Problem("bad_request", "The body is not valid JSON")


def decode(body: bytes, kind: type[T]) -> T:
    """A JSON body, decoded strictly.

    Raises Problem: `bad_request` where it is not JSON, `invalid` where it does not fit.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        must_be_json(body)
        found = field_error(error)
        raise Problem(
            "invalid",
            "The body does not fit",
            errors=[ErrorDetail(detail=found.detail, pointer=found.pointer)],
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Problem("bad_request", "The body is not valid JSON") from None


def array_items(body: bytes, items_max: int, what: str) -> list[msgspec.Raw]:
    """The items of a JSON array, each as it stands.

    Stops at the first that is too many, so what is sent cannot make millions of objects here.
    Raises Problem: `content_too_large` for too many, `bad_request` where it is not JSON, `invalid`
    where it is no array.
    """
    if not body.lstrip(b" \t\r\n").startswith(b"["):
        decode(body, list[msgspec.Raw])
    try:
        found = msgspec.structs.astuple(_array(items_max).decode(body))
    except msgspec.ValidationError:
        raise Problem("content_too_large", f"Expected at most {items_max} {what}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Problem("bad_request", "The body is not valid JSON") from None
    return [item for item in found if item is not None]


@cache
def _array(items_max: int) -> msgspec.json.Decoder[msgspec.Struct]:
    """A decoder of arrays as an object of as many fields, which knows no more than those."""
    return msgspec.json.Decoder(
        msgspec.defstruct(
            "Array",
            [(f"item_{index}", msgspec.Raw, None) for index in range(items_max)],
            array_like=True,
            forbid_unknown_fields=True,
        )
    )


def query(request: Call, kind: type[Query]) -> Query:
    """The query string as a Struct whose fields are the parameters; lists may be repeated.

    Raises Problem `bad_parameter` for one that is unknown, repeated or out of bounds.
    """
    return _query(request.query, kind) if request.query else _unasked(kind)


@cache
def _unasked(kind: type[Query]) -> Query:
    return _query(b"", kind)


def _query(sent: bytes, kind: type[Query]) -> Query:
    lists = list_parameters(kind)
    given: dict[str, Any] = {}
    for name, value in _pairs(sent):
        if name in lists:
            given.setdefault(name, []).append(value)
        elif name in given:
            raise bad_parameter(name, "Expected it once")
        else:
            given[name] = value
    try:
        found = msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        problem = field_error(error)
        name = problem.pointer.removeprefix("/").partition("/")[0]
        raise bad_parameter(name or "query", problem.detail) from None
    for name, text in given.items():
        value = getattr(found, name)
        if isinstance(value, int) and str(value) != text:
            raise bad_parameter(name, "Expected an integer in plain digits")
    return found


class NoParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For paths that take no query parameters."""


@cache
def list_parameters(kind: type[msgspec.Struct]) -> frozenset[str]:
    """Names of the parameters that may be repeated."""
    info = msgspec.inspect.type_info(kind)
    assert isinstance(info, msgspec.inspect.StructType)
    return frozenset(field.name for field in info.fields if _is_list(field.type))


def _is_list(kind: msgspec.inspect.Type) -> bool:
    # A type with a description stands inside its metadata.
    if isinstance(kind, msgspec.inspect.Metadata):
        kind = kind.type
    return isinstance(kind, msgspec.inspect.ListType)


def _pairs(sent: bytes) -> list[tuple[str, str]]:
    try:
        text = sent.decode("ascii")
        if "%" not in text and "+" not in text:
            return [pair.partition("=")[::2] for pair in text.split("&") if pair]
        return parse_qsl(text, keep_blank_values=True, errors="strict")
    except (UnicodeDecodeError, ValueError):
        raise Problem("bad_parameter", "The query string is not valid UTF-8") from None
