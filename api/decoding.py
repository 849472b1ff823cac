"""Events as they were sent, decoded.

By its own type each id of an event is looked at by a pattern, which takes longer than all else
about it. So a batch is decoded with any texts for ids, and these are looked at together; only where
something is wrong in it are its events decoded by their own types, one by one.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Sequence
from functools import reduce
from itertools import chain
from operator import attrgetter, or_
from typing import Annotated, Any, TypeAlias, get_args

import msgspec
from msgspec import Meta

from api import instants
from api.faults import body_faults, faults, is_short, listed
from api.strict_json import NOT_JSON, is_json, is_utf8
from domain.errors import FieldError
from domain.events import AnyEvent
from domain.facts import Event
from domain.facts.fact import data_type
from domain.names import EventText, Id
from domain.recording import Refused

_DATA: dict[str, Any] = {
    str(kind.__struct_config__.tag): data_type(kind) for kind in get_args(Event)
}
EVENT_TYPES = frozenset(_DATA)

_UNKNOWN_TYPE = FieldError("/type", f"Expected one of {', '.join(sorted(EVENT_TYPES))}")

_NOT_JSON = FieldError("", "Expected JSON")

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class Unreadable(Refused, frozen=True, gc=False):
    """An item that is no event of this service; `id` is its CloudEvents id, if readable."""

    id: str | None = None


Item: TypeAlias = Event | Unreadable


def decode_line(line: bytes) -> Item:
    """Return the event of a line, or why it is none."""
    return decode_one(line) if is_utf8(line) else Unreadable("malformed", [_NOT_JSON])


def decode_all(body: bytes | bytearray) -> list[Event] | None:
    """Return the events of an array; None where any item is no event."""
    try:
        events = _events.decode(body)
    except NOT_JSON:
        return None
    return events if _ids_hold(events) and instants.are_strict(body) else None


def decode_one(raw: bytes | bytearray | msgspec.Raw) -> Item:
    """Return an event, or why it is none."""
    try:
        event = _event.decode(raw)
    except msgspec.ValidationError:
        return _why_not(raw) if is_short(raw) else _unreadable_part(raw)
    except NOT_JSON:
        return Unreadable("malformed", [_NOT_JSON])
    errors = instants.faults(raw)
    return Unreadable("invalid", errors, event.id) if errors else event


def _why_not(raw: bytes | bytearray | msgspec.Raw) -> Item:
    """Return why JSON is no event, or an event with its data in base64."""
    try:
        event = msgspec.json.decode(raw)
    except NOT_JSON:
        return _unreadable_part(raw)
    if not isinstance(event, dict):
        return Unreadable("malformed", [FieldError("", "Expected a JSON object")])
    event_id = event.get("id")
    event_id = event_id if isinstance(event_id, str) else None
    if "data" not in event and "data_base64" in event:
        return _with_data(event, event_id)
    errors = list(faults(event, AnyEvent))
    of_data = _DATA.get(event["type"]) if isinstance(event.get("type"), str) else None
    if of_data is not None:
        of_event = chain(errors, faults(event["data"], of_data, "/data") if "data" in event else ())
        return Unreadable("invalid", listed(of_event), event_id)
    if errors:
        return Unreadable("invalid", errors, event_id)
    return Unreadable("unknown_type", [_UNKNOWN_TYPE], event_id)


def _with_data(event: dict[str, Any], event_id: str | None) -> Item:
    """Return an event with its `data_base64` as `data`."""
    try:
        data = b64decode(event.pop("data_base64"), validate=True)
    except (TypeError, ValueError):
        data = b""
    if not is_json(data):
        error = FieldError("/data_base64", "Expected JSON in base64")
        return Unreadable("malformed", [error], event_id)
    return decode_one(msgspec.json.encode(event | {"data": msgspec.Raw(data)}))


def _unreadable_part(raw: bytes | bytearray | msgspec.Raw) -> Unreadable:
    """Return the refusal of JSON that is not read in all its parts."""
    try:
        event = msgspec.json.decode(raw, type=AnyEvent)
    except NOT_JSON:
        pass
    else:
        if event.type not in EVENT_TYPES:
            return Unreadable("unknown_type", [_UNKNOWN_TYPE], event.id)
    try:
        identified = _identified.decode(raw)
    except NOT_JSON:
        return Unreadable("malformed", [_NOT_JSON])
    try:
        event_id = msgspec.json.decode(identified.id, type=str)
    except NOT_JSON:
        event_id = None
    return Unreadable("invalid", body_faults(raw, AnyEvent), event_id)


def _ids_hold(events: Sequence[Event]) -> bool:
    """Tell whether ids are without control characters, as `Id` and `EventText` require."""
    ids = chain.from_iterable([_ids_of[type(event)](event) for event in events])
    text = "".join(filter(None, ids))
    return text.isprintable() or not _CONTROL.search(text)


def _bounded(shape: Any) -> Any:
    text, meta = get_args(shape)
    return Annotated[text, Meta(min_length=meta.min_length, max_length=meta.max_length)]


_BOUNDED: dict[Any, Any] = {shape: _bounded(shape) for shape in (Id, EventText)}
_BOUNDED |= {shape | None: bounded | None for shape, bounded in _BOUNDED.items()}


def _with_any_ids(kind: type[msgspec.Struct]) -> tuple[type[msgspec.Struct], list[str]]:
    """Return a Struct with only bounds for its ids, and the places of these."""
    fields: list[tuple[str, Any, Any]] = []
    places: list[str] = []
    for field in msgspec.structs.fields(kind):
        name, shape = field.name, field.type
        if shape in _BOUNDED:
            fields.append((name, _BOUNDED[shape], field.default))
            places.append(name)
        elif isinstance(shape, type) and issubclass(shape, msgspec.Struct):
            inner, inner_places = _with_any_ids(shape)
            fields.append((name, inner, field.default))
            places += [f"{name}.{place}" for place in inner_places]
    return msgspec.defstruct(kind.__name__, fields, bases=(kind,), kw_only=True), places


class _Identified(msgspec.Struct):
    """An object of which only the id is decoded."""

    id: msgspec.Raw = msgspec.Raw(b"null")


_kinds = [_with_any_ids(kind) for kind in get_args(Event)]
_ids_of: dict[type, Callable[[Event], tuple[str | None, ...]]] = {
    kind: attrgetter(*places) for kind, places in _kinds
}
_event: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_events: msgspec.json.Decoder[list[Event]] = msgspec.json.Decoder(
    list[reduce(or_, [kind for kind, _ in _kinds])]  # type: ignore[misc]
)
_identified = msgspec.json.Decoder(_Identified)
