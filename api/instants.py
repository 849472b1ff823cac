"""Instants as RFC 3339 writes them, of which msgspec also takes looser forms.

These are a blank or a small `t` in place of `T`, a small `z`, and an offset without its colon. What
was decoded tells none of them any more, so the texts of the same body are looked at.
"""

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Annotated, Any, get_args

import msgspec
from msgspec import Meta

from domain.errors import FieldError
from domain.events import Instant
from domain.facts import Event

EXPECTED = "Expected an instant with its offset, as in 2026-11-20T21:03:11+08:00"


InstantText = Annotated[
    str,
    Meta(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$(?!\n)",
        title="an instant with its offset, as in 2026-11-20T21:03:11+08:00",
        extra_json_schema={"format": "date-time"},
    ),
]


def is_strict(text: str) -> bool:
    """Tell whether a text that msgspec takes for an instant is one by RFC 3339."""
    return text[10] == "T" and (text[-1] == "Z" or text[-3] == ":")


def are_strict(body: bytes | bytearray) -> bool:
    """Tell whether the instants of an array of good events are all strict."""
    return all(
        is_strict(text)
        for event in _events.decode(body)
        for text in _texts(event)
        if text is not None
    )


def faults(event: bytes | bytearray | msgspec.Raw) -> list[FieldError]:
    """Return the errors of the instants of a good event."""
    return [
        FieldError(f"/{place.replace('.', '/')}", EXPECTED)
        for place, text in zip(_PLACES, _texts(_event.decode(event)), strict=True)
        if text is not None and not is_strict(text)
    ]


def _structs(hint: Any) -> Iterator[type[msgspec.Struct]]:
    """Yield the Structs that a type names."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    for argument in get_args(hint):
        yield from _structs(argument)


def _members(kinds: Sequence[type[msgspec.Struct]]) -> Iterator[tuple[str, Any]]:
    """Yield the members of any of these Structs that are instants, or that hold some."""
    hints: dict[str, list[Any]] = {}
    for kind in kinds:
        for field in msgspec.structs.fields(kind):
            hints.setdefault(field.name, []).append(field.type)
    for name, of in hints.items():
        nested = [struct for hint in of for struct in _structs(hint)]
        if any(hint in (Instant, Instant | None) for hint in of):
            yield name, None
        elif nested and (members := list(_members(nested))):
            yield name, members


def _only_instants(members: Sequence[tuple[str, Any]]) -> tuple[type[msgspec.Struct], list[str]]:
    """Return a Struct of texts in the places of instants, and these places."""
    fields: list[tuple[str, Any, Any]] = []
    places: list[str] = []
    for name, inner in members:
        if inner is None:
            fields.append((name, Any, None))
            places.append(name)
        else:
            struct, inner_places = _only_instants(inner)
            fields.append((name, struct, msgspec.field(default_factory=struct)))
            places += [f"{name}.{place}" for place in inner_places]
    return msgspec.defstruct("OnlyInstants", fields), places


_EVENT, _PLACES = _only_instants(list(_members(list(_structs(Event)))))
_texts = attrgetter(*_PLACES)
_event = msgspec.json.Decoder(_EVENT)
_events: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[_EVENT])  # type: ignore[valid-type]
