"""Lists in pages: keyset cursors that hold the filters of the first page."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, TypeVar

import msgspec

from api.problems import bad_parameter

Filters = TypeVar("Filters", bound=msgspec.Struct)
Key = TypeVar("Key")


class _Place(msgspec.Struct, frozen=True):
    list: str
    filters: dict[str, Any]
    after: msgspec.Raw


def resume(cursor: str | None, filters: Filters, key: type[Key]) -> tuple[Filters, Key | None]:
    """Return the first page's filters, and the sort key of the last item.

    The type of `filters` names the list; None stands for one that is not given. Raises Problem
    `bad_parameter` for a cursor of another list, or with other filters.
    """
    if cursor is None:
        return filters, None
    try:
        place = msgspec.json.decode(_unpadded(cursor), type=_Place)
        first = msgspec.convert(place.filters, type(filters))
        after = msgspec.json.decode(place.after, type=key)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise bad_parameter("cursor", "Expected a cursor that this list gave") from None
    if place.list != type(filters).__name__:
        raise bad_parameter("cursor", "Expected a cursor of this list")
    for name, value in msgspec.structs.asdict(filters).items():
        if value is not None and value != getattr(first, name):
            raise bad_parameter(name, "Expected the filters of the first page, or none")
    return first, after


def next_cursor(filters: msgspec.Struct, after: object) -> str:
    """Return a cursor behind the item of a sort key."""
    place = _Place(
        type(filters).__name__,
        msgspec.to_builtins(filters),
        msgspec.Raw(msgspec.json.encode(after)),
    )
    return urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def _unpadded(cursor: str) -> bytes:
    return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
