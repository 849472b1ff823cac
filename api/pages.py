"""Lists in pages: keyset cursors that hold the filters of the first page."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.problems import bad_parameter

LIMIT_DEFAULT = 50

Limit: TypeAlias = Annotated[int, Meta(ge=1, le=500)]
Cursor: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]*$(?!\n)", max_length=2048)]


class Paged(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Query parameters of a list; a subclass adds its filters, unset by default."""

    limit: Limit = LIMIT_DEFAULT
    cursor: Cursor | UnsetType = UNSET


class _Place(msgspec.Struct, frozen=True):
    list: str
    filters: dict[str, Any]
    after: msgspec.Raw


Query = TypeVar("Query", bound=Paged)
Key = TypeVar("Key")


def resume(query: Query, key: type[Key]) -> tuple[Query, Key | None]:
    """The query with the filters of its first page, and the sort key of the last item seen.

    Raises Problem `bad_parameter` for a cursor of another list, or with other filters.
    """
    if query.cursor is UNSET:
        return query, None
    try:
        place = msgspec.json.decode(_unpadded(query.cursor), type=_Place)
        first = msgspec.convert({**place.filters, "limit": query.limit}, type(query))
        after = msgspec.json.decode(place.after, type=key)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise bad_parameter("cursor", "Expected a cursor that this list gave") from None
    if place.list != type(query).__name__:
        raise bad_parameter("cursor", "Expected a cursor of this list")
    for name, value in _filters(query).items():
        if value != _filters(first).get(name, UNSET):
            raise bad_parameter(name, "Expected the filters of the first page, or none")
    return first, after


def next_cursor(query: Paged, after: object) -> str:
    """A cursor behind the item of this sort key."""
    filters = msgspec.to_builtins(_filters(query))
    place = _Place(type(query).__name__, filters, msgspec.Raw(msgspec.json.encode(after)))
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def _filters(query: Paged) -> dict[str, object]:
    given = msgspec.structs.asdict(query)
    return {
        name: value
        for name, value in given.items()
        if name not in ("limit", "cursor") and value is not UNSET
    }


def _unpadded(cursor: str) -> bytes:
    return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
