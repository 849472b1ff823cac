"""Faults of JSON values, all of them and in plain words, where decoding tells the first alone."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from functools import cache
from itertools import islice
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from api.instants import is_strict
from domain.errors import ERRORS_MAX, FieldError
from domain.names import NO_CONTROL, PRINTABLE

PARTS_MAX = 10_000
"""Commas, brackets and braces of JSON that has a fault; no good body needs half as many."""

TOO_LONG = FieldError(
    "", f"Expected another value; of over {PARTS_MAX} commas and brackets no faults are listed"
)


def body_faults(body: bytes | bytearray | msgspec.Raw, shape: Any) -> list[FieldError]:
    """Return the faults of JSON beside a type, at most `ERRORS_MAX`."""
    if not is_short(body):
        return [TOO_LONG]
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [FieldError("", "Expected numbers and texts that can be read")]
    return listed(faults(value, shape))


def is_short(body: bytes | bytearray | msgspec.Raw) -> bool:
    """Return whether JSON has few enough parts to look for faults in each."""
    text = bytes(body)
    return sum(map(text.count, (b",", b"[", b"{"))) <= PARTS_MAX


def listed(every: Iterable[FieldError]) -> list[FieldError]:
    """Return the faults that are listed, of which there is one at least."""
    return list(islice(every, ERRORS_MAX)) or [FieldError("", "Expected another value")]


def faults(value: object, shape: Any, pointer: str = "") -> Iterator[FieldError]:
    """Yield every fault of a decoded JSON value beside a type; `pointer` is its place."""
    kind, bounds = _bare(shape)
    if get_origin(kind) in (Union, UnionType):
        yield from _union_faults(value, get_args(kind), pointer)
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from _object_faults(value, kind, pointer)
    elif get_origin(kind) is list:
        if not isinstance(value, list) or any(_is_out(len(value), bound) for bound in bounds):
            yield FieldError(pointer, expected(kind, *bounds))
        if isinstance(value, list):
            [of_item] = get_args(kind)
            for index, item in enumerate(value):
                if _holds_instants(of_item) or not _fits(item, of_item):
                    yield from faults(item, of_item, f"{pointer}/{index}")
    elif not _fits(value, shape):
        yield FieldError(pointer, expected(kind, *bounds))


def expected(kind: Any, *bounds: Any) -> str:
    """Return in words what a value may be."""
    for bound in bounds:
        if bound.title:
            return f"Expected {bound.title}"
    if get_origin(kind) is Literal:
        return f"Expected {_one_of(get_args(kind))}"
    if get_origin(kind) is list:
        return "Expected an array" + "".join(f" of {_count(bound)} items" for bound in bounds)
    if kind is int and bounds:
        return f"Expected a whole number from {bounds[0].ge} to {bounds[0].le}"
    if kind is str and bounds:
        allowed = _CHARACTERS.get(bounds[0].pattern, "")
        return f"Expected text of {_count(bounds[0])} characters{allowed}"
    return f"Expected {_WORDS.get(kind, 'another value')}"


def pointer_step(name: str) -> str:
    """Return a member's name as a step of a JSON pointer."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


_CHARACTERS = {
    NO_CONTROL: " without control characters",
    PRINTABLE: " without control characters but tab and line breaks",
}
_WORDS = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    date: "a day as YYYY-MM-DD",
    datetime: "an instant with its offset, as in 2026-11-20T21:03:11+08:00",
}


def _bare(shape: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return a type without its bounds, and these."""
    if get_origin(shape) is not Annotated:
        return shape, ()
    kind, *bounds = get_args(shape)
    return kind, tuple(bounds)


def _one_of(values: Iterable[object]) -> str:
    names = ", ".join(map(str, values))
    return f"one of {names}" if ", " in names else names


def _count(bound: Any) -> str:
    least, most = bound.min_length or 0, bound.max_length
    return f"{most}" if least == most else f"{least} to {most}"


def _is_out(length: int, bound: Any) -> bool:
    most = bound.max_length
    return length < (bound.min_length or 0) or (most is not None and length > most)


def _fits(value: object, shape: Any) -> bool:
    if shape is msgspec.Raw:
        return True
    try:
        converted = msgspec.convert(value, shape)
    except msgspec.ValidationError:
        return False
    return not isinstance(converted, datetime) or is_strict(str(value))


@cache
def _holds_instants(shape: Any) -> bool:
    """Return whether a type has instants, whose texts `_fits` does not look at."""
    kind, _ = _bare(shape)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return any(_holds_instants(of) for _, _, of in _fields(kind))
    return kind is datetime or any(map(_holds_instants, get_args(kind)))


@cache
def _fields(kind: type[msgspec.Struct]) -> list[tuple[str, bool, Any]]:
    """Return the members of an object: name, whether it is required, and type."""
    return [
        (field.encode_name, field.required, field.type) for field in msgspec.structs.fields(kind)
    ]


def _union_faults(value: object, kinds: Iterable[Any], pointer: str) -> Iterator[FieldError]:
    """Yield the faults of a value beside a union: an optional type, or tagged objects."""
    kinds = list(kinds)
    if value is None and NoneType in kinds:
        return
    kinds = [kind for kind in kinds if kind not in (NoneType, msgspec.UnsetType)]
    if len(kinds) == 1:
        yield from faults(value, kinds[0], pointer)
    elif not isinstance(value, dict):
        yield FieldError(pointer, "Expected an object")
    else:
        field = kinds[0].__struct_config__.tag_field
        by_tag = {kind.__struct_config__.tag: kind for kind in kinds}
        tag = value.get(field)
        if isinstance(tag, str) and tag in by_tag:
            yield from _object_faults(value, by_tag[tag], pointer)
        else:
            at = pointer + pointer_step(field)
            yield FieldError(at, f"Expected {_one_of(sorted(by_tag))}")


def _object_faults(value: object, kind: type[msgspec.Struct], pointer: str) -> Iterator[FieldError]:
    if not isinstance(value, dict):
        yield FieldError(pointer, "Expected an object")
        return
    config, fields = kind.__struct_config__, _fields(kind)
    names = {name for name, _, _ in fields}
    fits = True
    for name, is_required, shape in fields:
        if name in value:
            for fault in faults(value[name], shape, pointer + pointer_step(name)):
                fits = False
                yield fault
        elif is_required:
            fits = False
            yield FieldError(pointer + pointer_step(name), f"`{name}` is missing")
    if config.forbid_unknown_fields:
        for name in value.keys() - names - {config.tag_field}:
            fits = False
            listed = ", ".join(sorted(names | {config.tag_field} if config.tag_field else names))
            yield FieldError(
                pointer + pointer_step(name), f"Expected no such member; there are {listed}"
            )
    if fits and hasattr(kind, "__post_init__"):
        yield from _own_faults(value, kind, pointer)


def _own_faults(value: object, kind: type[msgspec.Struct], pointer: str) -> Iterator[FieldError]:
    """Yield the fault that an object finds in itself, whose members fit each by itself."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        detail = str(error)
        named = detail.startswith("`") and detail[1:].partition("`")[0]
        yield FieldError(pointer + (pointer_step(named) if named else ""), detail)
